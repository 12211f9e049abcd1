/** One subscription: what was asked for, the records held, and where to go on after a reconnection. */

import type { HeadwayError } from "./errors.ts";
import type { LogEntry, Notification, Task } from "./model.ts";
import type { Change, ClientMessage, Filter, Log, Snapshot } from "./protocol.ts";
import { apply, noRecords, type Records } from "./records.ts";

export interface SubscribeOptions {
  /** A channel's name; or else `task`. */
  channel?: string;
  /** One task's id. */
  task?: string;
  /** Narrows a channel to some tasks; notifications then do not come. */
  filter?: Filter;
  /** The most batches a second, 0.1 to 20. */
  maxHz?: number;
  /** Follow the log of the task from this offset; 0 is the beginning, -1 only new lines. */
  log?: number;
}

/** `waiting`: nothing was answered yet; `partial`: more of the snapshot is coming. */
export type SubscriptionState = "waiting" | "partial" | "live" | "refused" | "closed";

export type SubscriptionEvent =
  | { type: "records"; change: Snapshot | Change }
  | { type: "log"; offset: number; trimmed: number; entries: LogEntry[] }
  | { type: "refused"; error: HeadwayError };

export type Listener = (event: SubscriptionEvent) => void;

export class Subscription {
  readonly id: number;
  readonly options: Readonly<SubscribeOptions>;
  readonly #records: Records;
  readonly #listener: Listener;
  readonly #onClose: (subscription: Subscription) => void;
  #state: SubscriptionState = "waiting";
  #error: HeadwayError | undefined;
  #refusals = 0;
  #logNext: number | undefined;

  constructor(
    id: number,
    options: SubscribeOptions,
    listener: Listener,
    onClose: (subscription: Subscription) => void,
    held: Records = noRecords(),
  ) {
    this.id = id;
    this.options = options;
    this.#listener = listener;
    this.#onClose = onClose;
    this.#logNext = options.log;
    this.#records = held;
  }

  get state(): SubscriptionState {
    return this.#state;
  }

  get error(): HeadwayError | undefined {
    return this.#error;
  }

  /** How often it was refused in a row. */
  get refusals(): number {
    return this.#refusals;
  }

  get cursor(): string | undefined {
    return this.#records.cursor;
  }

  /** A live view, by id: it changes with the subscription. */
  get tasks(): ReadonlyMap<string, Task> {
    return this.#records.tasks;
  }

  get notifications(): ReadonlyMap<string, Notification> {
    return this.#records.notifications;
  }

  /** How many notifications of a channel are unread, those that are not held too. */
  get unread(): number {
    const held = () => [...this.#records.notifications.values()].filter(({ status }) => status === "unread").length;
    return this.#records.unread ?? held();
  }

  /** Every record, by id. */
  get records(): ReadonlyMap<string, Task | Notification> {
    return new Map<string, Task | Notification>([...this.#records.tasks, ...this.#records.notifications]);
  }

  /** The line of the log that comes next. */
  get logNext(): number | undefined {
    return this.#logNext;
  }

  /** What is held, for another tab that is to go on from it. */
  get held(): Readonly<Records> {
    return this.#records;
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#onClose(this);
  }

  /** What to send to start or to go on. */
  message(): ClientMessage {
    const { channel, task, filter, maxHz } = this.options;
    return {
      type: "subscribe",
      id: this.id,
      ...(task === undefined ? { channel } : { task }),
      ...(this.#records.cursor !== undefined && { cursor: this.#records.cursor }),
      ...(filter && { filter }),
      ...(maxHz !== undefined && { max_hz: maxHz }),
      ...(this.#logNext !== undefined && { log: this.#logNext }),
    };
  }

  receive(message: Snapshot | Change | Log): void {
    if (message.type === "log") {
      this.#receiveLog(message);
      return;
    }
    if (message.type === "snapshot") {
      this.#state = message.more ? "partial" : "live";
      this.#error = undefined;
      this.#refusals = 0;
    }
    const changed = apply(this.#records, message);
    // Of what is not held others may know: an inbox that has read older pages.
    if (changed || message.type === "snapshot" || message.removed !== undefined)
      this.#listener({ type: "records", change: message });
  }

  /** The server does not answer this one. What was held may no longer be ours to see. */
  refuse(error: HeadwayError): void {
    this.#error = error;
    this.#refusals += 1;
    if (!error.retryable) {
      this.#state = "refused";
      Object.assign(this.#records, noRecords());
    }
    this.#listener({ type: "refused", error });
  }

  #receiveLog(log: Log): void {
    this.#logNext = log.next;
    this.#listener({ type: "log", offset: log.offset, trimmed: log.trimmed, entries: log.entries });
  }
}
