/** Which token to show, and whether another one is worth a try after a refusal. */

import { type HeadwayError, TOKEN_EXPIRED, UNAUTHENTICATED } from "./errors.ts";

/** A token, or where to get one: it is asked at each connection and when the server says that the token ends. */
export type Token = string | (() => string | Promise<string>);

export class Credentials {
  #source: Token | undefined;
  /** No connection was opened with the present token yet. */
  #untried = true;
  #askedAgain = false;

  constructor(source: Token | undefined) {
    this.#source = source;
  }

  get renewable(): boolean {
    return typeof this.#source === "function";
  }

  replace(source: Token | undefined): void {
    this.#source = source;
    this.#untried = true;
    this.#askedAgain = false;
  }

  /** The token for a new connection; `undefined` when the cookie has to do. */
  async forConnection(): Promise<string | undefined> {
    this.#untried = false;
    return this.renew();
  }

  async renew(): Promise<string | undefined> {
    return typeof this.#source === "function" ? this.#source() : this.#source;
  }

  /** The server took the token. */
  accepted(): void {
    this.#untried = false;
    this.#askedAgain = false;
  }

  /** Whether to connect once more after `error`, instead of waiting for somebody to change something. */
  worthAnotherTry(error: HeadwayError): boolean {
    if (error.code !== UNAUTHENTICATED && error.code !== TOKEN_EXPIRED) return false;
    // A token that only failed as a renewal may be for another user: good for a connection of its own.
    if (this.#untried) return true;
    if (!this.renewable || this.#askedAgain) return false;
    this.#askedAgain = true;
    return true;
  }
}
