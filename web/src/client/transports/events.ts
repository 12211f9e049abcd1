/**
 * Server-Sent Events over `fetch`: unlike `EventSource` it can say who we are in a header, and give a cursor for each
 * subscription.
 */

import { EventStream } from "./event-stream.ts";
import { body, OneWay } from "./one-way.ts";
import { Blocked } from "./rest.ts";

/** The server speaks at once; who hears nothing for so long has a proxy in between that holds it back. */
export const FIRST_BYTES_MS = 5_000;

export class EventsTransport extends OneWay {
  readonly name = "events";

  protected async follow(signal: AbortSignal): Promise<void> {
    const request = new AbortController();
    const abort = () => request.abort();
    signal.addEventListener("abort", abort);
    let patience: unknown;
    const tooLong = new Promise<never>((_, reject) => {
      patience = this.environment.setTimeout(() => {
        reject(new Blocked());
        request.abort();
      }, FIRST_BYTES_MS);
    });
    const heard = () => this.environment.clearTimeout(patience);
    try {
      await Promise.race([this.#read(request.signal, heard), tooLong]);
    } finally {
      heard();
      signal.removeEventListener("abort", abort);
      request.abort();
    }
  }

  async #read(signal: AbortSignal, heard: () => void): Promise<void> {
    const response = await this.rest.ask("POST", "events", body(this.wanted()), signal);
    if (!response.body || !response.headers.get("content-type")?.startsWith("text/event-stream")) throw new Blocked();
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    const stream = new EventStream();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || signal.aborted) return;
      heard();
      this.heard();
      for (const data of stream.feed(decoder.decode(value, { stream: true }))) {
        if (signal.aborted) return;
        this.deliver(JSON.parse(data));
      }
    }
  }
}
