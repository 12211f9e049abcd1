/** What the element and the dashboard say about a task, in each language. Texts of jobs are never in here. */

import type { TaskState } from "../client/model.ts";

export type Language = "en" | "zh";

export interface Words {
  state: Record<TaskState, string>;
  /** Cancelled, but the worker has not confirmed. */
  stopping: string;
  waiting: string;
  step(index: number, of: number, name: string): string;
  duration(seconds: number): string;
  left(duration: string): string;
  soon: string;
  rate(amount: string, unit: string): string;
  silent(duration: string): string;
  attempt(number: number): string;
  earlier(attempt: number, state: string, percent: string): string;
  connecting: string;
  reconnecting(time: string | undefined): string;
  refused: string;
  notFound: string;
  result: string;
  cancel: string;
  pause: string;
  resume: string;
  noTasks: string;
  announceStart(title: string): string;
  announceQuarter(title: string, percent: number): string;
  announceEnd(title: string, state: TaskState): string;
}

const en: Words = {
  state: {
    queued: "Queued",
    running: "Running",
    paused: "Paused",
    succeeded: "Done",
    failed: "Failed",
    cancelled: "Cancelled",
    lost: "Lost",
  },
  stopping: "Stopping",
  waiting: "waiting to start",
  step: (index, of, name) => `${index}/${of} ${name}`,
  duration: (seconds) => spell(seconds, ["d", "h", "min", "s"]),
  left: (duration) => `about ${duration} left`,
  soon: "a few seconds left",
  rate: (amount, unit) => (unit ? `${amount} ${unit}/s` : `${amount}/s`),
  silent: (duration) => `no sign of life for ${duration}`,
  attempt: (number) => `attempt ${number}`,
  earlier: (attempt, state, percent) => `Attempt ${attempt}: ${state.toLowerCase()}${percent && ` at ${percent}`}`,
  connecting: "connecting",
  reconnecting: (time) => (time ? `reconnecting, as of ${time}` : "reconnecting"),
  refused: "not allowed to see this",
  notFound: "There is no such task.",
  result: "Open result",
  cancel: "Cancel",
  pause: "Pause",
  resume: "Resume",
  noTasks: "No tasks yet.",
  announceStart: (title) => `${title}: started`,
  announceQuarter: (title, percent) => `${title}: ${percent} percent`,
  announceEnd: (title, state) => `${title}: ${en.state[state].toLowerCase()}`,
};

const zh: Words = {
  state: {
    queued: "排队中",
    running: "进行中",
    paused: "已暂停",
    succeeded: "已完成",
    failed: "失败",
    cancelled: "已取消",
    lost: "失联",
  },
  stopping: "正在停止",
  waiting: "等待开始",
  step: (index, of, name) => `${index}/${of} ${name}`,
  duration: (seconds) => spell(seconds, ["天", "小时", "分钟", "秒"]),
  left: (duration) => `大约还需 ${duration}`,
  soon: "还需几秒",
  rate: (amount, unit) => (unit ? `${amount} ${unit}/秒` : `${amount}/秒`),
  silent: (duration) => `已 ${duration}没有动静`,
  attempt: (number) => `第 ${number} 次尝试`,
  earlier: (attempt, state, percent) => `第 ${attempt} 次尝试：${state}${percent && `（${percent}）`}`,
  connecting: "正在连接",
  reconnecting: (time) => (time ? `正在重新连接，显示的是 ${time} 的状态` : "正在重新连接"),
  refused: "无权查看",
  notFound: "没有这个任务。",
  result: "打开结果",
  cancel: "取消",
  pause: "暂停",
  resume: "继续",
  noTasks: "还没有任务。",
  announceStart: (title) => `${title}：已开始`,
  announceQuarter: (title, percent) => `${title}：百分之 ${percent}`,
  announceEnd: (title, state) => `${title}：${zh.state[state]}`,
};

export const words: Record<Language, Words> = { en, zh };

/** The language for a tag such as `zh-Hans-CN`; English for one that we do not speak. */
export function languageOf(tag: string | null | undefined): Language {
  return tag?.toLowerCase().startsWith("zh") ? "zh" : "en";
}

/** The two largest units of a duration, the smaller one only where it says something. */
function spell(seconds: number, [day, hour, minute, second]: [string, string, string, string]): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} ${second}`;
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return `${minutes} ${minute}`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 ? `${hours} ${hour} ${minutes % 60} ${minute}` : `${hours} ${hour}`;
  const days = Math.floor(hours / 24);
  return hours % 24 ? `${days} ${day} ${hours % 24} ${hour}` : `${days} ${day}`;
}
