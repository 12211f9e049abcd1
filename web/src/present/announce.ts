/** What a screen reader is told: the start, each quarter, and the end. Every tick would be noise. Pure. */

import { isFinal, type Task } from "../client/model.ts";
import type { Words } from "./words.ts";

/** What to say as `before` becomes `after`; empty for nothing. */
export function announcement(before: Task | undefined, after: Task, words: Words): string {
  // A page that has just opened shows where things stand; only what happens from then on is news.
  if (!before) return "";
  if (isFinal(after.state)) return isFinal(before.state) ? "" : words.announceEnd(after.title, after.state);
  if (after.state === "lost" && before.state !== "lost") return words.announceEnd(after.title, "lost");
  if (after.state !== "running") return "";
  if (before.state === "queued" || after.attempt > before.attempt) return words.announceStart(after.title);
  const quarter = quarterOf(after);
  return quarter > quarterOf(before) ? words.announceQuarter(after.title, quarter * 25) : "";
}

/** 0 to 3; the fourth quarter is the end, which its state announces. */
function quarterOf(task: Task): number {
  return Math.min(3, Math.floor((task.progress.percent ?? 0) / 25));
}
