/** Which door is tried next: pure. WebSocket first; below it what gets through where that does not. */

import { TRANSPORTS, type TransportName } from "./transports/transport.ts";

/** WebSocket attempts in a row, none of which got its welcome, after which something on the way may forbid them. */
const MISSES = 2;
/** The same for a client whose WebSockets did work: more likely the server is away, and a wait is cheaper. */
const MISSES_PROVEN = 3;

export class Ladder {
  readonly #rungs: readonly TransportName[];
  #at = 0;
  #misses = 0;
  #proven = false;

  /** @param whole whether there is more than the WebSocket. */
  constructor(whole: boolean) {
    this.#rungs = whole ? TRANSPORTS : ["websocket"];
  }

  get transport(): TransportName {
    return this.#rungs[this.#at] ?? "websocket";
  }

  /** Those above the present one, best first. */
  get better(): readonly TransportName[] {
    return this.#rungs.slice(0, this.#at);
  }

  /** Whether anything can be tried but this. */
  get alone(): boolean {
    return this.#rungs.length === 1;
  }

  /** This one works: the next attempt takes it too. */
  reached(name: TransportName): void {
    this.#at = this.#rungs.indexOf(name);
    this.#misses = 0;
    if (this.#at === 0) this.#proven = true;
  }

  /** An attempt ended before its welcome; `blocked` when the server is there and only the door does not work. */
  missed(blocked: boolean): void {
    if (this.alone) return;
    if (this.#at === 0) {
      this.#misses += 1;
      if (blocked || this.#misses >= (this.#proven ? MISSES_PROVEN : MISSES)) this.#at = 1;
    } else if (blocked && this.#at + 1 < this.#rungs.length) {
      this.#at += 1;
    } else {
      // The server is away, or nothing gets through. One WebSocket between two tries of something else.
      this.#at = 0;
      this.#misses = MISSES_PROVEN - 1;
    }
  }

  /** A connection that had its welcome fell silent, or blocked: a stream that is held back in the middle does so. */
  stuck(): void {
    if (this.transport === "events") this.#at += 1;
  }
}
