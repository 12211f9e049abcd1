/** Tabs of one browser that follow something, and what they hold. */

import type { Subscription, SubscriptionEvent } from "../../src/client/index.ts";
import type { Browser, Page } from "../browser.ts";
import { snapshot, task } from "./messages.ts";

export const channel = { channel: "user:ada" };

/** The page's connection is let in. */
export function welcome(page: Page) {
  page.socket.open();
  page.socket.welcome({ user: page.browser.user });
}

/** What a subscription holds: each task with its revision. */
export function revs({ tasks }: Subscription) {
  return [...tasks.values()].map(({ id, rev }) => `${id}${rev}`).join(" ");
}

/** So many tabs that follow the same channel, the first of which leads and is live. */
export async function tabs(browser: Browser, number: number) {
  const events: SubscriptionEvent[][] = [];
  const pages: Page[] = [];
  const subscriptions: Subscription[] = [];
  for (let place = 0; place < number; place += 1) {
    const page = browser.open();
    pages.push(page);
    const heard: SubscriptionEvent[] = [];
    events.push(heard);
    subscriptions.push(page.client.subscribe(channel, (event) => heard.push(event)));
    await browser.settle();
    if (place === 0) {
      welcome(page);
      page.socket.say(snapshot("e.1", [task("a", 1)], true));
    }
    await browser.settle();
  }
  return { pages, subscriptions, events, leader: pages[0] as Page };
}
