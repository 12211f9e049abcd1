/**
 * Somebody's notifications: those of the subscriptions that it is told of, older ones as they are read, and the tasks of
 * those that are ongoing. It shows nothing, and follows no channel by itself.
 */

import type { HeadwayClient } from "../client/client.ts";
import type { Notification, Task } from "../client/model.ts";
import type { Change, Snapshot } from "../client/protocol.ts";
import type { Subscription, SubscriptionEvent } from "../client/subscription.ts";
import { isNews } from "./news.ts";
import { Pages, type PagesState } from "./pages.ts";

const TASK_HZ = 4;

export interface InboxEvents {
  /** Something of it is different now. */
  changed(): void;
  /** Something to tell a person: said once. */
  arrived(notification: Notification): void;
}

/** Which of the two lists. */
export type Shelf = "inbox" | "archive";

export class Inbox {
  readonly #client: HeadwayClient;
  readonly #events: InboxEvents;
  readonly #channels = new Map<string, Subscription>();
  /** Those channels whose first answer is complete: what comes from then on is news. */
  readonly #begun = new Set<string>();
  /** The newest state that was seen of each notification. */
  readonly #known = new Map<string, Notification>();
  readonly #pages = { inbox: new Pages(["unread", "read"]), archive: new Pages(["archived"]) };
  /** The tasks of ongoing notifications. */
  #ongoing = new Set<string>();
  /** Of these, those that no followed channel has. */
  readonly #tasks = new Map<string, Subscription>();

  constructor(client: HeadwayClient, events: InboxEvents) {
    this.#client = client;
    this.#events = events;
  }

  /** Take in what a followed channel brought. */
  received(subscription: Subscription, event: SubscriptionEvent): void {
    const { channel } = subscription.options;
    if (channel === undefined || event.type === "log") return;
    // An administrator may follow the channels of others, whose inboxes those are.
    if (channel.startsWith("user:") && channel !== this.#mine) return;
    this.#channels.set(channel, subscription);
    if (event.type === "records") {
      // A channel can be full of tasks that tick: of those only the ones that somebody is told of matter here.
      const { task } = event.change.type === "change" ? event.change : {};
      if (task && !this.#ongoing.has(task.id)) return;
      this.#take(channel, event.change);
    }
    this.#followTasks();
    this.#events.changed();
  }

  /** Newest first. */
  entries(shelf: Shelf): Notification[] {
    const known = new Map(this.#pages[shelf].held);
    for (const { notifications } of this.#channels.values()) for (const [id, one] of notifications) known.set(id, one);
    return [...known.values()]
      .filter(({ status }) => (status === "archived") === (shelf === "archive"))
      .sort((a, b) => b.created_at - a.created_at || (a.id < b.id ? 1 : -1));
  }

  /** Whether its status is ours to change: what is in a channel of many stays as it is. */
  isMine({ channel }: Notification): boolean {
    return channel === this.#mine;
  }

  get unread(): number {
    return this.#channels.get(this.#mine)?.unread ?? 0;
  }

  /** The task that an ongoing notification stands for. */
  task(id: string): Task | undefined {
    for (const { tasks } of this.#channels.values()) if (tasks.has(id)) return tasks.get(id);
    return this.#tasks.get(id)?.tasks.get(id);
  }

  get client(): HeadwayClient {
    return this.#client;
  }

  older(shelf: Shelf): PagesState {
    return this.#pages[shelf].state;
  }

  async loadOlder(shelf: Shelf): Promise<void> {
    const loading = this.#pages[shelf].load(this.#client, (id) => this.#isHeld(id));
    this.#events.changed();
    await loading;
    this.#events.changed();
  }

  close(): void {
    for (const subscription of this.#tasks.values()) subscription.close();
    this.#tasks.clear();
    this.#channels.clear();
  }

  get #mine(): string {
    return `user:${this.#client.welcome?.user}`;
  }

  #isHeld(id: string): boolean {
    return [...this.#channels.values()].some(({ notifications }) => notifications.has(id));
  }

  #take(channel: string, change: Snapshot | Change): void {
    const isFirst = !this.#begun.has(channel);
    // After that what was read page by page may be of another time.
    if (change.type === "snapshot" && change.reset && !isFirst) for (const pages of this.#each()) pages.forget();
    for (const notification of notificationsOf(change)) {
      const before = this.#known.get(notification.id);
      if (before && before.rev >= notification.rev) continue;
      this.#known.set(notification.id, notification);
      if (!isFirst && isNews(before, notification, this.#client.serverNow())) this.#events.arrived(notification);
    }
    for (const id of removedOf(change)) {
      this.#known.delete(id);
      for (const pages of this.#each()) pages.held.delete(id);
    }
    if (change.type === "change" || !change.more) this.#begun.add(channel);
  }

  #each(): Pages[] {
    return Object.values(this.#pages);
  }

  #followTasks(): void {
    this.#ongoing = new Set<string>();
    for (const { notifications } of this.#channels.values()) {
      for (const { ongoing, task, status } of notifications.values()) {
        if (ongoing && task !== null && status !== "archived") this.#ongoing.add(task);
      }
    }
    const wanted = new Set(this.#ongoing);
    for (const { tasks } of this.#channels.values()) for (const id of tasks.keys()) wanted.delete(id);
    for (const [id, subscription] of this.#tasks) {
      if (wanted.has(id)) continue;
      this.#tasks.delete(id);
      subscription.close();
    }
    for (const task of wanted) {
      if (this.#tasks.has(task)) continue;
      this.#tasks.set(
        task,
        this.#client.subscribe({ task, maxHz: TASK_HZ }, () => this.#events.changed()),
      );
    }
  }
}

function notificationsOf(change: Snapshot | Change): readonly Notification[] {
  if (change.type === "snapshot") return change.notifications;
  return change.notification ? [change.notification] : [];
}

function removedOf(change: Snapshot | Change): readonly string[] {
  if (change.type === "snapshot") return change.removed;
  return change.removed === undefined ? [] : [change.removed];
}
