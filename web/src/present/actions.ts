/** Which buttons a task offers: the transition table of `spec/wire.md` §5, read from the user's side. Pure. */

import type { Task } from "../client/model.ts";

export type Action = "cancel" | "pause" | "resume" | "retry";

const OFFERED: Record<Task["state"], readonly Action[]> = {
  queued: ["cancel"],
  running: ["pause", "cancel"],
  paused: ["resume", "cancel"],
  lost: ["cancel", "retry"],
  succeeded: [],
  failed: ["retry"],
  cancelled: ["retry"],
};

export function actionsFor(task: Task): readonly Action[] {
  return OFFERED[task.state] ?? [];
}
