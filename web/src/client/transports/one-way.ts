/**
 * What the doors that only go one way have in common (`spec/wire.md` §10 and §11).
 *
 * The subscriptions with their newest cursors go into the request, so whenever they change there is a new request;
 * commands go over REST. To whoever uses it, it behaves as a WebSocket does.
 */

import type { Environment } from "../environment.ts";
import { HeadwayError, NO_ANSWER } from "../errors.ts";
import { isObject, readTask } from "../model.ts";
import {
  type ClientMessage,
  type Name,
  PROTOCOL,
  readMessage,
  type ServerMessage,
  type Subscribe,
} from "../protocol.ts";
import { Blocked, Rest } from "./rest.ts";
import { ABNORMAL, BLOCKED, type Transport, type TransportEvents, type TransportName } from "./transport.ts";

/** Subscriptions that come together make one request. */
const TOGETHER_MS = 20;
/** Not told on these doors; what the server does unless it is set. */
const HEARTBEAT = 25;

export abstract class OneWay implements Transport {
  abstract readonly name: TransportName;
  events: TransportEvents;
  protected readonly environment: Environment;
  protected readonly rest: Rest;
  /** Everything that is subscribed, with its newest cursor. */
  readonly #subscriptions = new Map<Name, Subscribe>();
  /** Those that the server refused: one of them would have the whole request refused. */
  readonly #refused = new Set<Name>();
  /** What the `welcome` will be made of. */
  #me: Record<string, unknown> | undefined;
  #welcomed = false;
  #pings = 0;
  #request: AbortController | undefined;
  #timer: unknown;
  #closed = false;

  constructor(base: string, environment: Environment, events: TransportEvents) {
    this.rest = new Rest(base, environment);
    this.environment = environment;
    this.events = events;
  }

  /** Ask for all that is wanted and deliver what comes, until `signal`. Returning or throwing ends the connection. */
  protected abstract follow(signal: AbortSignal): Promise<void>;

  open(token: string | undefined): void {
    this.rest.token = token;
    this.#restart();
  }

  close(): void {
    this.#closed = true;
    this.#interrupt();
  }

  send(message: ClientMessage): void {
    switch (message.type) {
      case "auth":
        this.rest.token = message.token;
        this.#restart();
        break;
      case "subscribe":
        this.#subscriptions.set(message.id, message);
        if (this.#refused.has(message.id)) void this.#askAgain(message);
        else this.#restart();
        break;
      case "unsubscribe":
        this.#subscriptions.delete(message.id);
        if (!this.#refused.delete(message.id)) this.#restart();
        break;
      case "ping":
        // The next request is the question, and its answer the `pong`.
        this.#pings += 1;
        this.#restart();
        break;
      default:
        void this.#command(message);
    }
  }

  /** What the next request asks for. */
  protected wanted(): Subscribe[] {
    return [...this.#subscriptions.values()].filter(({ id }) => !this.#refused.has(id));
  }

  /** The server has answered: this door works. */
  protected heard(): void {
    if (!this.#welcomed) {
      this.#welcomed = true;
      this.deliver({ ...this.#me, type: "welcome", protocol: PROTOCOL, heartbeat: HEARTBEAT });
    }
    for (; this.#pings > 0 && !this.#closed; this.#pings -= 1) this.deliver({ type: "pong", now: 0 });
    this.deliver({ type: "heartbeat", now: 0 });
  }

  protected deliver(value: unknown): ServerMessage | undefined {
    const message = isObject(value) ? readMessage(value) : undefined;
    if (!message || this.#closed) return undefined;
    if (message.type === "snapshot" || message.type === "change") this.#keep(message.id, { cursor: message.cursor });
    else if (message.type === "log") this.#keep(message.id, { log: message.next });
    this.events.message(message);
    return message;
  }

  #keep(id: Name, place: Partial<Subscribe>): void {
    const held = this.#subscriptions.get(id);
    if (held) this.#subscriptions.set(id, { ...held, ...place });
  }

  /** What was under way is of another time: nothing of it is heard any more. */
  #interrupt(): void {
    this.#request?.abort();
    this.#request = undefined;
    if (this.#timer !== undefined) this.environment.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #restart(): void {
    if (this.#closed) return;
    this.#interrupt();
    this.#timer = this.environment.setTimeout(() => void this.#run(), this.#me ? TOGETHER_MS : 0);
  }

  async #run(): Promise<void> {
    const request = new AbortController();
    this.#request = request;
    try {
      await this.#converse(request.signal);
      if (!request.signal.aborted) this.#end(ABNORMAL, "");
    } catch (reason) {
      if (!request.signal.aborted) await this.#failed(reason, request.signal);
    }
  }

  async #converse(signal: AbortSignal): Promise<void> {
    if (!this.#me) {
      // Who am I: it is part of a welcome, and tells a server that is away from a door that is blocked.
      const { value, date } = await this.rest.dated("api/me", signal);
      if (signal.aborted) return;
      if (!isObject(value)) throw new Blocked();
      this.#me = { ...value, now: date };
      this.events.opened();
      // Unless that brought subscriptions, which begin anew together.
      if (signal.aborted) return;
    }
    if (this.wanted().length > 0) await this.follow(signal);
    else await this.#idle(signal);
  }

  /** Nothing to follow: all there is to know is whether the server is there. */
  async #idle(signal: AbortSignal): Promise<void> {
    for (;;) {
      if (this.#welcomed) await this.rest.json("GET", "api/me", undefined, signal);
      if (signal.aborted) return;
      this.heard();
      await this.pause(HEARTBEAT * 1000, signal);
      if (signal.aborted) return;
    }
  }

  /** Until the time is over, or `signal`. */
  protected pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.environment.setTimeout(resolve, ms);
      signal.addEventListener("abort", () => {
        this.environment.clearTimeout(timer);
        resolve();
      });
    });
  }

  async #failed(reason: unknown, signal: AbortSignal): Promise<void> {
    if (reason instanceof HeadwayError) {
      if (this.#me && reason.code < 200 && (await this.#sortOut(reason, signal))) this.#restart();
      else if (!signal.aborted) this.#refuse(reason);
    } else {
      // When the server is there and its answer does not get through, the door is to blame.
      const blocked = reason instanceof Blocked || (this.#me && !this.#welcomed);
      this.#end(blocked ? BLOCKED : ABNORMAL, String(reason));
    }
  }

  #refuse(error: HeadwayError & { after?: number }): void {
    if (error.after !== undefined) {
      this.deliver({ type: "goodbye", reason: error.message, reconnect_in: error.after });
    }
    this.#end(4000 + error.code, error.message);
  }

  #end(code: number, reason: string): void {
    if (this.#closed) return;
    this.close();
    this.events.closed(code, reason);
  }

  /** Find out which subscriptions the refusal of all of them was about, and go on without those. */
  async #sortOut(error: HeadwayError, signal: AbortSignal): Promise<boolean> {
    const wanted = this.wanted();
    const errors = await Promise.all(wanted.map((one) => (wanted.length === 1 ? error : this.#ask(one))));
    if (signal.aborted) return false;
    for (const [place, { id }] of wanted.entries()) {
      const refusal = errors[place];
      if (refusal) this.#refuseOne(id, refusal);
    }
    return errors.some((refusal) => refusal !== undefined);
  }

  async #askAgain(subscription: Subscribe): Promise<void> {
    const { id } = subscription;
    const error = await this.#ask(subscription);
    if (this.#closed || this.#subscriptions.get(id) !== subscription) return;
    if (error) this.#refuseOne(id, error);
    else if (this.#refused.delete(id)) this.#restart();
  }

  #refuseOne(id: Name, { code, message, retryable }: HeadwayError): void {
    this.#refused.add(id);
    this.deliver({ type: "error", id, code, message, retryable });
  }

  /** Why the server refuses this subscription alone; `undefined` when it does not. */
  async #ask(subscription: Subscribe): Promise<HeadwayError | undefined> {
    try {
      await this.rest.ask("POST", "poll?wait=0", body([subscription]));
    } catch (reason) {
      if (reason instanceof HeadwayError && reason.code < 300) return reason;
      // What else goes wrong is no matter of this subscription, and meets the next request too.
    }
    return undefined;
  }

  async #command(command: Exclude<ClientMessage, { type: "auth" | "subscribe" | "unsubscribe" | "ping" }>) {
    const { ref } = command;
    let answer: Record<string, unknown>;
    try {
      if ("task" in command) {
        const path = `api/tasks/${encodeURIComponent(command.task)}/${command.type}`;
        answer = { type: "ok", ref, task: readTask(await this.rest.json("POST", path)) };
      } else {
        const { notifications: asked } = command;
        const { type } = command;
        const paths = asked === "all" ? [`${type}_all`] : asked.map((id) => `${encodeURIComponent(id)}/${type}`);
        for (const path of paths) await this.rest.ask("POST", `api/notifications/${path}`);
        answer = { type: "ok", ref };
      }
    } catch (reason) {
      const { code, message, retryable } =
        reason instanceof HeadwayError ? reason : new HeadwayError(NO_ANSWER, "The server cannot be reached.", true);
      answer = { type: "error", ref, code, message, retryable };
    }
    this.deliver(answer);
  }
}

/** What both doors are asked: the message without its type, which goes without saying. */
export function body(subscriptions: Subscribe[]): unknown {
  return { subscriptions: subscriptions.map(({ type: _, ...subscription }) => subscription) };
}
