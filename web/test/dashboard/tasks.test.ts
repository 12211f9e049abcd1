import { afterEach, expect, test, vi } from "vitest";
import { HeadwayClient } from "../../src/client/client.ts";
import { followChannels, forgetChannels, lookForOlder, olderState } from "../../src/dashboard/state/tasks.ts";
import { World } from "../world.ts";

const done = (id: string) => ({ id, rev: 1, state: "succeeded", channel: "user:ada", title: id });

async function follow(...tasks: object[]): Promise<void> {
  const world = new World();
  const client = new HeadwayClient({ url: "http://jobs.test", token: "t", ...world });
  followChannels(
    client,
    ["user:ada"],
    () => undefined,
    () => undefined,
  );
  await world.settle();
  world.socket.open();
  world.socket.welcome();
  world.socket.say({ type: "snapshot", id: 1, cursor: "e.1", reset: true, tasks });
}

/** What REST says of finished tasks. */
function answer(tasks: object[], next: string | null = null): void {
  vi.stubGlobal("fetch", async () => Response.json({ tasks, next }));
}

afterEach(() => {
  forgetChannels();
  vi.unstubAllGlobals();
});

test("older ones are not offered where everything is there", async () => {
  await follow(done("a"));
  answer([done("a")]);
  expect(olderState.value).toBe("unknown");
  await lookForOlder();
  expect(olderState.value).toBe("none");
});

test.each([
  ["one that is not shown", [done("a"), done("b")], null],
  ["another page", [done("a")], "cursor"],
])("older ones are offered where there is %s", async (_, tasks, next) => {
  await follow(done("a"));
  answer(tasks, next);
  await lookForOlder();
  expect(olderState.value).toBe("more");
});

test("older ones are offered when nobody could be asked", async () => {
  await follow();
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError()));
  await lookForOlder();
  expect(olderState.value).toBe("more");
});

test("an answer for somebody who has gone says nothing of who comes next", async () => {
  await follow(done("a"));
  answer([]);
  const asked = lookForOlder();
  forgetChannels();
  await asked;
  expect(olderState.value).toBe("unknown");
});
