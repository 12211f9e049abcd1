/** A world without time and network: the clock moves when told to, and the sockets are ours. */

import type { Environment, Socket } from "../src/client/environment.ts";
import * as lower from "../src/client/transports/lower.ts";
import { FakeRequest } from "./requests.ts";

type Message = Record<string, unknown> & { type: string };

export class FakeSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  readonly sent: Message[] = [];
  closedWith: number | undefined;

  constructor(
    readonly url: string,
    readonly protocols: string[],
  ) {}

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(code?: number): void {
    this.closedWith ??= code;
  }

  /** The server's side of it. */
  open(): void {
    this.onopen?.();
  }

  say(message: Message): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  welcome(fields: Record<string, unknown> = {}): void {
    this.say({ type: "welcome", protocol: "headway.v1", user: "ada", heartbeat: 25, now: 1000, ...fields });
  }

  end(code: number, reason = ""): void {
    this.onclose?.({ code, reason });
  }

  types(): string[] {
    return this.sent.map((message) => message.type);
  }

  last(type: string): Message | undefined {
    return this.sent.findLast((message) => message.type === type);
  }
}

export class World implements Environment {
  readonly sockets: FakeSocket[] = [];
  readonly WebSocket: Environment["WebSocket"];
  chance = 1;
  origin: string | undefined = undefined;
  readonly requests: FakeRequest[] = [];
  lowerDoors = async () => lower;
  locks: Environment["locks"] = undefined;
  channel: Environment["channel"] = undefined;
  seen = true;
  visible = (): boolean => this.seen;
  #now = 1_000_000;
  #timers = new Map<number, { at: number; callback: () => void }>();
  #nextTimer = 1;
  #wakers = new Set<() => void>();

  constructor() {
    const { sockets } = this;
    this.WebSocket = class extends FakeSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        sockets.push(this);
      }
    };
  }

  now = (): number => this.#now;
  random = (): number => this.chance;
  setTimeout = (callback: () => void, ms: number): unknown => {
    this.#timers.set(this.#nextTimer, { at: this.#now + ms, callback });
    return this.#nextTimer++;
  };
  clearTimeout = (timer: unknown): void => {
    this.#timers.delete(timer as number);
  };
  onWake = (listener: () => void): (() => void) => {
    this.#wakers.add(listener);
    return () => this.#wakers.delete(listener);
  };

  fetch: typeof fetch = (input, init = {}) => {
    const url = new URL(String(input));
    const request = new FakeRequest(init.method ?? "GET", url.pathname + url.search, init);
    this.requests.push(request);
    return request.response;
  };

  /** The newest request to this path. */
  request(path: string): FakeRequest {
    const request = this.requests.findLast((one) => one.path === path);
    if (!request) throw new Error(`Nobody asked for ${path}: ${this.requests.map((one) => one.path)}`);
    return request;
  }

  /** How often this path was asked for. */
  asked(path: string): number {
    return this.requests.filter((one) => one.path === path).length;
  }

  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error("No socket was opened.");
    return socket;
  }

  wake(): void {
    for (const listener of this.#wakers) listener();
  }

  /** Let promises that are ready run. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
  }

  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    await this.settle();
    for (;;) {
      const due = [...this.#timers].filter(([, timer]) => timer.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.#now = due[1].at;
      due[1].callback();
      await this.settle();
    }
    this.#now = end;
  }
}
