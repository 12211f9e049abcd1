/** The tasks of all channels, brought together for the list. */

import { batch, computed, signal } from "@preact/signals";
import type { HeadwayClient, Subscription, SubscriptionEvent, Task } from "../../client/index.ts";
import { finishedTasks } from "./rest.ts";

/** Calm enough to read, and every end still arrives. */
const LIST_HZ = 4;

let subscriptions: Subscription[] = [];
const version = signal(0);
const older = signal<readonly Task[]>([]);

/** `unknown` until somebody has looked; `none` when everything was there from the beginning. */
export const olderState = signal<"unknown" | "none" | "more" | "loading" | "end" | "failed">("unknown");
let olderCursor: string | undefined;

/** Whether the first answer of every channel has come. */
export const loaded = computed(() => {
  version.value;
  return subscriptions.length > 0 && subscriptions.every(({ state }) => state === "live" || state === "refused");
});

/** Every task that is known, live ones in place of those read page by page. */
export const tasks = computed(() => {
  version.value;
  const known = new Map<string, Task>();
  for (const task of older.value) known.set(task.id, task);
  for (const subscription of subscriptions) for (const [id, task] of subscription.tasks) known.set(id, task);
  return known;
});

export function followChannels(
  client: HeadwayClient,
  channels: string[],
  watch: (before: Task | undefined, after: Task) => void,
  heard: (subscription: Subscription, event: SubscriptionEvent) => void,
): void {
  forgetChannels();
  const seen = new Map<string, Task>();
  subscriptions = channels.map((channel) => {
    const subscription = client.subscribe({ channel, maxHz: LIST_HZ }, (event) => {
      version.value += 1;
      heard(subscription, event);
      if (event.type !== "records") return;
      const { change } = event;
      for (const task of change.type === "snapshot" ? change.tasks : change.task ? [change.task] : []) {
        watch(seen.get(task.id), task);
        seen.set(task.id, task);
      }
    });
    return subscription;
  });
}

export function forgetChannels(): void {
  for (const subscription of subscriptions) subscription.close();
  subscriptions = [];
  batch(() => {
    older.value = [];
    olderState.value = "unknown";
    version.value += 1;
  });
  olderCursor = undefined;
}

/** Find out whether there are older ones, so that nobody is offered what is not there. */
export async function lookForOlder(): Promise<void> {
  if (olderState.peek() !== "unknown") return;
  const asked = subscriptions;
  const answer = await finishedTasks(undefined).catch(() => undefined);
  // Somebody else has logged in meanwhile.
  if (asked !== subscriptions) return;
  const known = tasks.peek();
  const none = answer?.next === null && answer.tasks.every(({ id }) => known.has(id));
  olderState.value = none ? "none" : "more";
}

/** Read the next page of finished tasks. A page that holds nothing new is not worth a click: read on. */
export async function loadOlder(): Promise<void> {
  olderState.value = "loading";
  try {
    for (let page = 0; page < 5; page += 1) {
      const answer = await finishedTasks(olderCursor);
      const known = tasks.peek();
      const fresh = answer.tasks.filter(({ id }) => !known.has(id));
      olderCursor = answer.next ?? undefined;
      batch(() => {
        older.value = [...older.value, ...fresh];
        olderState.value = answer.next === null ? "end" : "more";
      });
      if (fresh.length > 0 || answer.next === null) return;
      olderState.value = "loading";
    }
    olderState.value = "more";
  } catch {
    olderState.value = "failed";
  }
}
