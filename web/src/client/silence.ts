/** Notices that nothing was heard for too long: one timer, not one for each message. */

import type { Environment } from "./environment.ts";

export class Silence {
  readonly #environment: Environment;
  readonly #over: () => void;
  #heardAt = 0;
  /** Milliseconds of silence that are allowed. */
  #allowed = 0;
  /** The shorter silence that is allowed while a question is out. */
  #asked: number | undefined;
  #timer: unknown;

  constructor(environment: Environment, over: () => void) {
    this.#environment = environment;
    this.#over = over;
  }

  /** How long nothing was heard. */
  get lasts(): number {
    return this.#environment.now() - this.#heardAt;
  }

  heard(): void {
    this.#heardAt = this.#environment.now();
    this.#asked = undefined;
  }

  /** From now on this much is allowed. */
  allow(ms: number): void {
    this.#allowed = ms;
    this.#watch();
  }

  /** A question is out that should be answered within so much. */
  asked(ms: number): void {
    this.#asked = Math.min(this.#allowed, this.lasts + ms);
    this.#watch();
  }

  stop(): void {
    if (this.#timer !== undefined) this.#environment.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #watch(): void {
    this.stop();
    const left = () => (this.#asked ?? this.#allowed) - this.lasts;
    this.#timer = this.#environment.setTimeout(
      () => {
        if (left() > 0) this.#watch();
        else this.#over();
      },
      Math.max(0, left()),
    );
  }
}
