/** Everything the client asks of the world. It is handed in, so that tests patch nothing and never sleep. */

/** The part of `WebSocket` that is used. */
export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  onerror: (() => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

export type SocketClass = new (url: string, protocols: string[]) => Socket;

/** The part of `LockManager` that is used. */
export interface Locks {
  request(name: string, options: LockOptions, held: () => Promise<void>): Promise<unknown>;
}

/** The part of `BroadcastChannel` that is used. */
export interface Channel {
  onmessage: ((event: { data: unknown }) => void) | null;
  postMessage(data: unknown): void;
  close(): void;
}

export interface Environment {
  WebSocket: SocketClass;
  fetch: typeof fetch;
  /** Of the page; `undefined` where there is none. */
  origin: string | undefined;
  /** Loads what only pages need that cannot have a WebSocket. */
  lowerDoors(): Promise<typeof import("./transports/lower.ts")>;
  /** Unix milliseconds. */
  now(): number;
  /** From 0 to 1. */
  random(): number;
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  /** Call `listener` when the network is back or the page became visible; returns how to stop. */
  onWake(listener: () => void): () => void;
  /** Whether somebody may see the page. */
  visible(): boolean;
  /** Between the tabs of a browser; `undefined` where it has none, as on pages without https. */
  locks: Locks | undefined;
  channel: ((name: string) => Channel) | undefined;
}

export function browserEnvironment(): Environment {
  return {
    WebSocket: globalThis.WebSocket as unknown as SocketClass,
    // Not the function itself: it must not be called as a method of anything but the window.
    fetch: (input, init) => globalThis.fetch(input, init),
    lowerDoors: () => import("./transports/lower.ts"),
    origin: globalThis.location?.origin,
    now: () => Date.now(),
    random: () => Math.random(),
    setTimeout: (callback, ms) => globalThis.setTimeout(callback, ms),
    clearTimeout: (timer) => globalThis.clearTimeout(timer as number),
    onWake,
    visible: () => globalThis.document?.visibilityState !== "hidden",
    locks: globalThis.navigator?.locks,
    channel: globalThis.BroadcastChannel && ((name) => new BroadcastChannel(name) as Channel),
  };
}

function onWake(listener: () => void): () => void {
  // Not in a browser (a service, a test): nothing falls asleep.
  if (typeof addEventListener !== "function" || typeof document === "undefined") return () => {};
  const visible = () => {
    if (document.visibilityState === "visible") listener();
  };
  addEventListener("online", listener);
  document.addEventListener("visibilitychange", visible);
  return () => {
    removeEventListener("online", listener);
    document.removeEventListener("visibilitychange", visible);
  };
}
