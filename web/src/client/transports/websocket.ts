/** One WebSocket. */

import type { Environment, Socket } from "../environment.ts";
import { type ClientMessage, decode, encode, PROTOCOL } from "../protocol.ts";
import type { Transport, TransportEvents } from "./transport.ts";

export class WebSocketTransport implements Transport {
  readonly name = "websocket";
  events: TransportEvents;
  readonly #url: string;
  readonly #environment: Environment;
  #socket: Socket | undefined;

  constructor(url: string, environment: Environment, events: TransportEvents) {
    this.#url = url;
    this.#environment = environment;
    this.events = events;
  }

  open(token: string | undefined): void {
    const socket = new this.#environment.WebSocket(this.#url, [PROTOCOL]);
    this.#socket = socket;
    socket.onopen = () => {
      if (token !== undefined) this.send({ type: "auth", token });
      this.events.opened();
    };
    socket.onmessage = ({ data }) => {
      const message = decode(data);
      if (message) this.events.message(message);
    };
    socket.onclose = ({ code, reason }) => this.events.closed(code, reason);
    socket.onerror = () => {};
  }

  send(message: ClientMessage): void {
    this.#socket?.send(encode(message));
  }

  /** Let go without listening to the end: a dead network can take minutes to report it. */
  close(code?: number): void {
    const socket = this.#socket;
    this.#socket = undefined;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null;
    try {
      socket.close(code ?? 1000);
    } catch {
      // It was closed already.
    }
  }
}
