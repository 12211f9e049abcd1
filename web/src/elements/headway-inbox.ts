/** `<headway-inbox [token] [server] [quiet] [theme]>`: a bell, and whoever the token is for finds their notifications behind it. */

import type { Notification } from "../client/model.ts";
import type { SubscribeOptions, SubscriptionEvent } from "../client/subscription.ts";
import { Inbox } from "../inbox/inbox.ts";
import { popUp } from "../inbox/popups.ts";
import { plainText } from "../present/text.ts";
import { words } from "../present/words.ts";
import { Following } from "./following.ts";
import { ownAddress } from "./inbox-entry.ts";
import { inboxCss } from "./inbox-styles.ts";
import { InboxView } from "./inbox-view.ts";

/** Calm enough to read; a task's end still arrives at once. */
const HZ = 4;

/**
 * Fires `headway-notification` for each that arrives, `headway-open` when somebody goes where one leads (preventing it
 * keeps the browser here), and `headway-unread` with the number whenever that changes.
 */
export class HeadwayInbox extends Following {
  static readonly observedAttributes = ["token", "server"];

  readonly #view = new InboxView({
    address: ownAddress,
    followed: (notification, event) => {
      if (!this.fire("headway-open", notification)) event.preventDefault();
    },
    opened: () => this.refresh(),
  });
  #inbox: Inbox | undefined;
  #user: string | undefined;
  #told: number | undefined;

  constructor() {
    super();
    this.body.append(this.#view.element);
  }

  /** How many are unread. */
  get unread(): number {
    return this.#inbox?.unread ?? 0;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#view.toggle(false);
    this.#view.close();
  }

  protected override restart(): void {
    // Another server or another somebody: nothing of the first is shown to the second.
    this.#inbox?.close();
    this.#inbox = undefined;
    super.restart();
  }

  protected override get styles(): string {
    return inboxCss;
  }

  protected override get waitsForWelcome(): boolean {
    return true;
  }

  protected override get running(): boolean {
    return this.#view.isOpen;
  }

  protected override wanted(): SubscribeOptions | undefined {
    const user = this.client?.welcome?.user;
    return user ? { channel: `user:${user}`, maxHz: HZ } : undefined;
  }

  protected override received(event: SubscriptionEvent): void {
    const { client, subscription } = this;
    if (!client || !subscription) return;
    const user = client.welcome?.user;
    if (this.#inbox?.client !== client || this.#user !== user) {
      this.#inbox?.close();
      this.#inbox = new Inbox(client, {
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
    this.#view.show(inbox, this.language, this.connectionText);
    const unread = inbox?.unread;
    if (unread === undefined || unread === this.#told) return;
    this.#told = unread;
    this.fire("headway-unread", unread);
  }

  #arrived(notification: Notification): void {
    this.say(words[this.language].announceNotification(plainText(notification.title)));
    if (!this.fire("headway-notification", notification) || this.hasAttribute("quiet")) return;
    popUp(notification, this.client?.url ?? "", () => {
      const address = ownAddress(notification);
      void this.client?.read([notification.id]).catch(() => undefined);
      if (this.fire("headway-open", notification) && address !== undefined) location.assign(address);
    });
  }
}
