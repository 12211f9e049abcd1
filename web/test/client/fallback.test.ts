import { beforeEach, describe, expect, test } from "vitest";
import { World } from "../world.ts";
import { block, connect, me, onEvents, onPoll } from "./doors.ts";
import { change, task } from "./messages.ts";

let world: World;
beforeEach(() => {
  world = new World();
  world.origin = "http://jobs.test";
});

describe("down", () => {
  test("two sockets without a welcome lead to a stream of events", async () => {
    const { client, states, subscription, stream } = await onEvents(world);
    expect(world.sockets).toHaveLength(2);
    expect(stream.method).toBe("POST");
    expect(stream.headers.authorization).toBe("Bearer t1");
    expect(stream.asked).toEqual([{ id: 1, channel: "user:ada" }]);
    expect(client.transport).toBe("events");
    expect(client.welcome?.user).toBe("ada");
    expect(subscription.tasks.get("a")?.rev).toBe(1);
    expect(states).toEqual(["connecting", "reconnecting", "reconnecting", "live"]);
    stream.say(change("e.2", task("a", 2, "succeeded")));
    await world.settle();
    expect(subscription.tasks.get("a")?.state).toBe("succeeded");
  });

  test("a stream that is held back leads to polls", async () => {
    const { client, subscription } = await onPoll(world);
    expect(client.transport).toBe("poll");
    expect(subscription.tasks.get("a")?.rev).toBe(1);
    const poll = world.request("/poll?wait=25");
    expect(poll.asked).toEqual([{ id: 1, channel: "user:ada", cursor: "e.1" }]);
    poll.answer({ messages: [change("e.2", task("a", 2))] });
    await world.settle();
    expect(subscription.tasks.get("a")?.rev).toBe(2);
    // A busy channel is not asked without end.
    expect(world.asked("/poll?wait=25")).toBe(1);
    await world.pass(500);
    expect(world.request("/poll?wait=25").asked).toMatchObject([{ cursor: "e.2" }]);
    world.request("/poll?wait=25").answer({ messages: [] });
    await world.settle();
    expect(world.asked("/poll?wait=25")).toBe(3);
    expect(client.status.state).toBe("live");
  });

  test("a stream that is no stream leads to polls at once", async () => {
    const { client } = connect(world);
    client.subscribe({ channel: "user:ada" });
    await block(world);
    world.request("/api/me").answer(me);
    await world.pass(20);
    world.request("/events").page(404);
    await world.pass(2_000);
    world.request("/api/me").answer(me);
    await world.pass(20);
    expect(world.asked("/poll?wait=0")).toBe(1);
  });

  test("a page whose policy forbids sockets takes the stream without two tries", async () => {
    class Forbidden {
      constructor() {
        throw new DOMException("Refused by policy", "SecurityError");
      }
    }
    const { client } = connect(world, { WebSocket: Forbidden as never });
    client.connect();
    await world.pass(500);
    expect(world.asked("/api/me")).toBe(1);
  });

  test("a page of another origin stays with the socket", async () => {
    world.origin = "http://shop.test";
    connect(world).client.connect();
    await block(world);
    await world.pass(120_000);
    expect(world.requests).toHaveLength(0);
    expect(world.sockets.length).toBeGreaterThan(3);
  });

  test("while the server is away the socket is tried again and again, in turns", async () => {
    const { client } = connect(world);
    client.subscribe({ channel: "user:ada" });
    await block(world);
    for (let turn = 0; turn < 6; turn += 1) {
      const sockets = world.sockets.length;
      world.request("/api/me").fail();
      while (world.sockets.length === sockets) await world.pass(1000);
      const asked = world.asked("/api/me");
      world.socket.end(1006);
      while (world.asked("/api/me") === asked) await world.pass(1000);
    }
    expect(world.asked("/events")).toBe(0);
    expect(client.status.state).toBe("reconnecting");
  });

  test("a client whose sockets worked waits longer before it doubts them", async () => {
    connect(world).client.subscribe({ channel: "user:ada" });
    await world.settle();
    world.socket.open();
    world.socket.welcome();
    world.socket.end(1006);
    for (let turn = 0; turn < 2; turn += 1) {
      await world.pass(10_000);
      world.socket.end(1006);
    }
    expect(world.requests).toHaveLength(0);
    await world.pass(10_000);
    world.socket.end(1006);
    await world.pass(30_000);
    expect(world.asked("/api/me")).toBe(1);
  });

  test("a stream that falls silent later leads to polls with the same cursor", async () => {
    const { client } = await onEvents(world);
    await world.pass(29_000);
    world.socket.end(1006);
    await world.pass(25_000);
    expect(client.status.state).not.toBe("live");
    world.request("/api/me").answer(me);
    await world.pass(20);
    expect(world.request("/poll?wait=0").asked).toMatchObject([{ cursor: "e.1" }]);
  });
});

describe("on the stream", () => {
  test("a comment is a sign of life", async () => {
    const { client, stream } = await onEvents(world);
    for (let beat = 0; beat < 8; beat += 1) {
      await world.pass(25_000);
      stream.write(": heartbeat\n\n");
      await world.settle();
      if (world.sockets.length > 2) world.socket.end(1006);
    }
    expect(client.status.state).toBe("live");
    expect(world.asked("/events")).toBe(1);
  });

  test("subscriptions that change together make one new request, from the newest cursors", async () => {
    const { client, stream } = await onEvents(world);
    stream.say(change("e.5", task("a", 5)));
    await world.settle();
    const before = world.asked("/events");
    const one = client.subscribe({ task: "x", log: 0 });
    client.subscribe({ channel: "public" });
    one.close();
    expect(stream.aborted).toBe(true);
    await world.pass(20);
    expect(world.asked("/events")).toBe(before + 1);
    expect(world.request("/events").asked).toEqual([
      { id: 1, channel: "user:ada", cursor: "e.5" },
      { id: 3, channel: "public" },
    ]);
  });

  test("nothing of the old request is heard after a change", async () => {
    const { client, stream, subscription } = await onEvents(world);
    client.subscribe({ channel: "public" });
    stream.say(change("e.9", task("a", 9)));
    await world.settle();
    expect(subscription.tasks.get("a")?.rev).toBe(1);
  });

  test("a broken stream is opened again where it stopped", async () => {
    const { client, stream } = await onEvents(world);
    stream.say(change("e.5", task("a", 5)));
    await world.settle();
    stream.end();
    await world.settle();
    expect(client.status.state).toBe("reconnecting");
    await world.pass(5_000);
    world.request("/api/me").answer(me);
    await world.pass(20);
    expect(world.request("/events").asked).toMatchObject([{ cursor: "e.5" }]);
    expect(world.sockets).toHaveLength(2);
  });

  test("a log goes on from its next line", async () => {
    const { client } = await onEvents(world);
    client.subscribe({ task: "x", log: 0 });
    await world.pass(20);
    const stream = world.request("/events");
    stream.stream();
    stream.say({ type: "log", id: 2, task: "x", offset: 0, next: 7, entries: [] });
    await world.settle();
    client.subscribe({ channel: "public" });
    await world.pass(20);
    expect(world.request("/events").asked[1]).toMatchObject({ task: "x", log: 7 });
  });

  test("a refusal of all is sorted out: those that are not refused go on", async () => {
    const { client, subscription } = await onEvents(world);
    const gone = client.subscribe({ task: "gone" });
    await world.pass(20);
    const refusal = { code: 104, message: "Not found.", retryable: false };
    world.request("/events").answer(refusal, 404);
    await world.settle();
    const asks = world.requests.filter(({ path }) => path === "/poll?wait=0");
    expect(asks.map(({ asked }) => asked[0]?.id)).toEqual([1, 2]);
    asks[0]?.answer({ messages: [] });
    asks[1]?.answer(refusal, 404);
    await world.pass(20);
    expect(gone).toMatchObject({ state: "refused", error: { code: 104 } });
    expect(world.request("/events").asked).toEqual([{ id: 1, channel: "user:ada", cursor: "e.1" }]);
    // It is asked for again, alone, in case the task is made later.
    const before = world.asked("/poll?wait=0");
    while (world.asked("/poll?wait=0") === before) await world.pass(100);
    world.request("/poll?wait=0").answer({ messages: [] });
    await world.pass(20);
    expect(world.request("/events").asked).toHaveLength(2);
    expect(subscription.state).toBe("live");
  });

  test.each([
    [401, { code: 401, message: "Who are you?" }, 401],
    [401, { code: 402, message: "Expired." }, 402],
    [403, { code: 403, message: "Not from here." }, 403],
  ])("an answer %i with %o ends as a close code does", async (status, body, code) => {
    const { client, stream } = await onEvents(world);
    stream.end();
    await world.pass(5_000);
    world.request("/api/me").answer({ ...body, retryable: false }, status);
    await world.pass(120_000);
    expect(client.status).toMatchObject({ state: "refused", error: { code, message: body.message } });
    client.setToken("t2");
    await world.pass(20);
    expect(world.request("/api/me").headers.authorization).toBe("Bearer t2");
  });

  test("a server that is full says when to come again", async () => {
    const { stream } = await onEvents(world);
    stream.end();
    await world.pass(5_000);
    world.request("/api/me").answer({ code: 202, message: "Full.", retryable: true }, 503, { "retry-after": "40" });
    await world.settle();
    const before = world.asked("/api/me");
    await world.pass(39_999);
    expect(world.asked("/api/me")).toBe(before);
    await world.pass(1);
    expect(world.asked("/api/me")).toBe(before + 1);
  });

  test("a token that is renewed goes into a new request", async () => {
    const { client } = await onEvents(world);
    client.setToken("t2");
    await world.pass(20);
    expect(world.request("/events").headers.authorization).toBe("Bearer t2");
    expect(world.asked("/events")).toBe(2);
  });

  test("a client that is woken asks whether the stream lives", async () => {
    const { client } = await onEvents(world);
    await world.pass(20_000);
    world.wake();
    await world.pass(20);
    expect(world.asked("/events")).toBe(2);
    await world.pass(5_000);
    expect(client.status.state).toBe("reconnecting");
  });

  test("closing ends the request", async () => {
    const { client, stream } = await onEvents(world);
    client.close();
    expect(stream.aborted).toBe(true);
    await world.pass(120_000);
    expect(world.requests).toHaveLength(2);
  });
});

describe("commands", () => {
  test("go over REST", async () => {
    const { client } = await onEvents(world);
    const cancelled = client.cancel("a b");
    const request = world.request("/api/tasks/a%20b/cancel");
    expect(request).toMatchObject({ method: "POST", headers: { authorization: "Bearer t1" } });
    request.answer(task("a b", 2, "cancelled"));
    await expect(cancelled).resolves.toMatchObject({ state: "cancelled" });
  });

  test("are refused in the server's words", async () => {
    const { client } = await onEvents(world);
    const paused = client.pause("a");
    world.request("/api/tasks/a/pause").answer({ code: 106, message: "It has finished.", retryable: false }, 409);
    await expect(paused).rejects.toMatchObject({ code: 106, message: "It has finished." });
    const resumed = client.resume("a");
    world.request("/api/tasks/a/resume").fail();
    await expect(resumed).rejects.toMatchObject({ code: 0, retryable: true });
  });

  test("read notifications", async () => {
    const { client } = await onEvents(world);
    const all = client.read("all");
    world.request("/api/notifications/read_all").answer({ updated: 3 });
    await all;
    const two = client.read(["n1", "n2"]);
    world.request("/api/notifications/n1/read").answer({ updated: 1 });
    await world.settle();
    world.request("/api/notifications/n2/read").answer({ updated: 1 });
    await two;
  });
});
