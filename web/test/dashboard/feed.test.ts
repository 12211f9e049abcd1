import { expect, test } from "vitest";
import { HeadwayClient } from "../../src/client/client.ts";
import { follow, type LogLines, withLines } from "../../src/dashboard/state/feed.ts";
import { World } from "../world.ts";

const none: LogLines = { first: 0, entries: [], trimmed: 0 };

function lines(from: number, count: number) {
  const entries = Array.from({ length: count }, (_, place) => ({ at: 0, level: "info", text: `line ${from + place}` }));
  return { offset: from, trimmed: 0, entries };
}

test("lines are appended, and their numbers go on", () => {
  const log = withLines(withLines(none, lines(40, 2)), lines(42, 1));
  expect(log.first).toBe(40);
  expect(log.entries.map(({ text }) => text)).toEqual(["line 40", "line 41", "line 42"]);
});

test("lines that come again are taken once", () => {
  const log = withLines(withLines(none, lines(0, 3)), lines(1, 3));
  expect(log.entries.map(({ text }) => text)).toEqual(["line 0", "line 1", "line 2", "line 3"]);
});

test("a page keeps a bounded number of lines", () => {
  const log = withLines(withLines(none, lines(0, 4000)), lines(4000, 4000));
  expect(log.entries).toHaveLength(5000);
  expect(log.first).toBe(3000);
  expect(log.entries[0]?.text).toBe("line 3000");
});

test("a task with children is followed with its parts", async () => {
  const world = new World();
  const client = new HeadwayClient({ url: "http://jobs.test", token: "t", ...world });
  const feed = follow(client, "g", undefined);
  await world.settle();
  world.socket.open();
  world.socket.welcome();
  const group = { id: "g", rev: 1, state: "running", channel: "user:ada", title: "G", children: { count: 1 } };
  world.socket.say({ type: "snapshot", id: 1, cursor: "e.1", reset: true, tasks: [group] });
  expect(feed.task.value?.title).toBe("G");
  expect(world.socket.last("subscribe")).toMatchObject({ id: 2, channel: "user:ada", filter: { parent: "g" } });
  const part = { id: "p", rev: 2, state: "running", title: "cat.png" };
  world.socket.say({ type: "snapshot", id: 2, cursor: "e.2", reset: true, tasks: [part] });
  expect(feed.parts.value.map(({ title }) => title)).toEqual(["cat.png"]);
  feed.close();
  expect(world.socket.sent.filter(({ type }) => type === "unsubscribe")).toHaveLength(2);
});

test("a task that does not exist is missing", async () => {
  const world = new World();
  const feed = follow(new HeadwayClient({ url: "http://jobs.test", token: "t", ...world }), "x", undefined);
  await world.settle();
  world.socket.open();
  world.socket.say({ type: "error", id: 1, code: 104, message: "Not found.", retryable: false });
  expect(feed.missing.value).toBe(true);
});
