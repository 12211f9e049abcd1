/** The reader's notifications, for the bell. */

import { signal } from "@preact/signals";
import type { HeadwayClient, Notification } from "../../client/index.ts";
import { ownAddress } from "../../elements/inbox-entry.ts";
import { Inbox } from "../../inbox/inbox.ts";
import { popUp } from "../../inbox/popups.ts";
import { plainText } from "../../present/text.ts";
import { speak } from "./announcer.ts";
import { go, href, taskPath } from "./location.ts";
import { said } from "./settings.ts";

export const inbox = signal<Inbox | undefined>(undefined);
/** Told with each change of it. */
export const inboxVersion = signal(0);

export function openInbox(client: HeadwayClient): Inbox {
  closeInbox();
  const opened = new Inbox(client, {
    changed: () => {
      inboxVersion.value += 1;
    },
    arrived: (notification) => arrived(client, notification),
  });
  inbox.value = opened;
  return opened;
}

export function closeInbox(): void {
  inbox.peek()?.close();
  inbox.value = undefined;
}

/** To its task, where it has one: a bell is there to lead to what happened. */
export function addressOf(notification: Notification): string | undefined {
  return notification.task === null ? ownAddress(notification) : href(taskPath(notification.task));
}

function arrived(client: HeadwayClient, notification: Notification): void {
  const { id, title, task } = notification;
  speak(said.peek().announceNotification(plainText(title)));
  popUp(notification, client.url, () => {
    const address = addressOf(notification);
    void client.read([id]).catch(() => undefined);
    if (task !== null) go(taskPath(task));
    else if (address !== undefined) location.assign(address);
  });
}
