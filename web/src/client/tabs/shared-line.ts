/** A line that all tabs of a browser share: one connection, in the tab that leads. */

import type { HeadwayClient } from "../client.ts";
import { Connection } from "../connection.ts";
import type { Token } from "../credentials.ts";
import type { Environment } from "../environment.ts";
import { HeadwayError, UNAUTHENTICATED } from "../errors.ts";
import type { Line, LineEvents } from "../line.ts";
import type { ClientMessage, Name, ServerMessage } from "../protocol.ts";
import type { Status } from "../status.ts";
import { httpAddress } from "../transports/doors.ts";
import type { TransportName } from "../transports/transport.ts";
import { Leader } from "./leader.ts";
import { Membership, type Sharing } from "./membership.ts";
import { type Note, revived, type Wish } from "./notes.ts";

export class SharedLine implements Line {
  readonly #url: string;
  readonly #environment: Environment;
  readonly #events: LineEvents;
  readonly #sharing: Sharing;
  readonly #makeClient: () => HeadwayClient;

  #status: Status = { state: "connecting" };
  #transport: TransportName | undefined;
  #started = false;
  /** Instead of a place among the others. */
  #own: Connection | undefined;
  #membership: Membership | undefined;
  /** While this tab leads. */
  #leader: Leader | undefined;
  /** Which leader is listened to: since when it leads; 0 for none. */
  #since = 0;
  /** What it follows already. */
  #keys = new Set<string>();
  /** How our own subscriptions are called among the tabs. */
  readonly #named = new Map<Name, string>();
  #serial = 0;
  /** What the leader said last of itself. */
  #said = "";

  /** @param makeClient gives the client with which this tab leads. */
  constructor(
    url: string,
    environment: Environment,
    sharing: Sharing,
    events: LineEvents,
    makeClient: () => HeadwayClient,
  ) {
    this.#url = url;
    this.#environment = environment;
    this.#sharing = sharing;
    this.#events = events;
    this.#makeClient = makeClient;
  }

  get status(): Status {
    return this.#own?.status ?? this.#status;
  }

  get transport(): TransportName | undefined {
    return this.#own ? this.#own.transport : this.#transport;
  }

  start(): void {
    if (this.#own) this.#own.start();
    if (this.#own || this.#status.state === "closed" || (this.#started && this.#status.state !== "refused")) return;
    this.#started = true;
    this.#setStatus({ state: "connecting" });
    if (this.#membership) this.#tellAll({ kind: "start" });
    else {
      this.#membership = new Membership(this.#environment, this.#sharing, {
        failed: () => this.#goAlone(undefined),
        note: (note) => this.#hear(note),
        lead: () => this.#lead(),
        resign: () => this.#resign(),
      });
      void this.#membership.join(httpAddress(this.#url));
    }
  }

  send(message: ClientMessage): void {
    if (this.#own) this.#own.send(message);
    else if (message.type === "subscribe") this.#wishTo(message.id);
    else if (message.type === "unsubscribe") {
      const key = this.#named.get(message.id);
      this.#named.delete(message.id);
      // Two of our own may follow the same.
      if (key !== undefined && ![...this.#named.values()].includes(key)) this.#wish({ type: "leave", key });
    } else if (message.type !== "auth" && message.type !== "ping") this.#wish({ type: "command", command: message });
  }

  ping(passed: () => void): void {
    // What is under way between tabs is told apart by its key, not by the number.
    if (this.#own) this.#own.ping(passed);
    else passed();
  }

  setToken(token: Token | undefined): void {
    if (this.#own) this.#own.setToken(token);
    else if (token !== undefined && this.#status.state !== "closed") {
      // From now on the token says who we are, and not the cookie that the others go by.
      this.#leave();
      this.#goAlone(token);
    }
  }

  close(): void {
    this.#leave();
    if (this.#own) this.#own.close();
    else this.#setStatus({ state: "closed" });
  }

  /** End it in all the other tabs. */
  end(message: string): void {
    this.#membership?.tell({ kind: "end", message });
  }

  #goAlone(token: Token | undefined): void {
    this.#own = new Connection(this.#url, token, this.#environment, this.#events);
    this.#own.start();
  }

  #leave(): void {
    this.#leader?.close();
    this.#leader = undefined;
    this.#membership?.leave();
    this.#membership = undefined;
    this.#since = 0;
    this.#transport = undefined;
  }

  #lead(): void {
    const membership = this.#membership;
    if (!membership || this.#leader) return;
    const client = this.#makeClient();
    this.#since = Math.max(this.#environment.now(), this.#since + 1);
    this.#keys.clear();
    const leader = new Leader(client, membership.tab, this.#since, (note) => this.#tellAll(note));
    this.#leader = leader;
    client.on("welcome", ({ user }) => {
      if (user !== membership.user) this.#tellAll({ kind: "end", message: "Somebody else has logged in." });
    });
    client.connect();
    this.#events.opened();
    // After our own subscriptions, so that the others know what they need not bring.
    void Promise.resolve().then(() => leader.tell());
  }

  #resign(): void {
    this.#leader?.close();
    this.#leader = undefined;
  }

  #tellAll(note: Note): void {
    this.#membership?.tell(note);
    this.#hear(note);
  }

  /** Follow it, under its name: equal subscriptions have equal ones, but those with a log each have their own place. */
  #wishTo(id: Name): void {
    const subscription = this.#events.subscription(id);
    if (!subscription) return;
    const { cursor } = subscription;
    // With a log, from the line that comes next.
    const options = { ...subscription.options, ...("log" in subscription.options && { log: subscription.logNext }) };
    let key = this.#named.get(id);
    if (key === undefined) {
      this.#serial += 1;
      key = "log" in options ? `${this.#membership?.tab} ${this.#serial}` : JSON.stringify(options);
      this.#named.set(id, key);
    }
    const held = cursor !== undefined && !this.#keys.has(key) ? subscription.held : undefined;
    this.#wish({ type: "follow", key, options, cursor, held });
  }

  /** To the leader. Nothing while there is none: with the next everything is said again. */
  #wish(wish: Wish): void {
    const { tab } = this.#membership ?? {};
    if (this.#since === 0 || tab === undefined) return;
    if (!this.#leader) this.#membership?.tell({ kind: "send", tab, wish });
    // Later here too: nobody expects an answer before the call returns.
    else void Promise.resolve().then(() => this.#leader?.receive(tab, wish));
  }

  #hear(note: Note): void {
    switch (note.kind) {
      case "who":
        this.#leader?.tell();
        break;
      case "start":
        this.#leader?.start();
        break;
      case "send":
        if (!this.#leader) break;
        this.#membership?.watch(note.tab, () => this.#leader?.drop(note.tab));
        this.#leader.receive(note.tab, note.wish);
        break;
      case "lead":
        if (note.since >= this.#since) this.#follow(note);
        break;
      case "got":
        // A leader that was frozen may not know yet that it leads no more.
        if (note.since === this.#since && (note.to ?? this.#membership?.tab) === this.#membership?.tab) {
          this.#receive(note.key, note.message);
        }
        break;
      case "end":
        this.#leave();
        this.#setStatus({ state: "refused", error: new HeadwayError(UNAUTHENTICATED, note.message, false) });
    }
  }

  #follow({ since, keys, status, transport, welcome }: Note & { kind: "lead" }): void {
    this.#membership?.heard();
    const said = JSON.stringify([since, status, transport, { ...welcome, now: 0 }]);
    // Often it only says that it is still there.
    if (said === this.#said) return;
    this.#said = said;
    const fresh = since > this.#since;
    const wasLive = this.#transport !== undefined;
    this.#since = since;
    this.#transport = transport;
    if (fresh) this.#keys = new Set(keys);
    if (welcome && status.state === "live") this.#events.message(welcome);
    // Who had a leader does not begin with the next, but goes on.
    if (status.state !== "connecting") this.#setStatus(revived(status));
    else if (wasLive) this.#setStatus({ state: "reconnecting", asOf: this.#environment.now() });
    if (fresh) this.#events.opened();
  }

  #receive(key: string | undefined, message: ServerMessage): void {
    this.#membership?.heard();
    if (key === undefined) this.#events.message(message);
    for (const [id, name] of [...this.#named]) {
      if (name === key) this.#events.message({ ...message, id } as ServerMessage);
    }
  }

  #setStatus(status: Status): void {
    this.#status = status;
    this.#events.status(status);
  }
}
