/** A door to the server: the same messages (`spec/wire.md` §3 and §4), whatever carries them. */

import type { ClientMessage, ServerMessage } from "../protocol.ts";

/** Best first. */
export const TRANSPORTS = ["websocket", "events", "poll"] as const;

export type TransportName = (typeof TRANSPORTS)[number];

/** Closed without a word, as WebSocket says it: the network, or a server that is not there. */
export const ABNORMAL = 1006;
/** The server is there and something on the way does not let this door work. Only we use it, the wire never does. */
export const BLOCKED = 4001;

export interface TransportEvents {
  /** Messages can be sent; those sent before the `welcome` are handled after it. */
  opened(): void;
  message(message: ServerMessage): void;
  /** Codes are those of WebSocket (`spec/wire.md` §6). Nothing follows. */
  closed(code: number, reason: string): void;
}

export interface Transport {
  readonly name: TransportName;
  events: TransportEvents;
  open(token: string | undefined): void;
  send(message: ClientMessage): void;
  /** No event comes after this. */
  close(code?: number): void;
}
