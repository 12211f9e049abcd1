/** `<headway-inbox [token] [server] [quiet] [theme]>`: a bell, and whoever the token is for finds their notifications behind it. */

import type { Notification } from "../client/model.ts";
import type { SubscribeOptions, SubscriptionEvent } from "../client/subscription.ts";
import type { Inbox } from "../inbox/inbox.ts";
import { words } from "../present/words.ts";
import { Following } from "./following.ts";
import type { InboxView } from "./inbox-view.ts";
import { dress } from "./styles.ts";

/** Calm enough to read; a task's end still arrives at once. */
const HZ = 4;

/** Its place in the page, until it is there. */
const css = `
:host { display: inline-block; margin: 0; vertical-align: middle; }
.body:empty { width: 32px; height: 32px; }
`;

/**
 * Fires `headway-notification` for each that arrives, `headway-open` when somebody goes where one leads (preventing it
 * keeps the browser here), and `headway-unread` with the number whenever that changes.
 */
export class HeadwayInbox extends Following {
  static readonly observedAttributes = ["token", "server"];

  #parts: typeof import("./inbox-parts.ts") | undefined;
  #view: InboxView | undefined;
  #inbox: Inbox | undefined;
  #user: string | undefined;
  #told: number | undefined;

  /** How many are unread. */
  get unread(): number {
    return this.#inbox?.unread ?? 0;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (!this.#parts) void this.#load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#view?.toggle(false);
    this.#view?.close();
  }

  protected override restart(): void {
    // Another server or another somebody: nothing of the first is shown to the second.
    this.#inbox?.close();
    this.#inbox = undefined;
    super.restart();
  }

  protected override get styles(): string {
    return css;
  }

  protected override get waitsForWelcome(): boolean {
    return this.#view !== undefined;
  }

  protected override get running(): boolean {
    return this.#view?.isOpen ?? false;
  }

  protected override wanted(): SubscribeOptions | undefined {
    const user = this.#view && this.client?.welcome?.user;
    return user ? { channel: `user:${user}`, maxHz: HZ } : undefined;
  }

  protected override received(event: SubscriptionEvent): void {
    const { client, subscription } = this;
    if (!client || !subscription || !this.#parts) return;
    const user = client.welcome?.user;
    if (this.#inbox?.client !== client || this.#user !== user) {
      this.#inbox?.close();
      this.#inbox = new this.#parts.Inbox(client, {
        changed: () => this.refresh(),
        arrived: (notification) => this.#arrived(notification),
      });
      this.#user = user;
    }
    this.#inbox.received(subscription, event);
  }

  protected override render(): void {
    // Who is refused is not shown any longer what came before.
    const inbox = this.client?.status.state === "refused" ? undefined : this.#inbox;
    this.#view?.show(inbox, this.language, this.connectionText);
    const unread = inbox?.unread;
    if (unread === undefined || unread === this.#told) return;
    this.#told = unread;
    this.fire("headway-unread", unread);
  }

  /** Pages without a bell do not load what only a bell needs. */
  async #load(): Promise<void> {
    const parts = await import("./inbox-parts.ts");
    if (this.#parts) return;
    this.#parts = parts;
    this.#view = new parts.InboxView({
      address: parts.ownAddress,
      followed: (notification, event) => {
        if (!this.fire("headway-open", notification)) event.preventDefault();
      },
      opened: () => this.refresh(),
    });
    if (this.shadowRoot) dress(this.shadowRoot, parts.inboxCss);
    this.body.append(this.#view.element);
    this.restart();
  }

  #arrived(notification: Notification): void {
    const parts = this.#parts;
    if (!parts) return;
    this.say(words[this.language].announceNotification(parts.plainText(notification.title)));
    if (!this.fire("headway-notification", notification) || this.hasAttribute("quiet")) return;
    parts.popUp(notification, this.client?.url ?? "", () => {
      const address = parts.ownAddress(notification);
      void this.client?.read([notification.id]).catch(() => undefined);
      if (this.fire("headway-open", notification) && address !== undefined) location.assign(address);
    });
  }
}
