/** The messages of `headway.v1` (`spec/wire.md` §3 and §4): types, encoding, and decoding that ignores what it does not know. */

import { isObject, type LogEntry, type Notification, readNotification, readTask, type Task } from "./model.ts";

export const PROTOCOL = "headway.v1";

export interface Filter {
  kind?: string;
  tag?: string;
  parent?: string;
}

export type CommandType = "cancel" | "pause" | "resume";
/** What is done with notifications. */
export type FilingType = "read" | "unread" | "archive";

/** A subscription's `id` or a command's `ref`. Our own are numbers; the wire allows both. */
export type Name = number | string;

export interface Subscribe {
  type: "subscribe";
  id: Name;
  channel?: string;
  task?: string;
  cursor?: string;
  filter?: Filter;
  max_hz?: number;
  log?: number;
}

export type ClientMessage =
  | { type: "auth"; token: string }
  | Subscribe
  | { type: "unsubscribe"; id: Name }
  | { type: CommandType; task: string; ref?: Name }
  | { type: FilingType; notifications: string[] | "all"; ref?: Name }
  | { type: "ping" };

export interface Welcome {
  type: "welcome";
  protocol: string;
  server: string;
  user: string;
  can: string[];
  channels: string[];
  /** Seconds. */
  heartbeat: number;
  now: number;
  expires_at?: number;
}

export interface Snapshot {
  type: "snapshot";
  id: Name;
  cursor: string;
  reset: boolean;
  more: boolean;
  tasks: Task[];
  notifications: Notification[];
  removed: string[];
  /** How many notifications of the channel are unread, those that are not in a snapshot too. */
  unread?: number;
}

export interface Change {
  type: "change";
  id: Name;
  cursor: string;
  task?: Task;
  notification?: Notification;
  removed?: string;
  unread?: number;
}

export interface Log {
  type: "log";
  id: Name;
  task: string;
  offset: number;
  next: number;
  trimmed: number;
  entries: LogEntry[];
}

export interface ErrorMessage {
  type: "error";
  code: number;
  message: string;
  retryable: boolean;
  id?: Name;
  ref?: Name;
}

export type ServerMessage =
  | Welcome
  | Snapshot
  | Change
  | Log
  | { type: "ok"; ref?: Name; task?: Task }
  | { type: "expiring"; in: number }
  | ErrorMessage
  | { type: "goodbye"; reason: string; reconnect_in: number }
  | { type: "heartbeat" | "pong"; now: number };

export function encode(message: ClientMessage): string {
  return JSON.stringify(message);
}

/** One server message; `undefined` for a type that is not known and for anything misshapen, which is then ignored. */
export function decode(data: unknown): ServerMessage | undefined {
  if (typeof data !== "string") return undefined;
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return undefined;
  }
  return isObject(value) ? readMessage(value) : undefined;
}

type Json = Record<string, unknown>;

/** `decode` for a value that is parsed already. */
export function readMessage(value: Json): ServerMessage | undefined {
  switch (value.type) {
    case "welcome":
      return readWelcome(value);
    case "snapshot":
      return readSnapshot(value);
    case "change":
      return readChange(value);
    case "log":
      return readLog(value);
    case "ok":
      return { type: "ok", ...(isName(value.ref) && { ref: value.ref }), task: readTask(value.task) };
    case "expiring":
      return { type: "expiring", in: number(value.in, 0) };
    case "error":
      return readError(value);
    case "goodbye":
      return {
        type: "goodbye",
        reason: string(value.reason),
        reconnect_in: Math.max(0, number(value.reconnect_in, 0)),
      };
    case "heartbeat":
    case "pong":
      return { type: value.type, now: number(value.now, 0) };
    default:
      return undefined;
  }
}

function readWelcome(value: Json): Welcome {
  const welcome: Welcome = {
    type: "welcome",
    protocol: string(value.protocol),
    server: string(value.server),
    user: string(value.user),
    can: strings(value.can),
    channels: strings(value.channels),
    heartbeat: Math.max(1, number(value.heartbeat, 25)),
    now: number(value.now, 0),
  };
  if (typeof value.expires_at === "number") welcome.expires_at = value.expires_at;
  return welcome;
}

function readSnapshot(value: Json): Snapshot | undefined {
  if (!isName(value.id) || typeof value.cursor !== "string") return undefined;
  return {
    type: "snapshot",
    id: value.id,
    cursor: value.cursor,
    reset: value.reset === true,
    more: value.more === true,
    tasks: list(value.tasks).flatMap((item) => readTask(item) ?? []),
    notifications: list(value.notifications).flatMap((item) => readNotification(item) ?? []),
    removed: strings(value.removed),
    ...unread(value),
  };
}

function readChange(value: Json): Change | undefined {
  if (!isName(value.id) || typeof value.cursor !== "string") return undefined;
  const change: Change = { type: "change", id: value.id, cursor: value.cursor, ...unread(value) };
  const task = readTask(value.task);
  const notification = readNotification(value.notification);
  if (task) change.task = task;
  else if (notification) change.notification = notification;
  else if (typeof value.removed === "string") change.removed = value.removed;
  return change;
}

function unread(value: Json): { unread?: number } {
  return typeof value.unread === "number" ? { unread: value.unread } : {};
}

function readLog(value: Json): Log | undefined {
  if (!isName(value.id) || typeof value.next !== "number") return undefined;
  return {
    type: "log",
    id: value.id,
    task: string(value.task),
    offset: number(value.offset, 0),
    next: value.next,
    trimmed: number(value.trimmed, 0),
    entries: list(value.entries)
      .filter(isObject)
      .map((entry) => ({ at: number(entry.at, 0), level: string(entry.level), text: string(entry.text) })),
  };
}

function readError(value: Json): ErrorMessage {
  const error: ErrorMessage = {
    type: "error",
    code: number(value.code, 0),
    message: string(value.message),
    retryable: value.retryable === true,
  };
  if (isName(value.id)) error.id = value.id;
  if (isName(value.ref)) error.ref = value.ref;
  return error;
}

function isName(value: unknown): value is Name {
  return typeof value === "number" || typeof value === "string";
}

function number(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}

function string(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function strings(value: unknown): string[] {
  return list(value).filter((item): item is string => typeof item === "string");
}
