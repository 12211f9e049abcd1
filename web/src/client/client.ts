/** The client: subscriptions and commands over one connection that comes back by itself. */

import { type Command, Commands } from "./commands.ts";
import { Connection } from "./connection.ts";
import type { Token } from "./credentials.ts";
import { browserEnvironment, type Environment } from "./environment.ts";
import { CLIENT_CLOSED, HeadwayError, NOT_FOUND } from "./errors.ts";
import type { Line, LineEvents } from "./line.ts";
import { isObject, type Notification, readNotification, type Task } from "./model.ts";
import { Numbers } from "./numbers.ts";
import type { ErrorMessage, Name, ServerMessage, Welcome } from "./protocol.ts";
import type { Records } from "./records.ts";
import type { Status } from "./status.ts";
import { type Listener, type SubscribeOptions, Subscription } from "./subscription.ts";
import { SharedLine } from "./tabs/shared-line.ts";
import { httpAddress, sameOrigin } from "./transports/doors.ts";
import { Rest } from "./transports/rest.ts";
import type { TransportName } from "./transports/transport.ts";

export interface ClientOptions extends Partial<Environment> {
  /** The server's address (`https://jobs.example.com/`), or that of its socket (`wss://…/ws`). */
  url: string;
  /** Without one the cookie has to do, which counts for pages of the server's own origin. */
  token?: Token;
  /**
   * Whether the tabs of a browser have one connection together, as far as the browser can. By default those do that go by
   * the cookie; a token may be somebody else's in each tab, so with one this does nothing.
   */
  share?: boolean;
}

export interface NotificationPage {
  /** Newest first. */
  notifications: Notification[];
  /** Where the next page begins; null at the end. */
  next: string | null;
}

interface ClientEvents {
  status: Status;
  welcome: Welcome;
  /** The token ends in so many seconds. A token function is asked by itself; a string wants `setToken`. */
  expiring: number;
}

/** Between a refusal that says "later" and the next try of that subscription. */
const LATER_MS = 5_000;
/** A page can be faster than the report that creates its task: it asks again after this, and then ever more seldom. */
const EARLY_MS = 500;
const EARLY_LIMIT_MS = 30_000;

export class HeadwayClient {
  readonly url: string;
  readonly #environment: Environment;
  readonly #connection: Line;
  readonly #commands: Commands;
  readonly #numbers = new Numbers();
  readonly #subscriptions = new Map<Name, Subscription>();
  readonly #retries = new Map<Name, unknown>();
  readonly #listeners: { [Name in keyof ClientEvents]: Set<(event: ClientEvents[Name]) => void> } = {
    status: new Set(),
    welcome: new Set(),
    expiring: new Set(),
  };
  #token: Token | undefined;
  #welcome: Welcome | undefined;
  #clockOffset = 0;

  constructor({ url, token, share = true, ...environment }: ClientOptions) {
    this.url = socketAddress(url);
    this.#token = token;
    this.#environment = { ...browserEnvironment(), ...environment };
    this.#commands = new Commands(this.#environment);
    const events: LineEvents = {
      opened: () => this.#opened(),
      message: (message) => this.#receive(message),
      status: (status) => this.#emit("status", status),
      subscriptions: () => [...this.#subscriptions.values()].map((subscription) => subscription.message()),
      subscription: (id) => this.#subscriptions.get(id),
    };
    const { locks, channel } = this.#environment;
    if (share && token === undefined && locks && channel && sameOrigin(this.url, this.#environment)) {
      const client = () => new HeadwayClient({ ...this.#environment, url, share: false });
      this.#connection = new SharedLine(this.url, this.#environment, { locks, channel }, events, client);
    } else this.#connection = new Connection(this.url, token, this.#environment, events);
  }

  get status(): Status {
    return this.#connection.status;
  }

  /** The door that is in use; `undefined` while nothing is live. Below the WebSocket it is tried again now and then. */
  get transport(): TransportName | undefined {
    return this.#connection.transport;
  }

  /** The newest `welcome`: who we are and what we may do. */
  get welcome(): Welcome | undefined {
    return this.#welcome;
  }

  /** Unix milliseconds by the server's clock, as far as its messages told: records carry times of that clock. */
  serverNow(): number {
    return this.#environment.now() + this.#clockOffset;
  }

  /** Connect now, or again after a refusal. Subscribing and commands do it by themselves. */
  connect(): void {
    this.#connection.start();
  }

  /** Use this token from now on: on the live connection, and to return after a refusal. */
  setToken(token: Token | undefined): void {
    this.#token = token;
    this.#connection.setToken(token);
  }

  on<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): () => void {
    this.#listeners[name].add(listener);
    return () => this.#listeners[name].delete(listener);
  }

  /**
   * Follow a channel or one task until `close` of what is returned.
   *
   * @param held records and their cursor, to go on from.
   */
  subscribe(options: SubscribeOptions, listener: Listener = () => {}, held?: Records): Subscription {
    if ((options.channel === undefined) === (options.task === undefined)) {
      throw new TypeError("Give exactly one of channel and task.");
    }
    const forget = (closed: Subscription) => this.#forget(closed);
    const subscription = new Subscription(this.#numbers.take(), options, listener, forget, held);
    this.#subscriptions.set(subscription.id, subscription);
    this.#connection.send(subscription.message());
    this.#connection.start();
    return subscription;
  }

  cancel(task: string): Promise<Task | undefined> {
    return this.command({ type: "cancel", task });
  }

  pause(task: string): Promise<Task | undefined> {
    return this.command({ type: "pause", task });
  }

  resume(task: string): Promise<Task | undefined> {
    return this.command({ type: "resume", task });
  }

  /** Mark notifications of my own channel as read. */
  async read(notifications: string[] | "all"): Promise<void> {
    await this.command({ type: "read", notifications });
  }

  /** Mark notifications of my own channel as unread again; out of the archive too. */
  async unread(notifications: string[]): Promise<void> {
    await this.command({ type: "unread", notifications });
  }

  /** Put notifications of my own channel away. */
  async archive(notifications: string[] | "all"): Promise<void> {
    await this.command({ type: "archive", notifications });
  }

  /**
   * A page of my own notifications, by REST: pages of other origins need the server's leave for that.
   *
   * @param statuses which of them.
   * @param after the `next` of the page before.
   * @throws HeadwayError for what the server refuses, and what `fetch` throws.
   */
  async notifications(statuses: readonly Notification["status"][], after?: string): Promise<NotificationPage> {
    const rest = new Rest(httpAddress(this.url), this.#environment);
    rest.token = typeof this.#token === "function" ? await this.#token() : this.#token;
    const query = new URLSearchParams({ status: statuses.join(","), limit: "50", ...(after && { after }) });
    const page = await rest.json("GET", `api/notifications?${query}`);
    const { notifications, next } = isObject(page) ? page : {};
    return {
      notifications: Array.isArray(notifications) ? notifications.flatMap((one) => readNotification(one) ?? []) : [],
      next: typeof next === "string" ? next : null,
    };
  }

  /** End it for good. */
  close(): void {
    this.#connection.close();
    for (const subscription of [...this.#subscriptions.values()]) subscription.close();
    this.#commands.rejectAll(new HeadwayError(CLIENT_CLOSED, "The client was closed.", false));
  }

  /** The same in all tabs that share the connection: somebody has logged out. Nothing connects again by itself. */
  closeEverywhere(message: string): void {
    if (this.#connection instanceof SharedLine) this.#connection.end(message);
    this.close();
  }

  /** What the methods above say in their own words. */
  command(command: Command): Promise<Task | undefined> {
    if (this.status.state === "closed") {
      return Promise.reject(new HeadwayError(CLIENT_CLOSED, "The client was closed.", false));
    }
    const { message, answer } = this.#commands.begin(command);
    this.#connection.send(message);
    this.#connection.start();
    return answer;
  }

  #opened(): void {
    for (const subscription of this.#subscriptions.values()) this.#connection.send(subscription.message());
    for (const message of this.#commands.messages()) this.#connection.send(message);
  }

  #receive(message: ServerMessage): void {
    switch (message.type) {
      case "welcome":
        this.#welcome = message;
        this.#setClock(message.now);
        this.#emit("welcome", message);
        break;
      case "heartbeat":
      case "pong":
        this.#setClock(message.now);
        break;
      case "snapshot":
      case "change":
      case "log":
        this.#subscriptions.get(message.id)?.receive(message);
        break;
      case "ok":
        if (message.ref !== undefined) this.#commands.resolve(message.ref, message.task);
        break;
      case "expiring":
        this.#emit("expiring", message.in);
        break;
      case "error":
        this.#refused(message);
        break;
    }
  }

  #refused(message: ErrorMessage): void {
    const error = new HeadwayError(message.code, message.message, message.retryable);
    if (message.ref !== undefined) this.#commands.reject(message.ref, error);
    const subscription = message.id === undefined ? undefined : this.#subscriptions.get(message.id);
    if (!subscription) return;
    subscription.refuse(error);
    this.#clearRetry(subscription.id);
    const wait = waitAfter(error, subscription);
    if (wait === undefined || this.#subscriptions.get(subscription.id) !== subscription) return;
    const again = () => {
      this.#retries.delete(subscription.id);
      this.#connection.send(subscription.message());
    };
    const timer = this.#environment.setTimeout(again, wait * (0.5 + this.#environment.random()));
    this.#retries.set(subscription.id, timer);
  }

  #clearRetry(id: Name): void {
    const timer = this.#retries.get(id);
    if (timer !== undefined) this.#environment.clearTimeout(timer);
    this.#retries.delete(id);
  }

  #forget(subscription: Subscription): void {
    const { id } = subscription;
    this.#subscriptions.delete(id);
    this.#clearRetry(id);
    this.#connection.send({ type: "unsubscribe", id });
    // Messages for the old subscription may be under way, and nothing in them would tell them from those of a new one
    // with the same number. The server works in order: what is under way has arrived when this ping is answered.
    this.#connection.ping(() => this.#numbers.giveBack(id));
  }

  #setClock(serverNow: number): void {
    if (serverNow > 0) this.#clockOffset = serverNow - this.#environment.now();
  }

  #emit<Name extends keyof ClientEvents>(name: Name, event: ClientEvents[Name]): void {
    for (const listener of this.#listeners[name]) listener(event);
  }
}

/** Milliseconds until a refused subscription is asked for again; `undefined` for never. */
function waitAfter(error: HeadwayError, { options, refusals }: Subscription): number | undefined {
  if (error.retryable) return LATER_MS;
  if (error.code !== NOT_FOUND || options.task === undefined) return undefined;
  return Math.min(EARLY_LIMIT_MS, EARLY_MS * 2 ** (refusals - 1));
}

/** Where the socket of the server at `url` is. */
export function socketAddress(url: string): string {
  const address = new URL(url, typeof location === "undefined" ? undefined : location.href);
  address.hash = "";
  if (address.protocol === "http:") address.protocol = "ws:";
  else if (address.protocol === "https:") address.protocol = "wss:";
  if (!address.pathname.endsWith("/ws")) address.pathname = `${address.pathname.replace(/\/$/, "")}/ws`;
  return address.href;
}
