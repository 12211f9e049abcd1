/** A browser with tabs: locks, channels, and pages that are closed, killed or frozen. One clock and one network for all. */

import { HeadwayClient } from "../src/client/client.ts";
import type { Channel, Environment, Locks } from "../src/client/environment.ts";
import { FakeSocket, World } from "./world.ts";

interface Waiting {
  page: Page;
  name: string;
  held: () => Promise<void>;
  resolve: () => void;
  reject: (reason: unknown) => void;
}

export class Browser {
  readonly world = new World();
  readonly pages: Page[] = [];
  readonly channels = new Map<string, Set<FakeChannel>>();
  /** Everything that was said between tabs. */
  readonly said: unknown[] = [];
  #holders = new Map<string, Waiting>();
  #queue: Waiting[] = [];
  user = "ada";

  constructor() {
    this.world.origin = "http://jobs.test";
  }

  open(options: Partial<ConstructorParameters<typeof HeadwayClient>[0]> = {}): Page {
    const page = new Page(this, this.pages.length, options);
    this.pages.push(page);
    return page;
  }

  /** Let everybody hear what was said, and answer who asks who they are. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 5; turn += 1) {
      await this.world.settle();
      for (const request of this.world.requests) if (request.path === "/api/me") request.answer({ user: this.user });
    }
    await this.world.settle();
  }

  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 500) {
      await this.world.pass(Math.min(500, left));
      await this.settle();
    }
  }

  /** Sockets that nobody closed. */
  get connections(): FakeSocket[] {
    return this.pages.flatMap(({ sockets, dead }) => (dead ? [] : sockets.filter((one) => !one.over)));
  }

  request(page: Page, name: string, options: LockOptions, held: () => Promise<void>): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const waiting = { page, name, held, resolve, reject };
      options.signal?.addEventListener("abort", () => {
        if (!this.#queue.includes(waiting)) return;
        this.#queue = this.#queue.filter((one) => one !== waiting);
        reject(new DOMException("", "AbortError"));
      });
      const holder = this.#holders.get(name);
      if (options.steal && holder) {
        this.#holders.delete(name);
        holder.page.run(() => holder.reject(new DOMException("", "AbortError")));
      }
      if (options.steal) this.#queue.unshift(waiting);
      else this.#queue.push(waiting);
      this.#grant();
    });
  }

  release(page: Page): void {
    this.#queue = this.#queue.filter((one) => one.page !== page);
    for (const [name, holder] of [...this.#holders]) if (holder.page === page) this.#holders.delete(name);
    this.#grant();
  }

  #grant(): void {
    for (const waiting of [...this.#queue]) {
      if (this.#holders.has(waiting.name)) continue;
      this.#queue = this.#queue.filter((one) => one !== waiting);
      this.#holders.set(waiting.name, waiting);
      void Promise.resolve()
        .then(() => waiting.held())
        .then(() => {
          waiting.resolve();
          if (this.#holders.get(waiting.name) === waiting) this.#holders.delete(waiting.name);
          this.#grant();
        });
    }
  }
}

export class PageSocket extends FakeSocket {
  get over(): boolean {
    return this.closedWith !== undefined || this.ended;
  }

  ended = false;

  override end(code: number, reason = ""): void {
    this.ended = true;
    super.end(code, reason);
  }
}

export class Page {
  readonly client: HeadwayClient;
  readonly sockets: PageSocket[] = [];
  readonly states: string[] = [];
  dead = false;
  frozen = false;
  visible = true;
  #backlog: (() => void)[] = [];

  constructor(
    readonly browser: Browser,
    number: number,
    options: Partial<ConstructorParameters<typeof HeadwayClient>[0]>,
  ) {
    const { world } = browser;
    const { sockets } = this;
    const environment: Environment = {
      ...world,
      WebSocket: class extends PageSocket {
        constructor(url: string, protocols: string[]) {
          super(url, protocols);
          sockets.push(this);
        }
      } as unknown as Environment["WebSocket"],
      random: () => (number + 1) / 64,
      setTimeout: (callback, ms) => world.setTimeout(() => this.run(callback), ms),
      visible: () => this.visible,
      locks: { request: (...asked) => browser.request(this, ...asked) } satisfies Locks,
      channel: (name) => new FakeChannel(this, name),
    };
    this.client = new HeadwayClient({ url: "http://jobs.test/", ...environment, ...options });
    this.client.on("status", ({ state }) => this.states.push(state));
  }

  get socket(): PageSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error("This page opened no socket.");
    return socket;
  }

  /** What happens in a page happens when it can. */
  run(callback: () => void): void {
    if (this.dead) return;
    if (this.frozen) this.#backlog.push(callback);
    else callback();
  }

  /** As a crash does, or closing the tab. */
  kill(): void {
    this.dead = true;
    this.browser.release(this);
  }

  thaw(): void {
    this.frozen = false;
    for (const callback of this.#backlog.splice(0)) callback();
  }
}

class FakeChannel implements Channel {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  #open = true;

  constructor(
    readonly page: Page,
    readonly name: string,
  ) {
    const { channels } = page.browser;
    if (!channels.has(name)) channels.set(name, new Set());
    channels.get(name)?.add(this);
  }

  postMessage(data: unknown): void {
    if (!this.#open || this.page.dead) return;
    this.page.browser.said.push(data);
    for (const other of this.page.browser.channels.get(this.name) ?? []) {
      if (other === this) continue;
      const copy = structuredClone(data);
      void Promise.resolve().then(() => other.page.run(() => other.#open && other.onmessage?.({ data: copy })));
    }
  }

  close(): void {
    this.#open = false;
    this.page.browser.channels.get(this.name)?.delete(this);
  }
}
