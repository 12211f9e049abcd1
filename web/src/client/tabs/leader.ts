/** What the leading tab does for all: one connection, with each subscription once however many tabs follow it. */

import type { HeadwayClient } from "../client.ts";
import type { HeadwayError } from "../errors.ts";
import type { ErrorMessage, Name, ServerMessage } from "../protocol.ts";
import type { Subscription, SubscriptionEvent } from "../subscription.ts";
import { type Note, plain, type Tab, type Wish } from "./notes.ts";

interface Followed {
  subscription: Subscription;
  tabs: Set<Tab>;
  /** Tabs that came with another cursor: they get the whole view when it is as new as anything that they can hold. */
  owed: Set<Tab>;
  /** The server has answered on the present connection. */
  current: boolean;
}

export class Leader {
  readonly #client: HeadwayClient;
  readonly #tab: Tab;
  readonly #post: (note: Note) => void;
  readonly #followed = new Map<string, Followed>();
  readonly #since: number;

  /** @param post tells the other tabs, and our own. */
  constructor(client: HeadwayClient, tab: Tab, since: number, post: (note: Note) => void) {
    this.#client = client;
    this.#tab = tab;
    this.#since = since;
    this.#post = post;
    client.on("welcome", () => this.tell());
    client.on("expiring", (seconds) => this.#say({ type: "expiring", in: seconds }));
    client.on("status", ({ state }) => {
      if (state !== "live") for (const followed of this.#followed.values()) followed.current = false;
      if (state !== "closed") this.tell();
    });
  }

  /** Say how things stand. */
  tell(): void {
    const { status, transport, welcome } = this.#client;
    this.#post({
      kind: "lead",
      tab: this.#tab,
      since: this.#since,
      status: plain(status),
      transport,
      // The time in it would be that of its arrival.
      welcome: welcome && { ...welcome, now: this.#client.serverNow() },
      keys: [...this.#followed.keys()],
    });
  }

  start(): void {
    this.#client.connect();
  }

  receive(tab: Tab, wish: Wish): void {
    if (wish.type === "follow") this.#subscribe(tab, wish);
    else if (wish.type === "leave") this.#unsubscribe(tab, wish.key);
    else this.#command(tab, wish.command);
  }

  /** A tab is gone. */
  drop(tab: Tab): void {
    for (const key of [...this.#followed.keys()]) this.#unsubscribe(tab, key);
  }

  close(): void {
    this.#client.close();
  }

  #subscribe(tab: Tab, { key, options, cursor, held }: Wish & { type: "follow" }): void {
    const followed = this.#followed.get(key);
    if (!followed) {
      // Our own: what the tab goes on with is not the view.
      const records = held && { ...held, tasks: new Map(held.tasks), notifications: new Map(held.notifications) };
      const subscription = this.#client.subscribe(options, (event) => this.#heard(key, event), records);
      this.#followed.set(key, { subscription, tabs: new Set([tab]), owed: new Set(), current: false });
      return;
    }
    const { subscription, tabs, owed, current } = followed;
    tabs.add(tab);
    if (subscription.state === "refused" && subscription.error) this.#say(refusal(subscription.error), key, tab);
    else if (subscription.cursor === undefined || subscription.cursor === cursor) return;
    // Who holds nothing takes what there is. Who holds something may be ahead of a view that is not answered yet.
    else if (cursor === undefined || current) this.#say(view(subscription), key, tab);
    else owed.add(tab);
  }

  #unsubscribe(tab: Tab, key: string): void {
    const followed = this.#followed.get(key);
    if (!followed?.tabs.delete(tab)) return;
    followed.owed.delete(tab);
    if (followed.tabs.size > 0) return;
    this.#followed.delete(key);
    followed.subscription.close();
  }

  #heard(key: string, event: SubscriptionEvent): void {
    const followed = this.#followed.get(key);
    if (!followed) return;
    if (event.type === "refused") {
      this.#say(refusal(event.error), key);
    } else if (event.type === "log") {
      const { offset, trimmed, entries } = event;
      const task = followed.subscription.options.task ?? "";
      this.#say({ type: "log", id: 0, task, offset, next: offset + entries.length, trimmed, entries }, key);
    } else {
      this.#say(event.change, key);
      if (event.change.type === "change" || event.change.more) return;
      followed.current = true;
      for (const tab of followed.owed) this.#say(view(followed.subscription), key, tab);
      followed.owed.clear();
    }
  }

  #command(tab: Tab, command: (Wish & { type: "command" })["command"]): void {
    const ref = command.ref as Name;
    this.#client.command(command).then(
      (task) => this.#say({ type: "ok", ref, ...(task && { task }) }, undefined, tab),
      (error: HeadwayError) => this.#say({ ...refusal(error), ref }, undefined, tab),
    );
  }

  #say(message: ServerMessage, key?: string, to?: Tab): void {
    this.#post({ kind: "got", since: this.#since, key, to, message });
  }
}

function refusal({ code, message, retryable }: HeadwayError): ErrorMessage {
  return { type: "error", code, message, retryable };
}

/** All that a subscription holds, for a tab that comes later. */
function view({ state, held: { cursor = "", tasks, notifications, unread } }: Subscription): ServerMessage {
  return {
    type: "snapshot",
    id: 0,
    cursor,
    reset: true,
    more: state === "partial",
    tasks: [...tasks.values()],
    notifications: [...notifications.values()],
    removed: [],
    ...(unread !== undefined && { unread }),
  };
}
