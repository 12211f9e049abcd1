/** HTTP by hand: each request waits until a test answers it. */

export class FakeRequest {
  readonly signal: AbortSignal | undefined;
  readonly headers: Record<string, string>;
  readonly body: unknown;
  #settle!: { resolve(response: Response): void; reject(reason: unknown): void };
  readonly response: Promise<Response>;
  #pieces: Uint8Array[] = [];
  #ended = false;
  #broken = false;
  #waiting: (() => void) | undefined;

  constructor(
    readonly method: string,
    readonly path: string,
    init: RequestInit,
  ) {
    this.headers = { ...(init.headers as Record<string, string>) };
    this.body = init.body === undefined ? undefined : JSON.parse(init.body as string);
    this.signal = init.signal ?? undefined;
    this.response = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.signal?.addEventListener("abort", () => this.fail());
  }

  get aborted(): boolean {
    return this.signal?.aborted ?? false;
  }

  /** What is asked for: the ids with their cursors. */
  get asked(): Record<string, unknown>[] {
    return (this.body as { subscriptions: Record<string, unknown>[] }).subscriptions;
  }

  answer(json: unknown, status = 200, headers: Record<string, string> = {}): void {
    this.#respond(status, { "content-type": "application/json", ...headers }, async () => structuredClone(json));
  }

  /** Not from our server. */
  page(status: number): void {
    this.#respond(status, { "content-type": "text/html" }, async () => {
      throw new SyntaxError("That is a page.");
    });
  }

  /** The stream begins; `say` goes on. */
  stream(): void {
    this.#respond(200, { "content-type": "text/event-stream; charset=utf-8" }, async () => undefined);
  }

  write(text: string): void {
    this.#pieces.push(new TextEncoder().encode(text));
    this.#waiting?.();
  }

  say(message: object): void {
    this.write(`data: ${JSON.stringify(message)}\n\n`);
  }

  end(): void {
    this.#ended = true;
    this.#waiting?.();
  }

  /** The network is gone. */
  fail(): void {
    this.#broken = true;
    this.#settle.reject(new TypeError("Failed to fetch"));
    this.#waiting?.();
  }

  #respond(status: number, headers: Record<string, string>, json: () => Promise<unknown>): void {
    const read = async () => {
      while (this.#pieces.length === 0 && !this.#ended && !this.#broken) {
        await new Promise<void>((resolve) => {
          this.#waiting = resolve;
        });
      }
      if (this.#broken) throw new TypeError("network error");
      const value = this.#pieces.shift();
      return value ? { done: false, value } : { done: true };
    };
    const response = {
      ok: status >= 200 && status < 300,
      status,
      statusText: String(status),
      headers: new Headers(headers),
      body: { getReader: () => ({ read }) },
      json,
    };
    this.#settle.resolve(response as unknown as Response);
  }
}
