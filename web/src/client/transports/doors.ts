/** The doors of the server at an address, as far as this page may use them. */

import type { Environment } from "../environment.ts";
import type { Transport, TransportEvents, TransportName } from "./transport.ts";
import { WebSocketTransport } from "./websocket.ts";

export class Doors {
  readonly #url: string;
  readonly #environment: Environment;
  #lower: typeof import("./lower.ts") | undefined;

  /** @param url of the WebSocket. */
  constructor(url: string, environment: Environment) {
    this.#url = url;
    this.#environment = environment;
  }

  /**
   * Whether there is more than the WebSocket.
   *
   * Pages of other origins stay with it: browsers let them read the other doors only where the server allows their
   * origin by CORS, which nobody here can know.
   */
  get all(): boolean {
    return sameOrigin(this.#url, this.#environment);
  }

  /** Have what a door needs: most pages never need the lower ones, and do not load them. */
  async ready(name: TransportName): Promise<void> {
    if (name !== "websocket") this.#lower ??= await this.#environment.lowerDoors();
  }

  /** A door that is ready. */
  make(name: TransportName, events: TransportEvents): Transport {
    if (name === "websocket" || !this.#lower) return new WebSocketTransport(this.#url, this.#environment, events);
    const { EventsTransport, PollTransport } = this.#lower;
    const Door = name === "events" ? EventsTransport : PollTransport;
    return new Door(httpAddress(this.#url), this.#environment, events);
  }
}

/** Whether the page is of the server's own origin. */
export function sameOrigin(url: string, { origin }: Environment): boolean {
  return origin !== undefined && new URL(httpAddress(url)).origin === origin;
}

/** Where the server is whose socket is at `url`, with a slash at its end. */
export function httpAddress(url: string): string {
  return url.replace(/^ws/, "http").replace(/ws([?#].*)?$/, "");
}
