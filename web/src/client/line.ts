/** What a client speaks into: a connection of its own, or its place among the tabs that share one. */

import type { Token } from "./credentials.ts";
import type { ClientMessage, Name, ServerMessage } from "./protocol.ts";
import type { Status } from "./status.ts";
import type { Subscription } from "./subscription.ts";
import type { TransportName } from "./transports/transport.ts";

export interface LineEvents {
  /** Everything that should reach the server can be sent now: subscriptions, and commands that wait. */
  opened(): void;
  message(message: ServerMessage): void;
  status(status: Status): void;
  /** The messages of all subscriptions as they are now. */
  subscriptions(): ClientMessage[];
  subscription(id: Name): Subscription | undefined;
}

export interface Line {
  readonly status: Status;
  /** The door in use; `undefined` while nothing is live. */
  readonly transport: TransportName | undefined;
  /** Start, or start again after a refusal. Does nothing while a connection is there or on its way. */
  start(): void;
  /** Does nothing while the line is not open: `opened` comes first then. */
  send(message: ClientMessage): void;
  /** Call `passed` when the server has handled all that was sent before, or when nothing of it is under way any more. */
  ping(passed: () => void): void;
  setToken(token: Token | undefined): void;
  close(): void;
}
