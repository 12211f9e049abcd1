import { beforeEach, describe, expect, test } from "vitest";
import { World } from "../world.ts";
import { me, onEvents, onPoll } from "./doors.ts";
import { change, snapshot, task } from "./messages.ts";

let world: World;
beforeEach(() => {
  world = new World();
  world.origin = "http://jobs.test";
});

describe("up", () => {
  test("a socket is tried after half a minute, then rarer, up to ten minutes", async () => {
    const { client, stream } = await onEvents(world);
    const waits: number[] = [];
    for (let turn = 0; turn < 7; turn += 1) {
      const before = world.sockets.length;
      let waited = 0;
      while (world.sockets.length === before) {
        await world.pass(1000);
        waited += 1;
        if (waited % 20 === 0) stream.write(": heartbeat\n\n");
      }
      waits.push(waited);
      world.socket.end(1006);
      await world.settle();
    }
    expect(waits).toEqual([30, 60, 120, 240, 480, 600, 600]);
    expect(client.transport).toBe("events");
    expect(client.status.state).toBe("live");
  });

  test("the stream goes on until the socket is live, and the socket from where the stream was", async () => {
    const { client, states, stream, subscription } = await onEvents(world);
    await world.pass(30_000);
    world.socket.open();
    expect(world.socket.types()).toEqual(["auth"]);
    stream.say(change("e.7", task("a", 7)));
    await world.settle();
    expect(stream.aborted).toBe(false);
    world.socket.welcome();
    expect(stream.aborted).toBe(true);
    expect(world.socket.last("subscribe")).toMatchObject({ id: 1, cursor: "e.7" });
    expect(client.transport).toBe("websocket");
    stream.say(change("e.8", task("a", 8)));
    await world.settle();
    expect(subscription.tasks.get("a")?.rev).toBe(7);
    world.socket.say(snapshot("e.8", [task("a", 8)], false));
    expect(subscription.tasks.get("a")?.rev).toBe(8);
    expect(states.at(-1)).toBe("live");
    expect(states.slice(3)).not.toContain("reconnecting");
    // All is as if it had been the socket from the beginning.
    await world.pass(600_000);
    expect(world.asked("/events")).toBe(1);
  });

  test("a command that is under way is asked for again on the new door", async () => {
    const { client } = await onEvents(world);
    await world.pass(30_000);
    const cancelled = client.cancel("a");
    world.socket.open();
    world.socket.welcome();
    expect(world.socket.last("cancel")).toMatchObject({ task: "a" });
    world.socket.say({ type: "ok", ref: 1, task: task("a", 2, "cancelled") });
    await expect(cancelled).resolves.toMatchObject({ state: "cancelled" });
  });

  test("being online again is a reason to try", async () => {
    await onEvents(world);
    await world.pass(6_000);
    world.wake();
    await world.settle();
    expect(world.sockets).toHaveLength(3);
  });

  test("from polls the socket is tried first, then the stream", async () => {
    const { client } = await onPoll(world);
    const streams = world.asked("/events");
    await world.pass(30_000);
    world.socket.end(1006);
    await world.settle();
    await world.pass(0);
    world.request("/api/me").answer(me);
    await world.pass(20);
    expect(world.asked("/events")).toBe(streams + 1);
    const trial = world.request("/events");
    trial.stream();
    trial.write("retry: 2000\n\n");
    await world.pass(20);
    expect(client.transport).toBe("events");
    // What the trial was asked is of another time: it is asked again with the cursors of now.
    expect(trial.aborted).toBe(true);
    expect(world.asked("/events")).toBe(streams + 2);
    expect(world.requests.filter(({ path, aborted }) => path.startsWith("/poll") && !aborted)).toHaveLength(0);
  });

  test("a stream that is held back changes nothing for polls", async () => {
    const { client, subscription } = await onPoll(world);
    await world.pass(30_000);
    world.socket.end(1006);
    await world.pass(0);
    world.request("/api/me").answer(me);
    await world.pass(20);
    world.request("/poll?wait=25").answer({ messages: [change("e.3", task("a", 3))] });
    await world.pass(6_000);
    expect(client.transport).toBe("poll");
    expect(subscription.tasks.get("a")?.rev).toBe(3);
    expect(client.status.state).toBe("live");
  });

  test("a trial that is refused is no refusal of what works", async () => {
    const { client } = await onEvents(world);
    await world.pass(30_000);
    world.socket.open();
    world.socket.say({ type: "error", code: 429, message: "Too many connections.", retryable: false });
    world.socket.end(4429);
    await world.settle();
    expect(client.status.state).toBe("live");
    expect(client.transport).toBe("events");
  });
});
