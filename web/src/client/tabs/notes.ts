/** What the tabs of one somebody tell each other. Never a token: each has its own, or the cookie. */

import type { Command } from "../commands.ts";
import { HeadwayError } from "../errors.ts";
import type { Name, ServerMessage, Welcome } from "../protocol.ts";
import type { Records } from "../records.ts";
import type { Status } from "../status.ts";
import type { SubscribeOptions } from "../subscription.ts";
import type { TransportName } from "../transports/transport.ts";

/** A tab's name, for as long as it is there. */
export type Tab = string;

export type Note =
  /** Who leads? Also: are you still there? */
  | { kind: "who" }
  /** I lead since then: said in answer, and whenever something of it changes. `keys`: what I follow already. */
  | {
      kind: "lead";
      tab: Tab;
      since: number;
      status: Status;
      transport?: TransportName | undefined;
      welcome?: Welcome | undefined;
      keys: string[];
    }
  /** To the leader. */
  | { kind: "send"; tab: Tab; wish: Wish }
  /** From the leader: to all who follow that, or to one tab. */
  | { kind: "got"; since: number; key?: string | undefined; to?: Tab | undefined; message: ServerMessage }
  /** Try again after a refusal. */
  | { kind: "start" }
  /** Logged out: all of us. */
  | { kind: "end"; message: string };

/** What a tab wants of the leader. `key` names a subscription for all tabs. */
export type Wish =
  | {
      type: "follow";
      key: string;
      options: SubscribeOptions;
      cursor: string | undefined;
      /** What belongs to the cursor, for a leader that has it not. */
      held: Records | undefined;
    }
  | { type: "leave"; key: string }
  | { type: "command"; command: Command & { ref?: Name } };

/** An error loses its class and its code on the way to another tab, unless it goes as a plain object. */
export function plain(status: Status): Status {
  if (status.state !== "refused") return status;
  const { code, message, retryable } = status.error;
  return { state: "refused", error: { code, message, retryable } as HeadwayError };
}

/** Always another object: who compares with what was told before sees that something was told. */
export function revived(status: Status): Status {
  if (status.state !== "refused") return { ...status };
  const { code, message, retryable } = status.error;
  return { state: "refused", error: new HeadwayError(code, message, retryable) };
}
