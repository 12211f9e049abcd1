import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { HeadwayClient } from "../../src/client/client.ts";
import type { HeadwayInbox } from "../../src/elements/index.ts";
import "../../src/elements/index.ts";
import { World } from "../world.ts";

let world: World;
let element: HeadwayInbox;
let rev = 0;

beforeEach(() => {
  document.body.innerHTML = "";
  world = new World();
});

afterEach(() => element.remove());

async function show(language = "en") {
  document.documentElement.lang = language;
  element = document.createElement("headway-inbox") as HeadwayInbox;
  element.client = new HeadwayClient({ url: "http://jobs.test", token: "t", ...world });
  document.body.append(element);
  await vi.dynamicImportSettled();
  await world.settle();
  world.socket.open();
  world.socket.welcome({ now: world.now() });
}

function note(id: string, fields: Record<string, unknown> = {}) {
  rev += 1;
  const now = world.now();
  return { id, channel: "user:ada", rev, title: id, status: "unread", created_at: now, updated_at: now, ...fields };
}

function say(notifications: object[], unread: number, fields: Record<string, unknown> = {}) {
  world.socket.say({ type: "snapshot", id: 1, cursor: `e.${rev}`, reset: true, notifications, unread, ...fields });
}

function part<Kind extends HTMLElement = HTMLElement>(selector: string): Kind {
  const found = element.shadowRoot?.querySelector<Kind>(selector);
  if (!found) throw new Error(`There is no ${selector}.`);
  return found;
}

const parts = (selector: string) => [...(element.shadowRoot?.querySelectorAll<HTMLElement>(selector) ?? [])];
const open = () => part(".bell").click();

test("follows the channel of whoever the token is for, and says how many are unread", async () => {
  const told = vi.fn();
  document.addEventListener("headway-unread", (event) => told((event as CustomEvent).detail), { once: true });
  await show();
  expect(world.socket.last("subscribe")).toMatchObject({ channel: "user:ada" });
  say([note("a")], 120);
  expect(part(".bell").getAttribute("aria-label")).toBe("Notifications: 120 unread");
  expect(part(".count").textContent).toBe("99+");
  expect(element.unread).toBe(120);
  expect(told).toHaveBeenCalledWith(120);
});

test("opens and closes, and closes by a click elsewhere", async () => {
  await show();
  say([note("a")], 1);
  expect(part(".panel").hidden).toBe(true);
  open();
  expect(part(".panel").hidden).toBe(false);
  expect(part(".bell").getAttribute("aria-expanded")).toBe("true");
  document.body.dispatchEvent(new Event("pointerdown", { bubbles: true, composed: true }));
  expect(part(".panel").hidden).toBe(true);
  open();
  part(".bell").dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
  expect(part(".panel").hidden).toBe(true);
});

test("shows each with what it says, as text", async () => {
  await show();
  open();
  const html = "<img src=x onerror=alert(1)>";
  say(
    [note("a", { title: html, content: html, severity: "error", source: "import", link: "https://example.com/" })],
    1,
  );
  expect(part(".entry-title").textContent).toBe(`Error: ${html}`);
  expect(part(".entry-content").textContent).toBe(html);
  expect(part(".entry-when").textContent).toBe("importjust now");
  expect(part<HTMLAnchorElement>(".entry-link").href).toBe("https://example.com/");
  expect(parts("img")).toEqual([]);
});

test("a link that is not safe is none", async () => {
  await show();
  open();
  say([note("a", { link: "javascript:alert(1)" })], 1);
  expect(part(".entry-text").textContent).toBe("a");
  expect(part(".entry-link").hasAttribute("href")).toBe(false);
});

describe("what is done with them", () => {
  test("each, and all", async () => {
    await show();
    open();
    say([note("a"), note("b")], 2);
    for (const [selector, type, ids] of [
      ["li[data-id=a] .read", "read", ["a"]],
      ["li[data-id=b] .archive", "archive", ["b"]],
      [".read-all", "read", "all"],
    ] as const) {
      part(selector).click();
      expect(world.socket.sent.at(-1)).toMatchObject({ type, notifications: ids });
    }
    world.socket.say({ type: "change", id: 1, cursor: "e.9", notification: note("a", { status: "read" }), unread: 0 });
    expect(part(".read-all").hidden).toBe(true);
    expect(part("li[data-id=a] .read").hidden).toBe(true);
    part("li[data-id=a] .unread").click();
    expect(world.socket.sent.at(-1)).toMatchObject({ type: "unread", notifications: ["a"] });
  });

  test("what goes wrong is said", async () => {
    await show();
    open();
    say([note("a")], 1);
    part(".read").click();
    const ref = world.socket.last("read")?.ref;
    world.socket.say({ type: "error", ref, code: 200, message: "Not now.", retryable: true });
    await world.settle();
    expect(part(".panel .error").textContent).toBe("Not now.");
  });

  test("following a link reads it, and a page can do that in its own way", async () => {
    await show();
    open();
    say([note("a", { link: "/orders/7" })], 1);
    const went = vi.fn();
    element.addEventListener("headway-open", (event) => {
      event.preventDefault();
      went((event as CustomEvent).detail.link);
    });
    const click = new MouseEvent("click", { cancelable: true, bubbles: true });
    part(".entry-link").dispatchEvent(click);
    expect(went).toHaveBeenCalledWith("/orders/7");
    expect(click.defaultPrevented).toBe(true);
    expect(world.socket.sent.at(-1)).toMatchObject({ type: "read", notifications: ["a"] });
  });
});

test("an ongoing one has the bar of its task, and the bell a line", async () => {
  await show();
  open();
  const task = {
    id: "t",
    rev: ++rev,
    channel: "user:ada",
    title: "Import",
    state: "running",
    progress: { percent: 40 },
  };
  say([note("a", { ongoing: true, task: "t" })], 1, { tasks: [task] });
  expect(part("li [role=progressbar]").getAttribute("aria-valuenow")).toBe("40");
  expect(part(".entry-far").textContent).toBe("40%");
  expect(part(".ongoing").hidden).toBe(false);
  world.socket.say({ type: "change", id: 1, cursor: "e.9", notification: note("a", { content: "Done" }), unread: 1 });
  expect(part("li .bar").hidden).toBe(true);
  expect(part(".entry-content").textContent).toBe("Done");
  expect(part(".ongoing").hidden).toBe(true);
});

test("says what arrives, to the page and to screen readers", async () => {
  await show("zh-Hans");
  say([note("a")], 1);
  const heard = vi.fn();
  element.addEventListener("headway-notification", (event) => heard((event as CustomEvent).detail.title));
  world.socket.say({ type: "change", id: 1, cursor: "e.9", notification: note("b"), unread: 2 });
  expect(heard.mock.calls).toEqual([["b"]]);
  expect(part("[role=status]").textContent).toBe("新通知：b");
});

test("a list with room left is read on by itself, and nobody is asked to load what is not there", async () => {
  await show();
  say([note("a")], 1);
  open();
  await world.settle();
  expect(world.requests.map(({ path }) => path)).toEqual(["/api/notifications?status=unread%2Cread&limit=50"]);
  world.requests[0]?.answer({ notifications: [note("old", { created_at: 1, status: "read" })], next: null });
  await world.settle();
  expect(parts("li")).toHaveLength(2);
  expect(part(".older").hidden).toBe(true);
});

test("a long list is read on when somebody asks", async () => {
  await show();
  say(
    Array.from({ length: 20 }, (_, place) => note(`n${place}`)),
    20,
  );
  open();
  await world.settle();
  expect(world.requests).toHaveLength(0);
  expect(part(".older").hidden).toBe(false);
});

test("who is refused is shown nothing any longer", async () => {
  await show();
  open();
  say([note("a")], 1);
  world.socket.end(4401, "Revoked.");
  expect(parts(".entry")).toEqual([]);
  expect(part(".bell").getAttribute("aria-label")).toBe("Notifications: 0 unread");
  expect(part(".panel .connection").textContent).toBe("not allowed to see this");
});

test("somebody else sees nothing of the first", async () => {
  await show();
  open();
  say([note("a")], 1);
  const other = new World();
  element.client = new HeadwayClient({ url: "http://jobs.test", token: "u", ...other });
  expect(parts(".entry")).toEqual([]);
  await other.settle();
  other.socket.open();
  other.socket.welcome({ user: "bob" });
  expect(other.socket.last("subscribe")).toMatchObject({ channel: "user:bob" });
});
