/** Numbers of a task as a person reads them: how far, how fast, how much longer, how long silent. Pure. */

import type { Task } from "../client/model.ts";
import type { Language, Words } from "./words.ts";

/** Workers give a sign of life far more often than this; a longer silence is worth saying before the server calls it lost. */
const SILENT_SECONDS = 30;

/** "42 %", whole numbers; never "100 %" before it is. */
export function percentText(percent: number | null | undefined): string {
  return percent === null || percent === undefined ? "" : `${Math.floor(percent)}%`;
}

/** How far, in one word: the percentage; where nobody knows one, how much is done. */
export function farText(task: Task, language: Language): string {
  return percentText(task.progress.percent) || doneText(task, language);
}

/** Seconds left at `now` (Unix milliseconds of the server's clock); `undefined` when nobody knows. */
export function secondsLeft(task: Task, now: number): number | undefined {
  const { eta } = task.progress;
  if (task.state !== "running" || eta === null) return undefined;
  return Math.max(0, eta - Math.max(0, now - task.updated_at) / 1000);
}

export function etaText(task: Task, now: number, words: Words): string {
  const left = secondsLeft(task, now);
  if (left === undefined) return "";
  if (left < 10) return words.soon;
  // A countdown by the second promises what an estimate cannot hold.
  return words.left(words.duration(left < 60 ? Math.ceil(left / 10) * 10 : left));
}

export function rateText(task: Task, words: Words, language: Language): string {
  const { rate, unit } = task.progress;
  if (task.state !== "running" || rate === null || rate <= 0) return "";
  return words.rate(amountText(rate, language), unit);
}

/** "1,204 / 20,000 rows" of the current step; empty when nothing is counted. */
export function doneText(task: Task, language: Language): string {
  const { done, total, unit } = task.progress;
  if (total === null && done === 0) return "";
  const of = total === null ? "" : ` / ${amountText(total, language)}`;
  return `${amountText(done, language)}${of}${unit ? ` ${unit}` : ""}`;
}

export function amountText(amount: number, language: Language): string {
  const digits = Math.abs(amount) >= 100 ? 0 : Math.abs(amount) >= 10 ? 1 : 2;
  return amount.toLocaleString(language, { maximumFractionDigits: digits });
}

/** Seconds since the worker's last sign of life when that is worth saying. */
export function silentFor(task: Task, now: number): number | undefined {
  if (task.state !== "running" && task.state !== "lost" && !task.stopping) return undefined;
  const since = task.seen_at ?? task.started_at;
  if (since === null) return undefined;
  const seconds = (now - since) / 1000;
  return task.state === "lost" || seconds >= SILENT_SECONDS ? Math.max(0, seconds) : undefined;
}

/** "2/3 Hash"; empty without steps. */
export function stepText(task: Task, words: Words): string {
  const { step } = task.progress;
  return step ? words.step(step.index, step.of, step.name) : "";
}

/** "12:03" by the local clock. */
export function clockText(time: number, language: Language): string {
  return new Date(time).toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}
