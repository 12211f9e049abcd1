/** Which tasks the list shows, and in which order. Pure. */

import { isFinal, type Task, type TaskState } from "../../client/model.ts";

export type Chip = "all" | TaskState;

export const CHIPS: readonly Chip[] = [
  "all",
  "running",
  "queued",
  "paused",
  "lost",
  "failed",
  "succeeded",
  "cancelled",
];

export interface Choice {
  text: string;
  chip: Chip;
  kind: string;
}

export interface Groups {
  attention: Task[];
  running: Task[];
  queued: Task[];
  finished: Task[];
}

/** Tasks that match text and kind; parts of a task that is known are left to its page, until they are searched for. */
export function matching(tasks: ReadonlyMap<string, Task>, { text, kind }: Omit<Choice, "chip">): Task[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found: Task[] = [];
  for (const task of tasks.values()) {
    if (kind && task.kind !== kind) continue;
    if (words.length === 0) {
      if (task.parent && tasks.has(task.parent)) continue;
    } else {
      const heap = [task.title, task.kind, task.progress.message, task.id, task.channel, ...task.tags]
        .join("\n")
        .toLowerCase();
      if (!words.every((word) => heap.includes(word))) continue;
    }
    found.push(task);
  }
  return found;
}

export function countByChip(tasks: readonly Task[]): Record<Chip, number> {
  const counts = Object.fromEntries(CHIPS.map((chip) => [chip, 0])) as Record<Chip, number>;
  counts.all = tasks.length;
  for (const { state } of tasks) if (state in counts) counts[state] += 1;
  return counts;
}

/** By what a reader does about them; in each, an order that ticks do not change, since rows that jump cannot be read. */
export function grouped(tasks: readonly Task[], chip: Chip): Groups {
  const groups: Groups = { attention: [], running: [], queued: [], finished: [] };
  for (const task of tasks) {
    if (chip !== "all" && task.state !== chip) continue;
    if (task.state === "lost" || task.state === "paused") groups.attention.push(task);
    else if (task.state === "queued") groups.queued.push(task);
    else if (isFinal(task.state)) groups.finished.push(task);
    else groups.running.push(task);
  }
  groups.attention.sort((a, b) => began(b) - began(a) || byId(a, b));
  groups.running.sort((a, b) => began(b) - began(a) || byId(a, b));
  // The one that waits longest is the next.
  groups.queued.sort((a, b) => a.created_at - b.created_at || byId(a, b));
  groups.finished.sort((a, b) => ended(b) - ended(a) || byId(a, b));
  return groups;
}

export function kindsOf(tasks: Iterable<Task>): string[] {
  const kinds = new Set<string>();
  for (const { kind } of tasks) if (kind) kinds.add(kind);
  return [...kinds].sort();
}

function began(task: Task): number {
  return task.started_at ?? task.created_at;
}

function ended(task: Task): number {
  return task.finished_at ?? task.updated_at;
}

function byId(a: Task, b: Task): number {
  return a.id < b.id ? 1 : -1;
}
