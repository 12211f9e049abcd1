import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Subscription } from "../../src/client/index.ts";
import { Browser, type Page } from "../browser.ts";
import { channel, revs, tabs, welcome } from "./followers.ts";
import { change, snapshot, task } from "./messages.ts";

let browser: Browser;
beforeEach(() => {
  browser = new Browser();
});

describe("one connection", () => {
  test("a second tab has its view at once, without asking the server", async () => {
    const { pages, subscriptions, leader } = await tabs(browser, 3);
    expect(browser.connections).toHaveLength(1);
    expect(leader.socket.types()).toEqual(["subscribe"]);
    expect(subscriptions.map(revs)).toEqual(["a1", "a1", "a1"]);
    expect(pages.map(({ client }) => client.status.state)).toEqual(["live", "live", "live"]);
    expect(pages.map(({ client }) => client.transport)).toEqual(["websocket", "websocket", "websocket"]);
    expect(pages[2]?.client.welcome?.user).toBe("ada");
    expect(pages[2]?.client.serverNow()).toBe(pages[0]?.client.serverNow());
  });

  test("every tab hears each change once", async () => {
    const { subscriptions, events, leader } = await tabs(browser, 3);
    leader.socket.say(change("e.2", task("a", 2)));
    await browser.settle();
    expect(subscriptions.map(revs)).toEqual(["a2", "a2", "a2"]);
    expect(events.map((heard) => heard.length)).toEqual([2, 2, 2]);
    expect(subscriptions.map(({ cursor }) => cursor)).toEqual(["e.2", "e.2", "e.2"]);
  });

  test("what only one tab follows goes to that tab, and ends with it", async () => {
    const { pages, leader } = await tabs(browser, 2);
    const only = pages[1]?.client.subscribe({ task: "x" }) as Subscription;
    await browser.settle();
    expect(leader.socket.last("subscribe")).toMatchObject({ id: 2, task: "x" });
    leader.socket.say(snapshot("f.1", [task("x", 1)], true, 2));
    await browser.settle();
    expect(revs(only)).toBe("x1");
    only.close();
    await browser.settle();
    expect(leader.socket.last("unsubscribe")).toMatchObject({ id: 2 });
  });

  test("a subscription ends when the last tab leaves it", async () => {
    const { subscriptions, leader } = await tabs(browser, 2);
    subscriptions[0]?.close();
    await browser.settle();
    expect(leader.socket.last("unsubscribe")).toBeUndefined();
    subscriptions[1]?.close();
    await browser.settle();
    expect(leader.socket.last("unsubscribe")).toMatchObject({ id: 1 });
  });

  test("what a tab follows twice goes on when one of the two is closed", async () => {
    const { pages, subscriptions, leader } = await tabs(browser, 2);
    const again = pages[1]?.client.subscribe(channel) as Subscription;
    await browser.settle();
    expect(revs(again)).toBe("a1");
    subscriptions[0]?.close();
    subscriptions[1]?.close();
    await browser.settle();
    leader.socket.say(change("e.2", task("a", 2)));
    await browser.settle();
    expect(revs(again)).toBe("a2");
    again.close();
    await browser.settle();
    expect(leader.socket.last("unsubscribe")).toMatchObject({ id: 1 });
  });

  test("a tab that dies takes its subscriptions along", async () => {
    const { pages, leader } = await tabs(browser, 2);
    pages[1]?.client.subscribe({ task: "x" });
    await browser.settle();
    pages[1]?.kill();
    await browser.settle();
    expect(leader.socket.last("unsubscribe")).toMatchObject({ id: 2 });
    expect(browser.connections).toHaveLength(1);
  });

  test("each log is a subscription of its own", async () => {
    const { pages, leader } = await tabs(browser, 2);
    const lines: unknown[][] = [[], []];
    for (const [place, page] of pages.entries()) {
      page.client.subscribe({ task: "x", log: 0 }, (event) => {
        if (event.type === "log") lines[place]?.push(...event.entries);
      });
    }
    await browser.settle();
    const asked = leader.socket.sent.filter(({ log }) => log === 0);
    expect(asked).toHaveLength(2);
    const entries = [{ at: 1, level: "info", text: "hello" }];
    leader.socket.say({ type: "log", id: asked[1]?.id, task: "x", offset: 0, next: 1, entries });
    await browser.settle();
    expect(lines).toEqual([[], entries]);
  });

  test("commands go by the leader, and their answers come back", async () => {
    const { pages, leader } = await tabs(browser, 2);
    const follower = (pages[1] as Page).client;
    const cancelled = follower.cancel("a");
    const paused = expect(follower.pause("a")).rejects.toMatchObject({ code: 106, message: "No.", retryable: false });
    await browser.settle();
    leader.socket.say({ type: "ok", ref: 1, task: task("a", 2, "cancelled") });
    leader.socket.say({ type: "error", ref: 2, code: 106, message: "No.", retryable: false });
    await browser.settle();
    await expect(cancelled).resolves.toMatchObject({ state: "cancelled" });
    await paused;
  });

  test("a refused subscription is refused in every tab, in those that come later too", async () => {
    const { pages, leader } = await tabs(browser, 2);
    const one = pages[1]?.client.subscribe({ channel: "user:bob" }) as Subscription;
    await browser.settle();
    leader.socket.say({ type: "error", id: 2, code: 104, message: "Not found.", retryable: false });
    await browser.settle();
    const two = pages[0]?.client.subscribe({ channel: "user:bob" }) as Subscription;
    await browser.settle();
    expect([one, two].map(({ state, error }) => [state, error?.code])).toEqual([
      ["refused", 104],
      ["refused", 104],
    ]);
  });

  test("every tab is told that the login is about to end", async () => {
    const { pages, leader } = await tabs(browser, 2);
    const told = pages.map(({ client }) => {
      const listener = vi.fn();
      client.on("expiring", listener);
      return listener;
    });
    leader.socket.say({ type: "expiring", in: 60 });
    await browser.settle();
    for (const listener of told) expect(listener.mock.calls).toEqual([[60]]);
  });

  test("a reconnection is one for all, and says so in all", async () => {
    const { pages, subscriptions, leader } = await tabs(browser, 2);
    leader.socket.end(1006);
    await browser.settle();
    expect(pages.map(({ client }) => client.status.state)).toEqual(["reconnecting", "reconnecting"]);
    await browser.pass(1000);
    welcome(leader);
    expect(leader.socket.last("subscribe")).toMatchObject({ cursor: "e.1" });
    leader.socket.say(snapshot("e.5", [task("b", 5)], false));
    await browser.settle();
    expect(subscriptions.map(revs)).toEqual(["a1 b5", "a1 b5"]);
    expect(pages.map(({ states }) => states.at(-1))).toEqual(["live", "live"]);
  });

  test("another door is told in every tab, as a status that is not the one before", async () => {
    const { pages, leader } = await tabs(browser, 2);
    leader.socket.end(1006);
    while (browser.world.asked("/events") === 0) {
      await browser.pass(500);
      if (!leader.socket.over) leader.socket.end(1006);
    }
    browser.world.request("/events").stream();
    browser.world.request("/events").say(snapshot("e.2", [], false));
    await browser.settle();
    expect(pages.map(({ client }) => client.transport)).toEqual(["events", "events"]);
    const told = pages.map(({ client }) => {
      const before = client.status;
      const listener = vi.fn((status) => expect(status).not.toBe(before));
      client.on("status", listener);
      return listener;
    });
    await browser.pass(30_000);
    welcome(leader);
    await browser.settle();
    expect(pages.map(({ client }) => client.transport)).toEqual(["websocket", "websocket"]);
    for (const listener of told) expect(listener).toHaveBeenLastCalledWith({ state: "live" });
  });

  test("no token is ever said between tabs, and clients with one keep to themselves", async () => {
    await tabs(browser, 2);
    const own = browser.open({ token: "secret" });
    own.client.subscribe(channel);
    await browser.settle();
    expect(own.sockets).toHaveLength(1);
    expect(browser.connections).toHaveLength(2);
    const turned = browser.pages[1] as Page;
    turned.client.setToken("secret too");
    await browser.settle();
    expect(turned.sockets).toHaveLength(1);
    expect(JSON.stringify(browser.said)).not.toContain("secret");
  });

  test.each([
    ["asked not to", { share: false }],
    ["without locks", { locks: undefined }],
    ["without channels", { channel: undefined }],
    ["of another origin", { origin: "http://shop.test" }],
  ])("a tab %s has its own", async (_, options) => {
    await tabs(browser, 1);
    const own = browser.open(options);
    own.client.subscribe(channel);
    await browser.settle();
    expect(own.sockets).toHaveLength(1);
  });

  test("a tab that cannot learn who it is has its own", async () => {
    const page = browser.open();
    page.client.subscribe(channel);
    await browser.world.settle();
    browser.world.request("/api/me").fail();
    await browser.world.settle();
    expect(page.sockets).toHaveLength(1);
    const slow = browser.open();
    slow.client.subscribe(channel);
    await browser.world.pass(3_000);
    expect(slow.sockets).toHaveLength(1);
  });

  test("tabs of different users do not meet", async () => {
    await tabs(browser, 1);
    browser.user = "bob";
    const other = browser.open();
    const subscription = other.client.subscribe(channel);
    await browser.settle();
    expect(other.sockets).toHaveLength(1);
    expect(subscription.tasks.size).toBe(0);
  });
});

describe("the end", () => {
  test("logging out ends all tabs, and none comes back by itself", async () => {
    const { pages } = await tabs(browser, 3);
    pages[1]?.client.closeEverywhere("Logged out.");
    await browser.settle();
    expect(browser.connections).toHaveLength(0);
    expect(pages.map(({ client }) => client.status.state)).toEqual(["refused", "closed", "refused"]);
    expect(pages[2]?.client.status).toMatchObject({ error: { code: 401, message: "Logged out." } });
    await browser.pass(60_000);
    expect(browser.pages.flatMap(({ sockets }) => sockets)).toHaveLength(1);
    // Somebody who has logged in again can go on.
    pages[2]?.client.connect();
    await browser.settle();
    expect(pages[2]?.sockets).toHaveLength(1);
  });

  test("a refusal reaches all tabs, and any of them can try again", async () => {
    const { pages, leader } = await tabs(browser, 2);
    leader.socket.end(4402, "Expired.");
    await browser.settle();
    expect(pages.map(({ client }) => client.status)).toMatchObject([
      { state: "refused", error: { code: 402, message: "Expired." } },
      { state: "refused", error: { code: 402, message: "Expired." } },
    ]);
    await browser.pass(60_000);
    expect(leader.sockets).toHaveLength(1);
    pages[1]?.client.connect();
    await browser.settle();
    expect(leader.sockets).toHaveLength(2);
    welcome(leader);
    await browser.settle();
    expect(pages[1]?.client.status.state).toBe("live");
  });

  test("a connection that is suddenly somebody else's is shown to nobody", async () => {
    const { pages, leader } = await tabs(browser, 2);
    leader.socket.end(1006);
    await browser.pass(1000);
    browser.user = "bob";
    welcome(leader);
    await browser.settle();
    expect(pages.map(({ client }) => client.status.state)).toEqual(["refused", "refused"]);
    expect(browser.connections).toHaveLength(0);
  });

  test("closing before anything was asked leaves nothing behind", async () => {
    const page = browser.open();
    page.client.subscribe(channel);
    page.client.close();
    await browser.pass(10_000);
    expect(page.sockets).toHaveLength(0);
    expect(browser.channels.size).toBe(0);
    const listener = vi.fn();
    page.client.on("status", listener);
    await browser.pass(10_000);
    expect(listener).not.toHaveBeenCalled();
  });
});
