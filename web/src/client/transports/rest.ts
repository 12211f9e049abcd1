/** Requests to the server's HTTP side, as whoever the token or the cookie says. */

import type { Environment } from "../environment.ts";
import { HeadwayError } from "../errors.ts";
import { isObject } from "../model.ts";

/** The server's answer does not get through: a proxy's page came instead, or nothing, or it has no such door. */
export class Blocked extends Error {}

export class Rest {
  token: string | undefined;
  readonly #base: string;
  readonly #environment: Environment;

  /** @param base the server's address, with a slash at its end. */
  constructor(base: string, environment: Environment) {
    this.#base = base;
    this.#environment = environment;
  }

  /**
   * A good answer.
   *
   * @throws HeadwayError for what the server refuses, Blocked for what is not its answer, and what `fetch` throws.
   */
  async ask(method: "GET" | "POST", path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
    const response = await this.#environment.fetch(this.#base + path, {
      method,
      credentials: "same-origin",
      cache: "no-store",
      headers: {
        ...(body !== undefined && { "content-type": "application/json" }),
        ...(this.token !== undefined && { authorization: `Bearer ${this.token}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
    if (response.ok) return response;
    throw await problem(response);
  }

  /** The JSON of an answer, and the server's time when it gave it (0 when it did not say). */
  async dated(path: string, signal: AbortSignal): Promise<{ value: unknown; date: number }> {
    const response = await this.ask("GET", path, undefined, signal);
    // Only whole seconds are said: in the middle of that one the error is smallest.
    const date = Date.parse(response.headers.get("date") ?? "") + 500 || 0;
    return { value: await parse(response), date };
  }

  async json(method: "GET" | "POST", path: string, body?: unknown, signal?: AbortSignal): Promise<unknown> {
    return parse(await this.ask(method, path, body, signal));
  }
}

async function parse(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch (reason) {
    // Not JSON; a body that broke off is a matter of the network and throws something else.
    throw reason instanceof SyntaxError ? new Blocked() : reason;
  }
}

/** What the server says in the body; for what does not come from it, what its status says. */
async function problem(response: Response): Promise<Error> {
  const { status } = response;
  const body: unknown = await response.json().catch(() => undefined);
  if (isObject(body) && typeof body.code === "number") {
    const error = new HeadwayError(body.code, String(body.message ?? ""), body.retryable === true);
    const after = Number(response.headers.get("retry-after"));
    return after > 0 ? Object.assign(error, { after }) : error;
  }
  if (status === 401 || status === 403) return new HeadwayError(status, response.statusText, false);
  return status >= 500 ? new Error(response.statusText) : new Blocked();
}
