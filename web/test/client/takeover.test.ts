import { beforeEach, describe, expect, test } from "vitest";
import type { Subscription } from "../../src/client/index.ts";
import { Browser, type Page } from "../browser.ts";
import { revs, tabs, welcome } from "./followers.ts";
import { change, snapshot, task } from "./messages.ts";

let browser: Browser;
beforeEach(() => {
  browser = new Browser();
});

describe("takeover", () => {
  test("goes on from what the tabs hold: nothing lost, nothing twice, and one snapshot less", async () => {
    const { pages, subscriptions, events, leader } = await tabs(browser, 3);
    const alone = pages[2]?.client.subscribe({ task: "x" }) as Subscription;
    await browser.settle();
    leader.socket.say(snapshot("f.1", [task("x", 1)], true, 2));
    leader.socket.say(change("e.2", task("b", 2)));
    await browser.settle();
    leader.kill();
    await browser.settle();
    const next = pages[1] as Page;
    expect(browser.connections).toHaveLength(1);
    expect(pages[2]?.client.status.state).toBe("reconnecting");
    welcome(next);
    const asked = next.socket.sent.filter(({ type }) => type === "subscribe");
    expect(asked).toEqual([
      { type: "subscribe", id: 1, channel: "user:ada", cursor: "e.2" },
      { type: "subscribe", id: 2, task: "x", cursor: "f.1" },
    ]);
    next.socket.say(snapshot("e.4", [task("b", 4)], false));
    next.socket.say(snapshot("f.1", [], false, 2));
    await browser.settle();
    expect(subscriptions.slice(1).map(revs)).toEqual(["a1 b4", "a1 b4"]);
    expect(revs(alone)).toBe("x1");
    expect(events[2]?.flatMap((event) => (event.type === "records" ? [event.change.cursor] : []))).toEqual([
      "e.1",
      "e.2",
      "e.4",
    ]);
    expect(pages[2]?.states.at(-1)).toBe("live");
  });

  test("a tab that heard more than the new leader is not thrown back", async () => {
    const { pages, subscriptions, leader } = await tabs(browser, 3);
    const [, next, ahead] = pages as [Page, Page, Page];
    next.frozen = true;
    leader.socket.say(change("e.2", task("a", 2)));
    await browser.settle();
    expect(subscriptions.map(revs)).toEqual(["a2", "a1", "a2"]);
    // What was under way to it is lost with the leader.
    Object.assign(next, { run: (callback: () => void) => callback(), frozen: false });
    leader.kill();
    await browser.settle();
    welcome(next);
    expect(next.socket.last("subscribe")).toMatchObject({ cursor: "e.1" });
    await browser.settle();
    expect(revs(subscriptions[2] as Subscription)).toBe("a2");
    next.socket.say(snapshot("e.3", [task("c", 3), task("a", 2)], false));
    await browser.settle();
    expect(subscriptions.slice(1).map((one) => revs(one).split(" ").sort().join(" "))).toEqual(["a2 c3", "a2 c3"]);
    expect(ahead.client.status.state).toBe("live");
  });

  test("commands that wait are asked for again", async () => {
    const { pages, leader } = await tabs(browser, 2);
    const next = pages[1] as Page;
    const read = next.client.read("all");
    await browser.settle();
    leader.kill();
    await browser.settle();
    welcome(next);
    next.socket.say({ type: "ok", ref: next.socket.last("read")?.ref });
    await browser.settle();
    await expect(read).resolves.toBeUndefined();
  });

  test("a leader that is closed in order gives way at once", async () => {
    const { pages, leader } = await tabs(browser, 2);
    leader.client.close();
    expect(leader.socket.closedWith).toBe(1000);
    await browser.settle();
    expect(pages[1]?.sockets).toHaveLength(1);
  });

  test("a leader that is frozen loses the lead to a tab that somebody looks at", async () => {
    const { pages, subscriptions, leader } = await tabs(browser, 3);
    const [, hidden, seen] = pages as [Page, Page, Page];
    hidden.visible = false;
    leader.visible = false;
    leader.frozen = true;
    await browser.pass(9_000);
    expect(hidden.sockets).toHaveLength(0);
    welcome(seen);
    seen.socket.say(snapshot("e.7", [task("a", 7)], false));
    await browser.settle();
    expect(subscriptions.map(revs)).toEqual(["a1", "a7", "a7"]);
    // It wakes, says what it heard before, and learns that it leads no more.
    leader.socket.say(change("e.2", task("z", 2)));
    leader.thaw();
    await browser.settle();
    expect(leader.socket.over).toBe(true);
    expect(subscriptions.slice(1).map(revs)).toEqual(["a7", "a7"]);
    expect(revs(subscriptions[0] as Subscription)).toContain("a7");
    expect(browser.connections).toEqual([seen.socket]);
    seen.socket.say(change("e.8", task("a", 8)));
    await browser.settle();
    expect(subscriptions.map((one) => one.tasks.get("a")?.rev)).toEqual([8, 8, 8]);
    // And the next in line is one of those that are there.
    seen.kill();
    await browser.settle();
    expect(browser.connections).toHaveLength(1);
  });

  test("tabs that nobody looks at let a silent leader be", async () => {
    const { pages, leader } = await tabs(browser, 2);
    for (const page of pages) page.visible = false;
    leader.frozen = true;
    await browser.pass(60_000);
    expect(pages[1]?.sockets).toHaveLength(0);
  });

  test("a leader that has nothing to say keeps the lead", async () => {
    const { pages, leader } = await tabs(browser, 2);
    for (let beat = 0; beat < 8; beat += 1) {
      await browser.pass(10_000);
      leader.socket.say({ type: "heartbeat", now: 1 });
    }
    expect(pages[1]?.sockets).toHaveLength(0);
    expect(pages[1]?.states.filter((state) => state !== "connecting")).toEqual(["live"]);
  });
});
