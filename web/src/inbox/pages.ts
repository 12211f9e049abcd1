/** Notifications that are too old for a subscription's answer, read page by page. */

import type { HeadwayClient } from "../client/client.ts";
import type { Notification } from "../client/model.ts";

/** A page that brings nothing new is not worth a click; so many in a row are not worth the wait. */
const PAGES_AT_ONCE = 5;

export type PagesState = "more" | "loading" | "end" | "failed";

export class Pages {
  readonly held = new Map<string, Notification>();
  state: PagesState = "more";
  readonly #statuses: readonly Notification["status"][];
  #after: string | undefined;
  /** Counts how often everything was forgotten: an answer that was asked for before is of no use. */
  #time = 0;

  constructor(statuses: readonly Notification["status"][]) {
    this.#statuses = statuses;
  }

  /** Read on until something comes that is not `known`. Never throws: `state` says how it went. */
  async load(client: HeadwayClient, known: (id: string) => boolean): Promise<void> {
    if (this.state === "loading" || this.state === "end") return;
    const time = this.#time;
    this.state = "loading";
    try {
      for (let page = 0; page < PAGES_AT_ONCE; page += 1) {
        const { notifications, next } = await client.notifications(this.#statuses, this.#after);
        if (time !== this.#time) return;
        const fresh = notifications.filter(({ id }) => !known(id) && !this.held.has(id));
        for (const notification of fresh) this.held.set(notification.id, notification);
        this.#after = next ?? undefined;
        if (next === null) {
          this.state = "end";
          return;
        }
        if (fresh.length > 0) break;
      }
      this.state = "more";
    } catch {
      if (time === this.#time) this.state = "failed";
    }
  }

  forget(): void {
    this.#time += 1;
    this.held.clear();
    this.#after = undefined;
    this.state = "more";
  }
}
