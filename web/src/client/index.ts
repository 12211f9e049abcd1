/** What pages and programs import: the client, and the shapes of what it brings. */

export { type ClientOptions, HeadwayClient } from "./client.ts";
export type { Token } from "./credentials.ts";
export type { Environment } from "./environment.ts";
export { HeadwayError, TOKEN_EXPIRED } from "./errors.ts";
export {
  type Attempt,
  type Children,
  isFinal,
  type LogEntry,
  type Notification,
  type Progress,
  readTask,
  type Task,
  type TaskState,
} from "./model.ts";
export type { Filter } from "./protocol.ts";
export type { Status } from "./status.ts";
export type { SubscribeOptions, Subscription, SubscriptionEvent, SubscriptionState } from "./subscription.ts";
export type { TransportName } from "./transports/transport.ts";
