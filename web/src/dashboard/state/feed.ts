/** What a task page follows: the task, its log, and its parts. */

import { type Signal, signal } from "@preact/signals";
import type { HeadwayClient, LogEntry, Task } from "../../client/index.ts";

/** Lines that a page keeps; more is a matter for a file. */
const KEPT_LINES = 5000;
const PARTS_HZ = 4;

export interface LogLines {
  /** The number of the first line held. */
  first: number;
  entries: LogEntry[];
  /** Lines that the server keeps no longer. */
  trimmed: number;
}

export interface Feed {
  task: Signal<Task | undefined>;
  /** There is no such task, or it is not ours to see. */
  missing: Signal<boolean>;
  log: Signal<LogLines>;
  parts: Signal<readonly Task[]>;
  close(): void;
}

export function follow(client: HeadwayClient, id: string, before: Task | undefined): Feed {
  const task = signal(before);
  const missing = signal(false);
  const log = signal<LogLines>({ first: 0, entries: [], trimmed: 0 });
  const parts = signal<readonly Task[]>([]);
  let followingParts: { close(): void } | undefined;

  const followParts = (channel: string) => {
    const subscription = client.subscribe({ channel, filter: { parent: id }, maxHz: PARTS_HZ }, () => {
      parts.value = [...subscription.tasks.values()].sort(
        (a, b) => a.created_at - b.created_at || (a.id < b.id ? -1 : 1),
      );
    });
    return subscription;
  };

  const subscription = client.subscribe({ task: id, log: 0 }, (event) => {
    if (event.type === "log") log.value = withLines(log.value, event);
    else if (event.type === "refused") missing.value = !event.error.retryable;
    else {
      task.value = subscription.tasks.get(id);
      missing.value = task.value === undefined && subscription.state === "live";
      if (task.value?.children && !followingParts) followingParts = followParts(task.value.channel);
    }
  });

  const close = () => {
    subscription.close();
    followingParts?.close();
  };
  return { task, missing, log, parts, close };
}

/** Append lines, and let go of the oldest beyond what a page keeps. */
export function withLines(
  log: LogLines,
  { offset, trimmed, entries }: { offset: number; trimmed: number; entries: LogEntry[] },
): LogLines {
  const next = log.first + log.entries.length;
  // Lines that are held already can come again after a reconnection.
  const fresh = log.entries.length === 0 ? entries : entries.slice(Math.max(0, next - offset));
  const all = [...log.entries, ...fresh];
  const first = log.entries.length === 0 || offset > next ? offset + entries.length - all.length : log.first;
  const surplus = Math.max(0, all.length - KEPT_LINES);
  return { first: first + surplus, entries: all.slice(surplus), trimmed: log.trimmed + trimmed };
}
