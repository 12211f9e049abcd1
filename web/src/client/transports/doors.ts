/** The doors of the server at an address, as far as this page may use them. */

import type { Environment } from "../environment.ts";
import { EventsTransport } from "./events.ts";
import { PollTransport } from "./poll.ts";
import type { Transport, TransportEvents, TransportName } from "./transport.ts";
import { WebSocketTransport } from "./websocket.ts";

export interface Doors {
  /** Whether there is more than the WebSocket. */
  all: boolean;
  make(name: TransportName, events: TransportEvents): Transport;
}

/** @param url of the WebSocket. */
export function doors(url: string, environment: Environment): Doors {
  const base = httpAddress(url);
  return {
    // Pages of other origins stay with the WebSocket: browsers let them read the other doors only where the server
    // allows it by CORS, with the Authorization header, and ours does not.
    all: environment.origin !== undefined && new URL(base).origin === environment.origin,
    make: (name, events) => {
      if (name === "websocket") return new WebSocketTransport(url, environment, events);
      return new (name === "events" ? EventsTransport : PollTransport)(base, environment, events);
    },
  };
}

/** Where the server is whose socket is at `url`, with a slash at its end. */
export function httpAddress(url: string): string {
  return url.replace(/^ws/, "http").replace(/ws([?#].*)?$/, "");
}
