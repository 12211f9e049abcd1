/** Long-poll: what every network lets through. */

import { isObject } from "../model.ts";
import type { Name, Subscribe } from "../protocol.ts";
import { body, OneWay } from "./one-way.ts";
import { Blocked } from "./rest.ts";

const WAIT_SECONDS = 25;
/** Between an answer and the next question: a busy channel is brought together instead of asked for without end. */
const PAUSE_MS = 500;

export class PollTransport extends OneWay {
  readonly name = "poll";

  protected async follow(signal: AbortSignal): Promise<void> {
    // The first answer comes at once: it says that the door works.
    for (let wait = 0; !signal.aborted; wait = WAIT_SECONDS) {
      const asked = this.wanted();
      const answer = await this.rest.json("POST", `poll?wait=${wait}`, body(asked), signal);
      if (signal.aborted) return;
      if (!isObject(answer) || !Array.isArray(answer.messages)) throw new Blocked();
      this.heard();
      const answered = new Set<Name>();
      let more = false;
      for (const value of answer.messages) {
        if (signal.aborted) return;
        const message = this.deliver(value);
        if (message?.type === "snapshot") {
          answered.add(message.id);
          more = message.more;
        }
      }
      if (wait === 0) this.#nothingNew(asked.filter(({ id }) => !answered.has(id)));
      if (answer.messages.length > 0 && !more && wait > 0) await this.pause(PAUSE_MS, signal);
    }
  }

  /** The other doors answer each subscription; a poll leaves out those that have nothing new. */
  #nothingNew(subscriptions: Subscribe[]): void {
    for (const { id, cursor } of subscriptions) {
      if (cursor !== undefined) this.deliver({ type: "snapshot", id, cursor, reset: false });
    }
  }
}
