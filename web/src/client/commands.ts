/** Commands on their way: each waits for its answer, survives a reconnection, and gives up in the end. */

import type { Environment } from "./environment.ts";
import { HeadwayError, NO_ANSWER } from "./errors.ts";
import type { Task } from "./model.ts";
import type { ClientMessage, CommandType, FilingType, Name } from "./protocol.ts";

export const ANSWER_MS = 15_000;

export type Command = { type: CommandType; task: string } | { type: FilingType; notifications: string[] | "all" };

interface Pending {
  message: ClientMessage;
  timer: unknown;
  resolve(task: Task | undefined): void;
  reject(error: HeadwayError): void;
}

export class Commands {
  readonly #environment: Environment;
  readonly #pending = new Map<Name, Pending>();
  #nextRef = 1;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** Give `command` a number and remember it; the caller sends `message` when it can. */
  begin(command: Command): { message: ClientMessage; answer: Promise<Task | undefined> } {
    const ref = this.#nextRef++;
    const message: ClientMessage = { ...command, ref };
    const answer = new Promise<Task | undefined>((resolve, reject) => {
      const timer = this.#environment.setTimeout(() => {
        this.reject(ref, new HeadwayError(NO_ANSWER, "The server did not answer in time.", true));
      }, ANSWER_MS);
      this.#pending.set(ref, { message, timer, resolve, reject });
    });
    return { message, answer };
  }

  /** All that wait, in order. Sending them again is safe: asking twice for a state changes nothing the second time. */
  messages(): ClientMessage[] {
    return [...this.#pending.values()].map((pending) => pending.message);
  }

  resolve(ref: Name, task: Task | undefined): void {
    this.#take(ref)?.resolve(task);
  }

  reject(ref: Name, error: HeadwayError): void {
    this.#take(ref)?.reject(error);
  }

  rejectAll(error: HeadwayError): void {
    for (const ref of [...this.#pending.keys()]) this.reject(ref, error);
  }

  #take(ref: Name): Pending | undefined {
    const pending = this.#pending.get(ref);
    if (pending) this.#environment.clearTimeout(pending.timer);
    this.#pending.delete(ref);
    return pending;
  }
}
