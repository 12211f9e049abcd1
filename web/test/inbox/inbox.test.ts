import { beforeEach, describe, expect, test } from "vitest";
import { HeadwayClient } from "../../src/client/client.ts";
import { Inbox } from "../../src/inbox/inbox.ts";
import { World } from "../world.ts";

let world: World;
let client: HeadwayClient;
let inbox: Inbox;
let arrived: string[];
let changes: number;

beforeEach(async () => {
  world = new World();
  client = new HeadwayClient({ url: "http://jobs.test/", token: "t", ...world });
  arrived = [];
  changes = 0;
  inbox = new Inbox(client, {
    changed: () => {
      changes += 1;
    },
    arrived: ({ id }) => arrived.push(id),
  });
  const subscription = client.subscribe({ channel: "user:ada" }, (event) => inbox.received(subscription, event));
  await world.settle();
  world.socket.open();
  world.socket.welcome({ now: world.now() });
});

let rev = 0;
function note(id: string, fields: Record<string, unknown> = {}) {
  rev += 1;
  const now = world.now();
  return { id, channel: "user:ada", rev, title: id, status: "unread", created_at: now, updated_at: now, ...fields };
}

function snapshot(notifications: object[], fields: Record<string, unknown> = {}) {
  world.socket.say({ type: "snapshot", id: 1, cursor: `e.${rev}`, reset: true, notifications, ...fields });
}

function change(fields: Record<string, unknown>) {
  world.socket.say({ type: "change", id: 1, cursor: `e.${rev}`, ...fields });
}

const ids = (shelf: "inbox" | "archive" = "inbox") => inbox.entries(shelf).map(({ id }) => id);

describe("what it holds", () => {
  test("newest first, and what is archived apart", () => {
    const now = world.now();
    snapshot([note("old", { created_at: now - 10 }), note("new"), note("gone", { status: "archived" })], { unread: 2 });
    expect(ids()).toEqual(["new", "old"]);
    expect(ids("archive")).toEqual(["gone"]);
    expect(inbox.unread).toBe(2);
  });

  test("the server counts what is unread, beyond what is held too", () => {
    snapshot([note("a")], { unread: 170 });
    expect(inbox.unread).toBe(170);
    change({ notification: note("a", { status: "read" }), unread: 169 });
    expect(inbox.unread).toBe(169);
    change({ task: { id: "t", rev: ++rev, state: "running" } });
    expect(inbox.unread).toBe(169);
  });

  test("without a count, what is held is counted", () => {
    snapshot([note("a"), note("b", { status: "read" })]);
    expect(inbox.unread).toBe(1);
  });

  test("what is in a channel of many is shown, and not ours to file", () => {
    const subscription = client.subscribe({ channel: "public" }, (event) => inbox.received(subscription, event));
    snapshot([note("mine")], { unread: 1 });
    world.socket.say({
      type: "snapshot",
      id: 2,
      cursor: "p.1",
      reset: true,
      notifications: [note("theirs", { channel: "public" })],
      unread: 1,
    });
    expect(ids().sort()).toEqual(["mine", "theirs"]);
    expect(inbox.unread).toBe(1);
    expect(inbox.entries("inbox").map((one) => [one.id, inbox.isMine(one)])).toContainEqual(["theirs", false]);
  });

  test("what is in the channel of somebody else is not in it", () => {
    const subscription = client.subscribe({ channel: "user:bob" }, (event) => inbox.received(subscription, event));
    const theirs = note("theirs", { channel: "user:bob" });
    world.socket.say({ type: "snapshot", id: 2, cursor: "p.1", reset: true, notifications: [theirs], unread: 1 });
    expect(ids()).toEqual([]);
    expect(inbox.unread).toBe(0);
  });
});

describe("what is news", () => {
  test("nothing of the first answer, however many messages it has", () => {
    snapshot([note("a")], { more: true });
    snapshot([note("b")], { reset: false });
    expect(arrived).toEqual([]);
    change({ notification: note("c") });
    expect(arrived).toEqual(["c"]);
  });

  test("each once, also when it comes again", () => {
    snapshot([]);
    const one = note("a");
    change({ notification: one });
    snapshot([one]);
    snapshot([{ ...one, rev: ++rev }], { reset: false });
    expect(arrived).toEqual(["a"]);
  });

  test("what came while nobody was connected, if it is young", () => {
    snapshot([]);
    snapshot([note("night", { created_at: world.now() - 3_600_000 }), note("now")], { reset: false });
    expect(arrived).toEqual(["now"]);
    expect(ids()).toEqual(["now", "night"]);
  });
});

describe("what is ongoing", () => {
  const task = (fields: object = {}) => ({ id: "t", rev: ++rev, channel: "user:ada", state: "running", ...fields });

  test("has its task, from the channel that is followed", () => {
    snapshot([note("a", { ongoing: true, task: "t" })], { tasks: [task({ progress: { percent: 40 } })] });
    expect(inbox.task("t")?.progress.percent).toBe(40);
    expect(world.socket.sent.filter(({ type }) => type === "subscribe")).toHaveLength(1);
  });

  test("has its task from elsewhere too, until it is over", () => {
    snapshot([note("a", { ongoing: true, task: "t" })]);
    expect(world.socket.last("subscribe")).toMatchObject({ id: 2, task: "t" });
    world.socket.say({
      type: "snapshot",
      id: 2,
      cursor: "x.1",
      reset: true,
      tasks: [task({ channel: "project:x", progress: { percent: 7 } })],
    });
    expect(inbox.task("t")?.progress.percent).toBe(7);
    change({ notification: note("a", { task: "t", severity: "success" }) });
    expect(world.socket.last("unsubscribe")).toMatchObject({ id: 2 });
    expect(arrived).toEqual(["a"]);
  });

  test("is all that matters of a busy channel", () => {
    snapshot([note("a", { ongoing: true, task: "t" })], { tasks: [task()] });
    const before = changes;
    change({ task: { ...task(), id: "other" } });
    expect(changes).toBe(before);
    change({ task: task({ progress: { percent: 50 } }) });
    expect(changes).toBe(before + 1);
  });

  test("follows nothing after it is closed", () => {
    snapshot([note("a", { ongoing: true, task: "t" })]);
    inbox.close();
    expect(world.socket.last("unsubscribe")).toMatchObject({ id: 2 });
  });
});

describe("older ones", () => {
  const page = (notifications: object[], next: string | null) => ({ notifications, next, total: 9 });

  test("are read page by page, past those that are held", async () => {
    const held = note("held");
    snapshot([held]);
    const loading = inbox.loadOlder("inbox");
    await world.settle();
    expect(inbox.older("inbox")).toBe("loading");
    expect(world.requests[0]).toMatchObject({ path: "/api/notifications?status=unread%2Cread&limit=50" });
    expect(world.requests[0]?.headers.authorization).toBe("Bearer t");
    world.requests[0]?.answer(page([held], "5.held"));
    await world.settle();
    expect(world.requests[1]?.path).toContain("after=5.held");
    const now = world.now();
    world.requests[1]?.answer(page([note("b", { created_at: now - 5 }), note("c", { created_at: now - 9 })], null));
    await loading;
    expect(ids()).toEqual(["held", "b", "c"]);
    expect(inbox.older("inbox")).toBe("end");
    await inbox.loadOlder("inbox");
    expect(world.requests).toHaveLength(2);
  });

  test("change like all others when they do", async () => {
    snapshot([]);
    const loading = inbox.loadOlder("inbox");
    await world.settle();
    world.requests[0]?.answer(page([note("a"), note("b")], "1.b"));
    await loading;
    change({ notification: note("a", { status: "archived" }) });
    change({ removed: "b" });
    expect(ids()).toEqual([]);
    expect(ids("archive")).toEqual(["a"]);
  });

  test("can fail, and be asked for again", async () => {
    snapshot([]);
    const loading = inbox.loadOlder("archive");
    await world.settle();
    world.requests[0]?.fail();
    await loading;
    expect(inbox.older("archive")).toBe("failed");
    const again = inbox.loadOlder("archive");
    await world.settle();
    expect(world.requests[1]?.path).toContain("status=archived");
    world.requests[1]?.answer(page([note("a", { status: "archived" })], null));
    await again;
    expect(ids("archive")).toEqual(["a"]);
  });

  test("are forgotten with a new beginning, and an answer that was under way too", async () => {
    snapshot([]);
    const loading = inbox.loadOlder("inbox");
    await world.settle();
    snapshot([]);
    world.requests[0]?.answer(page([note("a")], null));
    await loading;
    expect(ids()).toEqual([]);
    expect(inbox.older("inbox")).toBe("more");
  });
});

test("says that something changed, each time", () => {
  snapshot([]);
  const before = changes;
  change({ notification: note("a") });
  expect(changes).toBe(before + 1);
});
