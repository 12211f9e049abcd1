/** What can go wrong, as `spec/wire.md` §6 numbers it. */

/** The server gave no answer in time. Only clients use it: 0 is no code of the wire. */
export const NO_ANSWER = 0;
/** The client was closed by its own side. */
export const CLIENT_CLOSED = 1;
export const NOT_FOUND = 104;
export const UNAUTHENTICATED = 401;
export const TOKEN_EXPIRED = 402;

export class HeadwayError extends Error {
  /** The number in `spec/wire.md` §6, or one of this file's. */
  readonly code: number;
  /** Whether the same request can succeed later, unchanged. */
  readonly retryable: boolean;

  constructor(code: number, message: string, retryable: boolean) {
    super(message);
    this.name = "HeadwayError";
    this.code = code;
    this.retryable = retryable;
  }
}

/** The error that a close code of 4000 and more stands for; `undefined` for WebSocket's own codes. */
export function errorOfClose(closeCode: number, reason: string): HeadwayError | undefined {
  const code = closeCode - 4000;
  if (code < 100 || code > 999) return undefined;
  return new HeadwayError(code, reason || `The server closed the connection (${code}).`, endsForGood(code) === false);
}

/** Whether a code says "do not reconnect before something changed": the range 4xx. */
export function endsForGood(code: number): boolean {
  return code >= 400 && code < 500;
}
