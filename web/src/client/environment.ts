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

export interface Environment {
  WebSocket: SocketClass;
  fetch: typeof fetch;
  /** Of the page; `undefined` where there is none. */
  origin: string | undefined;
  /** Unix milliseconds. */
  now(): number;
  /** From 0 to 1. */
  random(): number;
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  /** Call `listener` when the network is back or the page became visible; returns how to stop. */
  onWake(listener: () => void): () => void;
}

export function browserEnvironment(): Environment {
  return {
    WebSocket: globalThis.WebSocket as unknown as SocketClass,
    // Not the function itself: it must not be called as a method of anything but the window.
    fetch: (input, init) => globalThis.fetch(input, init),
    origin: globalThis.location?.origin,
    now: () => Date.now(),
    random: () => Math.random(),
    setTimeout: (callback, ms) => globalThis.setTimeout(callback, ms),
    clearTimeout: (timer) => globalThis.clearTimeout(timer as number),
    onWake,
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
