/** What both elements do: borrow a client, subscribe, tick once a second while something runs, say where the connection stands. */

import { type HeadwayClient, socketAddress } from "../client/client.ts";
import type { SubscribeOptions, Subscription, SubscriptionEvent } from "../client/subscription.ts";
import { clockText } from "../present/estimate.ts";
import { type Language, languageOf, words } from "../present/words.ts";
import { node, setAttribute, setText } from "./dom.ts";
import { borrow } from "./shared.ts";
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
    dress(root);
    setAttribute(this.#said, "role", "status");
    setAttribute(this.#said, "aria-live", "polite");
    root.append(this.body, this.#connection, this.#said);
  }

  /** What to subscribe to; `undefined` while the attributes do not say. */
  protected abstract wanted(): SubscribeOptions | undefined;
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
    this.restart();
  }

  disconnectedCallback(): void {
    this.#inPage = false;
    this.#stop();
  }

  attributeChangedCallback(): void {
    this.restart();
  }

  protected restart(): void {
    if (!this.#inPage) return;
    this.#stop();
    this.#start();
  }

  protected say(text: string): void {
    if (text) this.#said.textContent = text;
  }

  /** Render now and keep the time going while something runs. */
  protected refresh(): void {
    this.render();
    this.#showConnection();
    if (this.running && this.#ticking === undefined) this.#ticking = setInterval(() => this.refresh(), 1000);
    else if (!this.running) this.#stopTicking();
  }

  #start(): void {
    const options = this.wanted();
    if (!options) return;
    if (this.#given) this.#client = this.#given;
    else {
      const server = this.getAttribute("server") ?? new URL(".", script).href;
      const { client, giveBack } = borrow(socketAddress(server), this.getAttribute("token") ?? undefined);
      this.#client = client;
      this.#letGo.push(giveBack);
    }
    this.#letGo.push(this.#client.on("status", () => this.refresh()));
    this.subscription = this.#client.subscribe(options, (event) => {
      this.received(event);
      this.refresh();
    });
    this.refresh();
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

  #showConnection(): void {
    const said = words[this.language];
    const status = this.#client?.status;
    let text = "";
    if (status?.state === "refused") text = said.refused;
    else if (status?.state === "reconnecting") {
      text = said.reconnecting(status.asOf === undefined ? undefined : clockText(status.asOf, this.language));
    } else if (status?.state === "connecting" && this.subscription?.state === "waiting") text = said.connecting;
    else if (this.subscription?.error?.code === 104) text = said.notFound;
    else if (this.subscription?.state === "refused") text = this.subscription.error?.message ?? "";
    setText(this.#connection, text);
  }
}
