/**
 * One conversation with the server across many transports: opens, authenticates, notices silence, and comes back, by
 * another door where the first is blocked.
 *
 * It knows nothing of subscriptions and commands; those are told when a transport is ready for them.
 */

import { delay, STAYED_MS } from "./backoff.ts";
import { Climb } from "./climb.ts";
import { Credentials, type Token } from "./credentials.ts";
import type { Environment } from "./environment.ts";
import { endsForGood, errorOfClose, HeadwayError } from "./errors.ts";
import { Ladder } from "./ladder.ts";
import type { Line, LineEvents } from "./line.ts";
import type { ClientMessage, ServerMessage, Welcome } from "./protocol.ts";
import { Silence } from "./silence.ts";
import type { Status } from "./status.ts";
import { Doors } from "./transports/doors.ts";
import { BLOCKED, type Transport, type TransportName } from "./transports/transport.ts";

/** From the start of a transport to `welcome`. */
const WELCOME_MS = 15_000;
/** For the answer to a `ping` that asks whether a connection outlived a sleep. */
const PROBE_MS = 5_000;
/** What follows a silence shorter than this needs no such question. */
const FRESH_MS = 2_000;

export class Connection implements Line {
  readonly #environment: Environment;
  readonly #events: LineEvents;
  readonly #credentials: Credentials;
  readonly #doors: Doors;
  readonly #ladder: Ladder;
  readonly #climb: Climb;
  readonly #silence: Silence;

  #status: Status = { state: "connecting" };
  #started = false;
  #transport: Transport | undefined;
  /** Messages may be sent, before `welcome` too. */
  #open = false;
  #failures = 0;
  #liveSince: number | undefined;
  /** When the server was last heard on a connection that had its `welcome`. */
  #asOf: number | undefined;
  #retry: unknown;
  /** The server said when to return; nothing makes that earlier. */
  #bidden: number | undefined;
  #refusal: HeadwayError | undefined;
  #stopWaking: (() => void) | undefined;
  /** Who waits for a `pong`, in the order of the pings. */
  #pings: (() => void)[] = [];
  /** Distinguishes the present attempt from those whose token arrives late. */
  #attempt = 0;

  constructor(url: string, token: Token | undefined, environment: Environment, events: LineEvents) {
    this.#credentials = new Credentials(token);
    this.#environment = environment;
    this.#events = events;
    this.#doors = new Doors(url, environment);
    this.#ladder = new Ladder(this.#doors.all);
    this.#silence = new Silence(environment, () => this.#fellSilent());
    this.#climb = new Climb(environment, {
      doors: this.#doors,
      token: () => this.#credentials.renew(),
      subscriptions: () => events.subscriptions(),
      taken: (transport, welcome) => this.#takeOver(transport, welcome),
    });
  }

  get status(): Status {
    return this.#status;
  }

  get transport(): TransportName | undefined {
    return this.#liveSince === undefined ? undefined : this.#transport?.name;
  }

  start(): void {
    if (this.#started && this.#status.state !== "refused") return;
    if (this.#status.state === "closed") return;
    this.#started = true;
    this.#stopWaking ??= this.#environment.onWake(() => this.#wake());
    this.#setStatus({ state: "connecting" });
    this.#connect();
  }

  send(message: ClientMessage): void {
    if (this.#open) this.#transport?.send(message);
  }

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
    this.#prepare().then(
      (token) => {
        if (attempt === this.#attempt) this.#openTransport(token);
      },
      (reason: unknown) => {
        if (attempt === this.#attempt) this.#notReady(reason);
      },
    );
  }

  async #prepare(): Promise<string | undefined> {
    const { transport } = this.#ladder;
    try {
      await this.#doors.ready(transport);
    } catch (reason) {
      // What would be loaded comes from the same server: it is away.
      this.#ladder.missed(false);
      throw reason;
    }
    return this.#credentials.forConnection();
  }

  #notReady(reason: unknown): void {
    if (reason instanceof HeadwayError && !reason.retryable) this.#refuse(reason);
    else this.#scheduleRetry();
  }

  #openTransport(token: string | undefined): void {
    const transport = this.#doors.make(this.#ladder.transport, {
      opened: () => {
        this.#open = true;
        this.#events.opened();
      },
      message: (message) => this.#receive(message),
      closed: (code, reason) => this.#closed(code, reason),
    });
    this.#transport = transport;
    this.#refusal = undefined;
    this.#silence.heard();
    try {
      transport.open(token);
    } catch (reason) {
      // An address that can never work, or one that the page's policy forbids: no retry helps.
      if (this.#ladder.alone) this.#refuse(new HeadwayError(100, String(reason), false));
      else this.#closed(BLOCKED, String(reason));
      return;
    }
    this.#silence.allow(WELCOME_MS);
  }

  #receive(message: ServerMessage): void {
    this.#hear();
    if (message.type === "welcome") {
      this.#welcomed(message);
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

  #welcomed({ heartbeat }: Welcome): void {
    this.#credentials.accepted();
    // A renewed token is answered by another welcome.
    if (this.#liveSince === undefined && this.#transport) {
      this.#liveSince = this.#environment.now();
      this.#ladder.reached(this.#transport.name);
      this.#climb.start(this.#ladder.better);
    }
    this.#asOf = this.#environment.now();
    this.#silence.allow(heartbeat * 2000);
  }

  /** Go on with another transport, which is live already: from the cursors that are held at this moment. */
  #takeOver(transport: Transport, welcome: Welcome): void {
    const { events } = this.#transport ?? transport;
    this.#leave();
    transport.events = events;
    this.#transport = transport;
    this.#refusal = undefined;
    this.#failures = 0;
    this.#open = true;
    this.#receive(welcome);
    this.#events.opened();
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
    const blocked = code === BLOCKED;
    // A refusal came from the server itself: the door it came by is open.
    if (this.#liveSince === undefined) {
      if (!error) this.#ladder.missed(blocked);
    } else if (blocked) this.#ladder.stuck();
    this.#drop();
    if (error && endsForGood(error.code)) {
      if (this.#credentials.worthAnotherTry(error)) this.#scheduleRetry();
      else this.#refuse(error);
    } else this.#scheduleRetry();
  }

  #fellSilent(): void {
    if (this.#liveSince === undefined) this.#ladder.missed(false);
    else this.#ladder.stuck();
    this.#drop();
    this.#scheduleRetry();
  }

  #drop(code?: number): void {
    this.#attempt += 1;
    this.#clearRetry();
    this.#climb.stop();
    if (this.#liveSince !== undefined && this.#environment.now() - this.#liveSince >= STAYED_MS) this.#failures = 0;
    this.#leave(code);
  }

  /** Hear nothing of this transport any more. */
  #leave(code?: number): void {
    this.#silence.stop();
    this.#transport?.close(code);
    this.#transport = undefined;
    this.#open = false;
    this.#liveSince = undefined;
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
    } else if (this.#status.state === "live") {
      this.#climb.wake();
      if (this.#silence.lasts <= FRESH_MS) return;
      // The machine may have slept or changed its network: ask, instead of trusting a transport that cannot know.
      this.#silence.asked(PROBE_MS);
      this.ping(() => {});
    }
  }

  #hear(): void {
    this.#silence.heard();
    if (this.#liveSince !== undefined) this.#asOf = this.#environment.now();
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
