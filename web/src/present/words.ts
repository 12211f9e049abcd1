/** What the element and the dashboard say about a task, in each language. Texts of jobs are never in here. */

import type { Severity, TaskState } from "../client/model.ts";

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
  ago(duration: string): string;
  justNow: string;
  notifications: string;
  unread(count: number): string;
  severity: Record<Severity, string>;
  inbox: string;
  archive: string;
  noNotifications: string;
  noArchived: string;
  markRead: string;
  markUnread: string;
  markAllRead: string;
  putAway: string;
  onDesktop: string;
  loadOlder: string;
  noOlder: string;
  loading: string;
  olderFailed: string;
  announceNotification(title: string): string;
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
  ago: (duration) => `${duration} ago`,
  justNow: "just now",
  notifications: "Notifications",
  unread: (count) => `${count} unread`,
  severity: { info: "Information", success: "Success", warning: "Warning", error: "Error" },
  inbox: "Inbox",
  archive: "Archive",
  noNotifications: "Nothing new.",
  noArchived: "Nothing was put away.",
  markRead: "Mark as read",
  markUnread: "Mark as unread",
  markAllRead: "Mark all as read",
  putAway: "Archive",
  onDesktop: "Show on the desktop too",
  loadOlder: "Load older ones",
  noOlder: "That is all there is.",
  loading: "Loading",
  olderFailed: "They could not be loaded.",
  announceNotification: (title) => `Notification: ${title}`,
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
  ago: (duration) => `${duration}前`,
  justNow: "刚刚",
  notifications: "通知",
  unread: (count) => `${count} 条未读`,
  severity: { info: "信息", success: "成功", warning: "警告", error: "错误" },
  inbox: "收件箱",
  archive: "已归档",
  noNotifications: "没有新通知。",
  noArchived: "没有已归档的通知。",
  markRead: "标为已读",
  markUnread: "标为未读",
  markAllRead: "全部标为已读",
  putAway: "归档",
  onDesktop: "同时显示在桌面上",
  loadOlder: "加载更早的通知",
  noOlder: "没有更早的通知了。",
  loading: "加载中",
  olderFailed: "加载失败。",
  announceNotification: (title) => `新通知：${title}`,
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
