import { expect, test } from "vitest";
import { HeadwayClient } from "../../src/client/client.ts";
import type { HeadwayTasks } from "../../src/elements/index.ts";
import "../../src/elements/index.ts";
import { World } from "../world.ts";

test("lists a channel, the unfinished first, and keeps to its limit", async () => {
  const world = new World();
  const element = document.createElement("headway-tasks") as HeadwayTasks;
  element.client = new HeadwayClient({ url: "http://jobs.test", token: "t", ...world });
  element.setAttribute("channel", "user:ada");
  element.setAttribute("limit", "2");
  document.body.append(element);
  await world.settle();
  world.socket.open();
  world.socket.welcome();
  const titles = () => [...(element.shadowRoot?.querySelectorAll(".title") ?? [])].map((title) => title.textContent);
  const task = (id: string, rev: number, state: string) => ({ id, rev, state, title: id, created_at: rev });
  const tasks = [task("old", 1, "succeeded"), task("a", 2, "running"), task("b", 3, "queued")];
  world.socket.say({ type: "snapshot", id: 1, cursor: "e.3", reset: true, tasks });
  expect(titles()).toEqual(["b", "a"]);
  world.socket.say({ type: "change", id: 1, cursor: "e.4", removed: "b" });
  expect(titles()).toEqual(["a", "old"]);
  element.remove();
});
