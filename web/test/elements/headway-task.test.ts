import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { HeadwayClient } from "../../src/client/client.ts";
import type { HeadwayTask } from "../../src/elements/index.ts";
import "../../src/elements/index.ts";
import { World } from "../world.ts";

let world: World;
let element: HeadwayTask;

beforeEach(() => {
  document.body.innerHTML = "";
  world = new World();
});

afterEach(() => element.remove());

async function show(attributes: Record<string, string> = {}) {
  element = document.createElement("headway-task") as HeadwayTask;
  element.client = new HeadwayClient({ url: "http://jobs.test", token: "t", ...world });
  for (const [name, value] of Object.entries({ task: "a", ...attributes })) element.setAttribute(name, value);
  document.body.append(element);
  await world.settle();
  world.socket.open();
  world.socket.welcome({ now: world.now() });
}

let rev = 0;
function say(fields: Record<string, unknown>) {
  rev += 1;
  const task = { id: "a", rev, channel: "c", title: "Import", state: "running", seen_at: world.now(), ...fields };
  world.socket.say({ type: "snapshot", id: 1, cursor: `e.${rev}`, reset: false, tasks: [task] });
}

function part(selector: string): HTMLElement {
  const found = element.shadowRoot?.querySelector<HTMLElement>(selector);
  if (!found) throw new Error(`There is no ${selector}.`);
  return found;
}

test("shows title, bar, step, message, rate and time left", async () => {
  await show();
  say({
    updated_at: world.now(),
    progress: {
      percent: 42.9,
      message: "cat.png",
      step: { index: 2, of: 3, name: "Hash" },
      rate: 12,
      unit: "files",
      eta: 180,
    },
  });
  expect(part(".title").textContent).toBe("Import");
  expect(part(".line").textContent).toBe("2/3 Hashcat.png42% · 12 files/s · about 3 min left");
  const bar = part("[role=progressbar]");
  expect(bar.getAttribute("aria-valuenow")).toBe("42");
  expect(bar.getAttribute("aria-valuetext")).toBe("42%, 2/3 Hash");
  expect(part(".fill").style.width).toBe("42.9%");
});

test("an unknown percentage makes it indeterminate", async () => {
  await show();
  say({ progress: { message: "thinking" } });
  expect(part(".bar").classList.contains("unknown")).toBe(true);
  expect(part(".bar").hasAttribute("aria-valuenow")).toBe(false);
});

test("what a job says is text and never markup", async () => {
  await show();
  say({ title: "<img src=x onerror=alert(1)>", state: "failed", error: "<b>no</b>", result: { url: "javascript:x" } });
  expect(part(".title").children).toHaveLength(0);
  expect(part(".title").textContent).toContain("<img");
  expect(part(".error").textContent).toBe("<b>no</b>");
  expect(element.shadowRoot?.querySelector("a")).toBeNull();
});

test("a result leads somewhere", async () => {
  await show();
  say({ state: "succeeded", result: { links: [{ title: "Report", url: "/files/1" }] } });
  expect(part("a").textContent).toBe("Report");
  expect(part("a").getAttribute("href")).toBe("/files/1");
});

test("earlier attempts are faint marks", async () => {
  await show();
  say({ attempt: 2, earlier: [{ attempt: 1, state: "failed", percent: 61 }] });
  expect(part(".mark").style.left).toBe("61%");
  expect(part(".mark").title).toBe("Attempt 1: failed at 61%");
  expect(part(".state").textContent).toBe("Running · attempt 2");
});

test("silence and a connection that is away are said", async () => {
  await show();
  say({ state: "lost", seen_at: world.now() - 40_000 });
  expect(part(".note").textContent).toBe("no sign of life for 40 s");
  world.socket.end(1006);
  expect(part(".connection").textContent).toMatch(/^reconnecting, as of \d/);
  expect(part(".title").textContent).toBe("Import");
});

test("speaks the language of the page around it", async () => {
  document.body.lang = "zh-CN";
  await show();
  say({ state: "paused" });
  expect(part(".state").textContent).toBe("已暂停");
  document.body.removeAttribute("lang");
});

test("buttons only where they are asked for, and they send commands", async () => {
  await show();
  say({});
  expect(part("button.pause").hidden).toBe(true);
  element.setAttribute("controls", "");
  await world.settle();
  say({});
  expect(part("button.pause").hidden).toBe(false);
  expect(part("button.resume").hidden).toBe(true);
  part("button.cancel").click();
  expect(world.socket.last("cancel")).toMatchObject({ task: "a" });
  expect((part("button.cancel") as HTMLButtonElement).disabled).toBe(true);
});

test("only start, quarters and end are announced, and done fires once", async () => {
  await show();
  const done = vi.fn();
  element.addEventListener("headway-done", done);
  const said = () => part("[aria-live=polite]").textContent;
  say({ state: "queued" });
  expect(said()).toBe("");
  say({ progress: { percent: 1 } });
  expect(said()).toBe("Import: started");
  say({ progress: { percent: 24 } });
  expect(said()).toBe("Import: started");
  say({ progress: { percent: 51 } });
  expect(said()).toBe("Import: 50 percent");
  expect(done).not.toHaveBeenCalled();
  say({ state: "succeeded", progress: { percent: 100 } });
  say({ state: "succeeded", progress: { percent: 100 }, result: { url: "/x" } });
  expect(said()).toBe("Import: done");
  expect(done).toHaveBeenCalledTimes(1);
});

test("a task that does not exist is said to", async () => {
  await show();
  world.socket.say({ type: "error", id: 1, code: 104, message: "Not found.", retryable: false });
  expect(part(".connection").textContent).toBe("There is no such task.");
});

test("elements that leave unsubscribe", async () => {
  await show();
  element.remove();
  expect(world.socket.last("unsubscribe")).toEqual({ type: "unsubscribe", id: 1 });
});
