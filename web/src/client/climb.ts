/** While a lower door is in use: try the better ones now and then, beside it, and take over the first that is live. */

import type { Environment } from "./environment.ts";
import type { ClientMessage, Welcome } from "./protocol.ts";
import type { Doors } from "./transports/doors.ts";
import type { Transport, TransportName } from "./transports/transport.ts";

export const CLIMB_FIRST_MS = 30_000;
export const CLIMB_LIMIT_MS = 600_000;
/** From the start of a try to its welcome. */
const TRY_MS = 15_000;
/** A page that is woken tries at once, but not each time that somebody switches between two tabs. */
const WAKE_MS = 5_000;

export interface Climber {
  readonly doors: Doors;
  token(): Promise<string | undefined>;
  /** What is followed: a stream can only be tried with something in it. What it then says is not used. */
  subscriptions(): ClientMessage[];
  /** It is live; its subscriptions are to be sent again, since the door in use has gone on meanwhile. */
  taken(transport: Transport, welcome: Welcome): void;
}

export class Climb {
  readonly #environment: Environment;
  readonly #climber: Climber;
  #better: readonly TransportName[] = [];
  #wait = CLIMB_FIRST_MS;
  #timer: unknown;
  /** What is tried at present. */
  #attempt: object | undefined;
  #candidate: Transport | undefined;
  #triedAt = 0;

  constructor(environment: Environment, climber: Climber) {
    this.#environment = environment;
    this.#climber = climber;
  }

  /** A door is live, and these would be better. */
  start(better: readonly TransportName[]): void {
    this.stop();
    this.#better = better;
    this.#triedAt = this.#environment.now();
    if (better.length === 0) this.#wait = CLIMB_FIRST_MS;
    else this.#schedule();
  }

  stop(): void {
    this.#better = [];
    this.#end();
  }

  /** Something changed that may have opened a way. */
  wake(): void {
    if (this.#attempt || this.#better.length === 0) return;
    if (this.#environment.now() - this.#triedAt >= WAKE_MS) this.#begin();
  }

  #schedule(): void {
    this.#timer = this.#environment.setTimeout(() => this.#begin(), this.#wait);
  }

  #begin(): void {
    this.#clear();
    this.#wait = Math.min(CLIMB_LIMIT_MS, this.#wait * 2);
    void this.#try(this.#better);
  }

  async #try([name, ...others]: readonly TransportName[]): Promise<void> {
    this.#triedAt = this.#environment.now();
    this.#clear();
    if (name === undefined) {
      this.#schedule();
      return;
    }
    const { doors, token } = this.#climber;
    const attempt = {};
    this.#attempt = attempt;
    const failed = () => {
      if (this.#attempt !== attempt) return;
      this.#end();
      void this.#try(others);
    };
    this.#timer = this.#environment.setTimeout(failed, TRY_MS);
    try {
      await doors.ready(name);
      const shown = await token();
      if (this.#attempt !== attempt) return;
      const candidate = doors.make(name, {
        opened: () => {
          if (name !== "websocket") for (const message of this.#climber.subscriptions()) candidate.send(message);
        },
        message: (message) => {
          if (message.type !== "welcome") return;
          this.#candidate = undefined;
          this.#end();
          this.#wait = CLIMB_FIRST_MS;
          this.#climber.taken(candidate, message);
        },
        closed: failed,
      });
      this.#candidate = candidate;
      candidate.open(shown);
    } catch {
      // No token now, or no such door in this page at all.
      failed();
    }
  }

  #end(): void {
    this.#attempt = undefined;
    this.#candidate?.close();
    this.#candidate = undefined;
    this.#clear();
  }

  #clear(): void {
    if (this.#timer !== undefined) this.#environment.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
