/** What both elements do: borrow a client, subscribe, tick once a second while something runs, say where the connection stands. */

import { type HeadwayClient, socketAddress } from "../client/client.ts";
import type { SubscribeOptions, Subscription, SubscriptionEvent } from "../client/subscription.ts";
import { clockText } from "../present/estimate.ts";
import { type Language, languageOf, words } from "../present/words.ts";
import { node, setAttribute, setText } from "./dom.ts";
import { borrow, renew } from "./shared.ts";
import { dress } from "./styles.ts";

// Where this script came from is where the server is. In a variable, or the bundler takes the address for a file.
const script = import.meta.url;

export abstract class Following extends HTMLElement {
  protected readonly body = node("div", "body");
  readonly #connection = node("p", "connection");
  readonly #said = node("p", "said");
  protected subscription: Subscription | undefined;
  #client: HeadwayClient | undefined;
  #given: HeadwayClient | undefined;
  /** Not `isConnected`: for an element that was in the page before the script, that is true before its attributes are. */
  #inPage = false;
  #letGo: (() => void)[] = [];
  #ticking: ReturnType<typeof setInterval> | undefined;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    dress(root, this.styles);
    setAttribute(this.#said, "role", "status");
    setAttribute(this.#said, "aria-live", "polite");
    root.append(this.body, this.#connection, this.#said);
  }

  /** What to subscribe to; `undefined` while neither the attributes nor the server say. */
  protected abstract wanted(): SubscribeOptions | undefined;
  /** Whether the server's `welcome` says what to subscribe to. */
  protected get waitsForWelcome(): boolean {
    return false;
  }
  /** Styles of its own. */
  protected get styles(): string {
    return "";
  }
  /** Show the subscription as it is now. */
  protected abstract render(): void;
  protected abstract received(event: SubscriptionEvent): void;
  /** Whether what is shown changes by the mere passing of time. */
  protected abstract get running(): boolean;

  /** The client in use. A page may give one of its own. */
  get client(): HeadwayClient | undefined {
    return this.#client;
  }

  set client(client: HeadwayClient | undefined) {
    this.#given = client;
    this.restart();
  }

  get language(): Language {
    return languageOf(this.closest<HTMLElement>("[lang]")?.lang || navigator.language);
  }

  connectedCallback(): void {
    this.#inPage = true;
    // A script that imports this one runs right after it: its client comes before we make one of our own.
    queueMicrotask(() => {
      if (!this.#client) this.restart();
    });
  }

  disconnectedCallback(): void {
    this.#inPage = false;
    this.#stop();
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (before !== after && !(name === "token" && this.#renew(before, after))) this.restart();
  }

  protected restart(): void {
    if (!this.#inPage) return;
    this.#stop();
    this.#start();
  }

  protected say(text: string): void {
    if (text) this.#said.textContent = text;
  }

  protected fire(name: string, detail: unknown): boolean {
    return this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true, cancelable: true }));
  }

  /** Render now and keep the time going while something runs. */
  protected refresh(): void {
    this.render();
    setText(this.#connection, this.connectionText);
    if (this.running && this.#ticking === undefined) this.#ticking = setInterval(() => this.refresh(), 1000);
    else if (!this.running) this.#stopTicking();
  }

  #start(): void {
    if (!this.wanted() && !this.waitsForWelcome) return;
    if (this.#given) this.#client = this.#given;
    else {
      const { client, giveBack } = borrow(this.#server, this.getAttribute("token") ?? undefined);
      this.#client = client;
      this.#letGo.push(giveBack);
    }
    this.#letGo.push(this.#client.on("status", () => this.refresh()));
    this.#letGo.push(this.#client.on("expiring", (seconds) => this.fire("headway-expiring", seconds)));
    if (this.waitsForWelcome) this.#letGo.push(this.#client.on("welcome", () => this.#follow()));
    this.#follow();
    this.#client.connect();
    this.refresh();
  }

  #follow(): void {
    const options = this.wanted();
    if (!options || JSON.stringify(options) === JSON.stringify(this.subscription?.options)) return;
    this.subscription?.close();
    this.subscription = this.#client?.subscribe(options, (event) => {
      this.received(event);
      this.refresh();
    });
  }

  /** Whether the connection goes on with another token of the same somebody. */
  #renew(before: string | null, after: string | null): boolean {
    if (!this.#inPage || this.#given || before === null || after === null) return false;
    return renew(this.#server, before, after);
  }

  get #server(): string {
    return socketAddress(this.getAttribute("server") ?? new URL(".", script).href);
  }

  #stop(): void {
    this.subscription?.close();
    this.subscription = undefined;
    for (const letGo of this.#letGo.splice(0)) letGo();
    this.#client = undefined;
    this.#stopTicking();
  }

  #stopTicking(): void {
    clearInterval(this.#ticking);
    this.#ticking = undefined;
  }

  /** What is to be said of the connection; empty while all is well. */
  protected get connectionText(): string {
    const said = words[this.language];
    const status = this.#client?.status;
    if (status?.state === "refused") return said.refused;
    if (status?.state === "reconnecting") {
      return said.reconnecting(status.asOf === undefined ? undefined : clockText(status.asOf, this.language));
    }
    if (status?.state === "connecting" && (this.subscription?.state ?? "waiting") === "waiting") return said.connecting;
    if (this.subscription?.error?.code === 104) return said.notFound;
    return this.subscription?.state === "refused" ? (this.subscription.error?.message ?? "") : "";
  }
}
