/**
 * A tab's place among those of the same browser, server and user.
 *
 * Whoever holds a lock leads. The browser takes it from a tab that is gone and gives it to the next in line. A second
 * lock for each tab tells the leader when that tab is gone. A leader that does not answer while somebody looks at
 * another tab (frozen, or stopped in a debugger) loses the lead to that tab.
 */

import type { Channel, Environment, Locks } from "../environment.ts";
import { isObject } from "../model.ts";
import { Rest } from "../transports/rest.ts";
import type { Note, Tab } from "./notes.ts";

/** For the question who we are, and the first lock. */
const JOIN_MS = 3_000;
/** Between two looks at whether the leader lives, which may fail to answer so many. */
export const LOOK_MS = 1_500;
const MISSES = 3;

/** What sharing needs, where the browser has it. */
export interface Sharing {
  locks: Locks;
  channel(name: string): Channel;
}

export interface MembershipEvents {
  /** There is none: we are refused, the server is away, or the browser does not let us. */
  failed(): void;
  note(note: Note): void;
  lead(): void;
  /** Another has taken the lead. */
  resign(): void;
}

export class Membership {
  /** Names this tab, for as long as it is there. */
  readonly tab: Tab;
  user: unknown;
  readonly #environment: Environment;
  readonly #sharing: Sharing;
  readonly #events: MembershipEvents;
  /** Ends what is asked of the world for this membership. */
  readonly #end = new AbortController();
  readonly #watched = new Set<Tab>();
  #name = "";
  #channel: Channel | undefined;
  #leading = false;
  #missed = 0;
  #looking: unknown;
  #stopWaking: (() => void) | undefined;

  constructor(environment: Environment, sharing: Sharing, events: MembershipEvents) {
    this.tab = `${environment.now().toString(36)}-${environment.random().toString(36).slice(2)}`;
    this.#environment = environment;
    this.#sharing = sharing;
    this.#events = events;
  }

  /** @param base the server's address. */
  async join(base: string): Promise<void> {
    const { signal } = this.#end;
    const fail = () => {
      if (signal.aborted) return;
      this.leave();
      this.#events.failed();
    };
    const timer = this.#environment.setTimeout(fail, JOIN_MS);
    try {
      // A cookie can change its owner: those who are somebody else must not meet.
      const me = await new Rest(base, this.#environment).json("GET", "api/me", undefined, signal);
      if (!isObject(me) || !me.user) throw new Error("Nobody");
      this.user = me.user;
      this.#name = `headway.1 ${base} ${me.user}`;
      await new Promise<void>((resolve, reject) => {
        this.#lock(this.#life(this.tab), { signal }, () => {
          resolve();
          return this.#ended();
        }).catch(reject);
      });
      this.#channel = this.#sharing.channel(this.#name);
    } catch {
      fail();
      return;
    } finally {
      this.#environment.clearTimeout(timer);
    }
    this.#channel.onmessage = ({ data }) => this.#events.note(data as Note);
    this.#stopWaking = this.#environment.onWake(() => this.#look());
    this.#queue();
    this.#look();
  }

  /** Tell the other tabs. */
  tell(note: Note): void {
    this.#channel?.postMessage(note);
  }

  /** The leader was heard. */
  heard(): void {
    this.#missed = 0;
  }

  /** Call `gone` when this tab is. */
  watch(tab: Tab, gone: () => void): void {
    if (this.#watched.has(tab)) return;
    this.#watched.add(tab);
    this.#lock(this.#life(tab), { signal: this.#end.signal }, async () => {
      this.#watched.delete(tab);
      gone();
    }).catch(() => undefined);
  }

  leave(): void {
    this.#end.abort();
    this.#channel?.close();
    this.#stopWaking?.();
    this.#environment.clearTimeout(this.#looking);
  }

  #life(tab: Tab): string {
    return `${this.#name} ${tab}`;
  }

  async #lock(name: string, options: LockOptions, held: () => Promise<void>): Promise<void> {
    await this.#sharing.locks.request(name, options, held);
  }

  #ended(): Promise<void> {
    return new Promise((resolve) => this.#end.signal.addEventListener("abort", () => resolve()));
  }

  /** Lead when everybody before us is gone. */
  #queue(): void {
    const { signal } = this.#end;
    this.#lock(this.#name, { signal }, () => this.#lead()).catch(() => {
      if (signal.aborted) return;
      this.#resign();
      this.#queue();
    });
  }

  #lead(): Promise<void> {
    this.#leading = true;
    this.#events.lead();
    return this.#ended();
  }

  #resign(): void {
    if (this.#end.signal.aborted || !this.#leading) return;
    this.#leading = false;
    this.#events.resign();
    this.#look();
  }

  /** See whether the leader lives, if anybody sees us. */
  #look(): void {
    this.#environment.clearTimeout(this.#looking);
    if (this.#leading || this.#end.signal.aborted) return;
    this.#looking = this.#environment.setTimeout(() => this.#look(), LOOK_MS);
    this.#missed = this.#environment.visible() ? this.#missed + 1 : 0;
    if (this.#missed <= MISSES) {
      this.tell({ kind: "who" });
      return;
    }
    this.#missed = 0;
    this.#lock(this.#name, { steal: true }, () => this.#lead()).catch(() => this.#resign());
  }
}
