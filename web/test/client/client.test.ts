import { beforeEach, describe, expect, test, vi } from "vitest";
import { HeadwayClient, socketAddress } from "../../src/client/client.ts";
import type { Status } from "../../src/client/index.ts";
import { World } from "../world.ts";
import { snapshot, task } from "./messages.ts";

let world: World;
beforeEach(() => {
  world = new World();
});

function connect(options: Partial<ConstructorParameters<typeof HeadwayClient>[0]> = {}) {
  const client = new HeadwayClient({ url: "http://jobs.test/", token: "t1", ...world, ...options });
  const states: Status["state"][] = [];
  client.on("status", (status) => states.push(status.state));
  return { client, states };
}

/** A client that is live with one subscription to a channel. */
async function live(options: Parameters<typeof connect>[0] = {}) {
  const { client, states } = connect(options);
  const subscription = client.subscribe({ channel: "user:ada" });
  await world.settle();
  world.socket.open();
  world.socket.welcome();
  world.socket.say(snapshot("e.1", [task("a", 1)], true));
  return { client, states, subscription };
}

describe("addresses", () => {
  test.each([
    ["http://jobs.test", "ws://jobs.test/ws"],
    ["https://jobs.test/headway/", "wss://jobs.test/headway/ws"],
    ["wss://jobs.test/ws", "wss://jobs.test/ws"],
  ])("%s", (url, expected) => expect(socketAddress(url)).toBe(expected));
});

describe("the beginning", () => {
  test("auth is first and subscriptions follow at once, without waiting for the welcome", async () => {
    const { client } = connect();
    client.subscribe({ channel: "user:ada", maxHz: 4 });
    client.subscribe({ task: "x", log: 0 });
    await world.settle();
    world.socket.open();
    expect(world.socket.url).toBe("ws://jobs.test/ws");
    expect(world.socket.protocols).toEqual(["headway.v1"]);
    expect(world.socket.sent).toEqual([
      { type: "auth", token: "t1" },
      { type: "subscribe", id: 1, channel: "user:ada", max_hz: 4 },
      { type: "subscribe", id: 2, task: "x", log: 0 },
    ]);
  });

  test("without a token the cookie has to do", async () => {
    const { client } = connect({ token: undefined });
    client.subscribe({ channel: "public" });
    await world.settle();
    world.socket.open();
    expect(world.socket.types()).toEqual(["subscribe"]);
  });

  test("the server's clock is known from its messages", async () => {
    const { client } = await live();
    expect(client.serverNow()).toBe(1000);
    await world.pass(500);
    expect(client.serverNow()).toBe(1500);
  });
});

describe("coming back", () => {
  test("subscriptions go on from their cursors", async () => {
    const { client, states, subscription } = await live();
    await world.pass(5);
    world.socket.end(1006);
    expect(client.status).toEqual({ state: "reconnecting", asOf: world.now() - 5 });
    await world.pass(500);
    world.socket.open();
    expect(world.socket.last("subscribe")).toMatchObject({ id: 1, cursor: "e.1" });
    world.socket.welcome();
    world.socket.say(snapshot("e.9", [task("a", 9, "succeeded")], false));
    expect(subscription.tasks.get("a")?.state).toBe("succeeded");
    expect(states).toEqual(["connecting", "live", "reconnecting", "live"]);
  });

  test("it never gives up, and waits up to thirty seconds in between", async () => {
    await live();
    world.socket.end(1006);
    const waits: number[] = [];
    for (let attempt = 0; attempt < 12; attempt += 1) {
      const before = world.sockets.length;
      let waited = 0;
      while (world.sockets.length === before) {
        await world.pass(500);
        waited += 500;
      }
      waits.push(waited);
      world.socket.end(1006);
    }
    expect(waits.slice(0, 7)).toEqual([500, 1000, 2000, 4000, 8000, 16000, 30000]);
    expect(waits.at(-1)).toBe(30000);
  });

  test("a connection that stayed starts the waiting from the beginning, a short one does not", async () => {
    await live();
    world.socket.end(1006);
    await world.pass(500);
    world.socket.open();
    world.socket.welcome();
    world.socket.end(1006);
    await world.pass(999);
    expect(world.sockets).toHaveLength(2);
    await world.pass(1);
    world.socket.open();
    world.socket.welcome();
    await world.pass(10_000);
    world.socket.end(1001);
    await world.pass(500);
    expect(world.sockets).toHaveLength(4);
  });

  test("a goodbye says when, and waking up does not make it earlier", async () => {
    await live();
    world.socket.say({ type: "goodbye", reason: "draining", reconnect_in: 7.5 });
    world.socket.end(4300);
    world.wake();
    await world.pass(7_499);
    expect(world.sockets).toHaveLength(1);
    await world.pass(1);
    expect(world.sockets).toHaveLength(2);
  });

  test("a page that wakes up tries at once", async () => {
    await live();
    for (let attempt = 0; attempt < 8; attempt += 1) {
      world.socket.end(1006);
      world.wake();
      await world.settle();
    }
    expect(world.sockets).toHaveLength(9);
  });

  test("a connection that slept is asked whether it lives", async () => {
    const { client } = await live();
    await world.pass(20_000);
    world.wake();
    expect(world.socket.types()).toContain("ping");
    world.socket.say({ type: "pong", now: 1 });
    await world.pass(6_000);
    expect(client.status.state).toBe("live");
    world.wake();
    await world.pass(5_000);
    expect(client.status.state).toBe("reconnecting");
  });

  test("silence for twice the heartbeat is a broken connection", async () => {
    const { client } = await live();
    await world.pass(49_000);
    world.socket.say({ type: "heartbeat", now: 2 });
    await world.pass(49_999);
    expect(client.status.state).toBe("live");
    await world.pass(1);
    expect(client.status.state).toBe("reconnecting");
    expect(world.sockets[0]?.closedWith).toBe(1000);
  });

  test("a connection that never gets its welcome is given up", async () => {
    const { client } = connect();
    client.connect();
    await world.settle();
    world.socket.open();
    await world.pass(15_000);
    expect(client.status.state).toBe("reconnecting");
  });
});

describe("tokens", () => {
  test("a refused token stops it until there is another", async () => {
    const { client } = await live();
    world.socket.say({ type: "error", code: 402, message: "The token expired.", retryable: false });
    world.socket.end(4402);
    expect(client.status).toMatchObject({ state: "refused", error: { code: 402, message: "The token expired." } });
    world.wake();
    await world.pass(120_000);
    expect(world.sockets).toHaveLength(1);
    client.setToken("t2");
    await world.settle();
    world.socket.open();
    expect(world.socket.sent[0]).toEqual({ type: "auth", token: "t2" });
    expect(world.socket.last("subscribe")).toMatchObject({ cursor: "e.1" });
  });

  test("a close code alone says it too", async () => {
    const { client } = await live();
    world.socket.end(4403, "origin refused");
    expect(client.status).toMatchObject({ state: "refused", error: { code: 403, message: "origin refused" } });
  });

  test("a token function is asked for one more, once", async () => {
    const token = vi.fn(() => "fresh");
    const { client } = await live({ token });
    expect(token).toHaveBeenCalledTimes(1);
    world.socket.end(4402);
    await world.pass(500);
    expect(token).toHaveBeenCalledTimes(2);
    world.socket.open();
    world.socket.end(4401);
    expect(client.status.state).toBe("refused");
    await world.pass(60_000);
    expect(token).toHaveBeenCalledTimes(2);
  });

  test("a token function that fails is tried again like a connection that fails", async () => {
    const token = vi.fn().mockRejectedValueOnce(new TypeError("offline")).mockResolvedValue("t");
    const { client } = connect({ token });
    client.connect();
    await world.settle();
    expect(client.status.state).toBe("reconnecting");
    await world.pass(500);
    expect(world.sockets).toHaveLength(1);
  });

  test("an expiring token is renewed on the live connection", async () => {
    let number = 0;
    const { client } = await live({ token: async () => `t${++number}` });
    world.socket.say({ type: "expiring", in: 30 });
    await world.settle();
    expect(world.socket.last("auth")).toEqual({ type: "auth", token: "t2" });
    expect(client.status.state).toBe("live");
    expect(world.sockets).toHaveLength(1);
  });

  test("a string cannot renew itself: the page is told and sets another", async () => {
    const { client } = await live();
    const expiring = vi.fn();
    client.on("expiring", expiring);
    world.socket.say({ type: "expiring", in: 30 });
    expect(expiring).toHaveBeenCalledWith(30);
    client.setToken("t2");
    await world.settle();
    expect(world.socket.last("auth")).toEqual({ type: "auth", token: "t2" });
  });

  test("a token of another user, refused as a renewal, gets a connection of its own", async () => {
    const { client } = await live();
    client.setToken("somebody else");
    await world.settle();
    world.socket.end(4401);
    await world.pass(500);
    expect(world.sockets).toHaveLength(2);
    world.socket.open();
    world.socket.end(4401);
    expect(client.status.state).toBe("refused");
  });
});

describe("subscriptions", () => {
  test("a number that was given back is taken again only when nothing of the old one is under way", async () => {
    const { client, subscription } = await live();
    subscription.close();
    expect(world.socket.sent.slice(-2)).toEqual([{ type: "unsubscribe", id: 1 }, { type: "ping" }]);
    const second = client.subscribe({ task: "x" });
    expect(second.id).toBe(2);
    world.socket.say(snapshot("e.2", [task("late", 2)], true));
    expect(second.tasks.size).toBe(0);
    world.socket.say({ type: "pong", now: 1 });
    expect(client.subscribe({ task: "y" }).id).toBe(1);
  });

  test("a refused one holds nothing, and the others go on", async () => {
    const { client, subscription } = await live();
    const listener = vi.fn();
    const gone = client.subscribe({ task: "gone" }, listener);
    world.socket.say({ type: "error", id: 2, code: 104, message: "Not found.", retryable: false });
    expect(gone.state).toBe("refused");
    expect(gone.error?.code).toBe(104);
    expect(listener).toHaveBeenCalledWith({ type: "refused", error: gone.error });
    expect(subscription.state).toBe("live");
  });

  test("one that is refused for now is asked again later", async () => {
    const { client } = await live();
    client.subscribe({ channel: "public" });
    world.socket.say({ type: "error", id: 2, code: 202, message: "Overloaded.", retryable: true });
    const before = world.socket.sent.length;
    await world.pass(10_000);
    expect(world.socket.sent.slice(before)).toMatchObject([{ type: "subscribe", id: 2 }]);
  });

  test("a page that is faster than the report that creates its task asks again, ever more seldom", async () => {
    const { client } = await live();
    const early = client.subscribe({ task: "soon" });
    const refuse = () => world.socket.say({ type: "error", id: 2, code: 104, message: "Not found.", retryable: false });
    const asked = () => world.socket.sent.filter((message) => message.type === "subscribe" && message.id === 2).length;
    refuse();
    await world.pass(800);
    expect(asked()).toBe(2);
    refuse();
    await world.pass(400);
    expect(asked()).toBe(2);
    await world.pass(1200);
    expect(asked()).toBe(3);
    world.socket.say(snapshot("e.7", [task("soon", 7)], true, 2));
    expect(early.state).toBe("live");
    expect(early.error).toBeUndefined();
    await world.pass(20_000);
    expect(asked()).toBe(3);
  });

  test("one that was refused is not asked for twice after a reconnection, nor once it is closed", async () => {
    const { client } = await live();
    const early = client.subscribe({ task: "soon" });
    const refused = { type: "error", id: 2, code: 104, message: "Not found.", retryable: false };
    world.socket.say(refused);
    world.socket.say(refused);
    world.socket.say(refused);
    const before = world.socket.sent.length;
    await world.pass(3000);
    expect(world.socket.sent.slice(before)).toMatchObject([{ type: "subscribe", id: 2 }]);
    world.socket.say(refused);
    early.close();
    const after = world.socket.sent.length;
    await world.pass(60_000);
    expect(world.socket.sent.slice(after).filter(({ type }) => type === "subscribe")).toEqual([]);
  });

  test("a snapshot in parts is partial until the last", async () => {
    const { subscription } = await live();
    world.socket.say({ ...snapshot("e.5", [], true), more: true });
    expect(subscription.state).toBe("partial");
    world.socket.say(snapshot("e.6", [], false));
    expect(subscription.state).toBe("live");
  });

  test("a log is resumed where it stopped", async () => {
    const { client } = await live();
    const events: unknown[] = [];
    client.subscribe({ task: "x", log: 0 }, (event) => events.push(event));
    const entries = [{ at: 1, level: "info", text: "hello" }];
    world.socket.say({ type: "log", id: 2, task: "x", offset: 40, next: 41, trimmed: 40, entries });
    expect(events).toEqual([{ type: "log", offset: 40, trimmed: 40, entries }]);
    world.socket.end(1006);
    await world.pass(500);
    world.socket.open();
    expect(world.socket.sent.at(-1)).toMatchObject({ type: "subscribe", task: "x", log: 41 });
  });
});

describe("commands", () => {
  test("are answered by their number", async () => {
    const { client } = await live();
    const cancelled = client.cancel("a");
    const paused = client.pause("b");
    expect(world.socket.sent.slice(-2)).toEqual([
      { type: "cancel", task: "a", ref: 1 },
      { type: "pause", task: "b", ref: 2 },
    ]);
    world.socket.say({ type: "error", ref: 2, code: 106, message: "It has finished.", retryable: false });
    world.socket.say({ type: "ok", ref: 1, task: task("a", 2, "cancelled") });
    await expect(cancelled).resolves.toMatchObject({ state: "cancelled" });
    await expect(paused).rejects.toMatchObject({ code: 106, message: "It has finished.", retryable: false });
  });

  test("survive a reconnection", async () => {
    const { client } = await live();
    const read = client.read("all");
    world.socket.end(1006);
    await world.pass(500);
    world.socket.open();
    expect(world.socket.sent.at(-1)).toEqual({ type: "read", notifications: "all", ref: 1 });
    world.socket.say({ type: "ok", ref: 1 });
    await expect(read).resolves.toBeUndefined();
  });

  test("give up in the end", async () => {
    const { client } = await live();
    const answer = expect(client.resume("a")).rejects.toMatchObject({ code: 0, retryable: true });
    await world.pass(15_000);
    await answer;
  });

  test("fail when the client is closed", async () => {
    const { client } = await live();
    const answer = expect(client.resume("a")).rejects.toMatchObject({ code: 1 });
    client.close();
    await answer;
    await expect(client.cancel("a")).rejects.toMatchObject({ code: 1 });
    expect(client.status).toEqual({ state: "closed" });
    await world.pass(60_000);
    expect(world.sockets).toHaveLength(1);
  });
});
