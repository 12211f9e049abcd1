/**
 * One conversation with the server across many sockets: opens, authenticates, notices silence, and comes back.
 *
 * It knows nothing of subscriptions and commands; those are told when a socket is ready for them.
 */

import { delay, STAYED_MS } from "./backoff.ts";
import { Credentials, type Token } from "./credentials.ts";
import type { Environment, Socket } from "./environment.ts";
import { endsForGood, errorOfClose, HeadwayError } from "./errors.ts";
import { type ClientMessage, decode, encode, PROTOCOL, type ServerMessage } from "./protocol.ts";
import type { Status } from "./status.ts";

/** From the start of a socket to `welcome`. */
const WELCOME_MS = 15_000;
/** For the answer to a `ping` that asks whether a connection outlived a sleep. */
const PROBE_MS = 5_000;
/** What follows a silence shorter than this needs no such question. */
const FRESH_MS = 2_000;

export interface ConnectionEvents {
  /** A socket is open and `auth` is on its way: everything that should follow can be sent now. */
  opened(): void;
  message(message: ServerMessage): void;
  status(status: Status): void;
}

export class Connection {
  readonly #url: string;
  readonly #environment: Environment;
  readonly #events: ConnectionEvents;
  readonly #credentials: Credentials;

  #status: Status = { state: "connecting" };
  #started = false;
  #socket: Socket | undefined;
  #open = false;
  #failures = 0;
  #liveSince: number | undefined;
  #lastHeard: number | undefined;
  /** When the server was last heard on a connection that had its `welcome`. */
  #asOf: number | undefined;
  /** Milliseconds of silence after which the connection counts as dead. */
  #silence = WELCOME_MS;
  /** The shorter silence that is allowed while a `ping` is out. */
  #probing: number | undefined;
  #watch: unknown;
  #retry: unknown;
  /** The server said when to return; nothing makes that earlier. */
  #bidden: number | undefined;
  #refusal: HeadwayError | undefined;
  #stopWaking: (() => void) | undefined;
  /** Who waits for a `pong`, in the order of the pings. */
  #pings: (() => void)[] = [];
  /** Distinguishes the present attempt from those whose token arrives late. */
  #attempt = 0;

  constructor(url: string, token: Token | undefined, environment: Environment, events: ConnectionEvents) {
    this.#url = url;
    this.#credentials = new Credentials(token);
    this.#environment = environment;
    this.#events = events;
  }

  get status(): Status {
    return this.#status;
  }

  /** Whether a socket is open; messages may be sent before `welcome`. */
  get open(): boolean {
    return this.#open;
  }

  /** Start, or start again after a refusal. Does nothing while a connection is there or on its way. */
  start(): void {
    if (this.#started && this.#status.state !== "refused") return;
    if (this.#status.state === "closed") return;
    this.#started = true;
    this.#stopWaking ??= this.#environment.onWake(() => this.#wake());
    this.#setStatus({ state: "connecting" });
    this.#connect();
  }

  send(message: ClientMessage): void {
    if (this.#open) this.#socket?.send(encode(message));
  }

  /** Call `passed` when the server has handled all that was sent before, or when nothing of it is under way any more. */
  ping(passed: () => void): void {
    if (!this.#open) {
      passed();
      return;
    }
    this.#pings.push(passed);
    this.send({ type: "ping" });
  }

  setToken(token: Token | undefined): void {
    this.#credentials.replace(token);
    if (this.#status.state === "refused") this.start();
    else if (this.#status.state === "live") void this.#renew();
    else if (this.#retry !== undefined && this.#bidden === undefined) this.#connect();
  }

  close(): void {
    if (this.#status.state === "closed") return;
    this.#drop(1000);
    this.#stopWaking?.();
    this.#setStatus({ state: "closed" });
  }

  #connect(): void {
    this.#clearRetry();
    const attempt = ++this.#attempt;
    this.#credentials.forConnection().then(
      (token) => {
        if (attempt === this.#attempt) this.#openSocket(token);
      },
      (reason: unknown) => {
        if (attempt === this.#attempt) this.#noToken(reason);
      },
    );
  }

  #noToken(reason: unknown): void {
    if (reason instanceof HeadwayError && !reason.retryable) this.#refuse(reason);
    else this.#scheduleRetry();
  }

  #openSocket(token: string | undefined): void {
    let socket: Socket;
    try {
      socket = new this.#environment.WebSocket(this.#url, [PROTOCOL]);
    } catch (reason) {
      // An address that can never work, or one that the page's policy forbids: no retry helps.
      this.#refuse(new HeadwayError(100, String(reason), false));
      return;
    }
    this.#socket = socket;
    this.#refusal = undefined;
    this.#silence = WELCOME_MS;
    this.#hear();
    socket.onopen = () => {
      this.#open = true;
      if (token !== undefined) this.send({ type: "auth", token });
      this.#events.opened();
    };
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onclose = (event) => this.#closed(event.code, event.reason);
    socket.onerror = () => {};
    this.#watchSilence();
  }

  #receive(data: unknown): void {
    this.#hear();
    const message = decode(data);
    if (!message) return;
    if (message.type === "welcome") {
      this.#silence = message.heartbeat * 2000;
      this.#credentials.accepted();
      this.#liveSince ??= this.#lastHeard;
      this.#asOf = this.#lastHeard;
      this.#watchSilence();
    } else if (message.type === "pong") {
      this.#pings.shift()?.();
    } else if (message.type === "goodbye") {
      this.#bidden = message.reconnect_in * 1000;
    } else if (message.type === "expiring" && this.#credentials.renewable) {
      void this.#renew();
    } else if (message.type === "error" && endsForGood(message.code)) {
      this.#refusal = new HeadwayError(message.code, message.message, message.retryable);
    }
    this.#events.message(message);
    if (message.type === "welcome" && this.#open) this.#setStatus({ state: "live" });
  }

  async #renew(): Promise<void> {
    const attempt = this.#attempt;
    try {
      const token = await this.#credentials.renew();
      if (attempt === this.#attempt && token !== undefined) this.send({ type: "auth", token });
    } catch {
      // The present token still holds; when it ends the server says so, and the next connection asks again.
    }
  }

  #closed(code: number, reason: string): void {
    const error = this.#refusal ?? errorOfClose(code, reason);
    this.#drop();
    if (error && endsForGood(error.code)) {
      if (this.#credentials.worthAnotherTry(error)) this.#scheduleRetry();
      else this.#refuse(error);
    } else this.#scheduleRetry();
  }

  /** Let go of the socket without listening to its end: a dead network can take minutes to report it. */
  #drop(code?: number): void {
    const socket = this.#socket;
    this.#attempt += 1;
    this.#clearRetry();
    this.#clearWatch();
    this.#socket = undefined;
    this.#open = false;
    if (this.#liveSince !== undefined && this.#environment.now() - this.#liveSince >= STAYED_MS) this.#failures = 0;
    this.#liveSince = undefined;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null;
      try {
        socket.close(code ?? 1000);
      } catch {
        // It was closed already.
      }
    }
    for (const passed of this.#pings.splice(0)) passed();
  }

  #refuse(error: HeadwayError): void {
    this.#bidden = undefined;
    this.#failures = 0;
    this.#setStatus({ state: "refused", error });
  }

  #scheduleRetry(): void {
    const { random } = this.#environment;
    const wait = this.#bidden ?? delay(this.#failures, random());
    this.#failures += 1;
    this.#setStatus({ state: "reconnecting", asOf: this.#asOf });
    this.#retry = this.#environment.setTimeout(() => {
      this.#bidden = undefined;
      this.#connect();
    }, wait);
  }

  #wake(): void {
    if (this.#retry !== undefined) {
      if (this.#bidden === undefined) this.#connect();
    } else if (this.#status.state === "live" && this.#idle() > FRESH_MS) {
      // The machine may have slept or changed its network: ask, instead of trusting a socket that cannot know.
      this.#probing = Math.min(this.#silence, this.#idle() + PROBE_MS);
      this.ping(() => {});
      this.#watchSilence();
    }
  }

  #hear(): void {
    this.#lastHeard = this.#environment.now();
    this.#probing = undefined;
    if (this.#liveSince !== undefined) this.#asOf = this.#lastHeard;
  }

  #idle(): number {
    return this.#environment.now() - (this.#lastHeard ?? 0);
  }

  /** Look again when the allowed silence could be over: one timer, not one for each message. */
  #watchSilence(): void {
    this.#clearWatch();
    const left = () => (this.#probing ?? this.#silence) - this.#idle();
    this.#watch = this.#environment.setTimeout(
      () => {
        if (left() > 0) {
          this.#watchSilence();
          return;
        }
        this.#drop();
        this.#scheduleRetry();
      },
      Math.max(0, left()),
    );
  }

  #clearWatch(): void {
    if (this.#watch !== undefined) this.#environment.clearTimeout(this.#watch);
    this.#watch = undefined;
  }

  #clearRetry(): void {
    if (this.#retry !== undefined) this.#environment.clearTimeout(this.#retry);
    this.#retry = undefined;
  }

  #setStatus(status: Status): void {
    this.#status = status;
    this.#events.status(status);
  }
}
