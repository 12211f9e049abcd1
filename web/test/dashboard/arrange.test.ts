import { expect, test } from "vitest";
import type { Task } from "../../src/client/index.ts";
import { countByChip, grouped, kindsOf, matching } from "../../src/dashboard/state/arrange.ts";
import { task } from "../records.ts";

function known(...fields: Record<string, unknown>[]) {
  return new Map(fields.map((each) => [each.id as string, task(each)]));
}

const none = { text: "", kind: "" };

test("every word has to occur somewhere", () => {
  const tasks = known(
    { id: "a", title: "Import customers", kind: "import" },
    { id: "b", title: "Export", tags: ["customers"] },
    { id: "c", title: "Other", progress: { message: "cat.png" } },
  );
  const ids = (text: string) => matching(tasks, { text, kind: "" }).map(({ id }) => id);
  expect(ids("CUSTOMERS")).toEqual(["a", "b"]);
  expect(ids("import cust")).toEqual(["a"]);
  expect(ids("cat.png")).toEqual(["c"]);
  expect(matching(tasks, { text: "", kind: "import" })).toHaveLength(1);
});

test("parts are left to the page of the whole, until they are searched for", () => {
  const tasks = known({ id: "whole" }, { id: "part", title: "cat.png", parent: "whole" }, { id: "x", parent: "gone" });
  expect(matching(tasks, none).map(({ id }) => id)).toEqual(["whole", "x"]);
  expect(matching(tasks, { text: "cat", kind: "" }).map(({ id }) => id)).toEqual(["part"]);
});

test("groups, and an order that ticks do not change", () => {
  const tasks = [
    task({ id: "r1", started_at: 1, updated_at: 99 }),
    task({ id: "r2", started_at: 2, updated_at: 3 }),
    task({ id: "q2", state: "queued", created_at: 2 }),
    task({ id: "q1", state: "queued", created_at: 1 }),
    task({ id: "l", state: "lost" }),
    task({ id: "p", state: "paused" }),
    task({ id: "f1", state: "failed", finished_at: 5 }),
    task({ id: "f2", state: "succeeded", finished_at: 6 }),
  ];
  const ids = (chip: Parameters<typeof grouped>[1]) =>
    Object.fromEntries(
      Object.entries(grouped(tasks, chip)).map(([name, group]: [string, Task[]]) => [name, group.map(({ id }) => id)]),
    );
  expect(ids("all")).toEqual({
    attention: ["p", "l"],
    running: ["r2", "r1"],
    queued: ["q1", "q2"],
    finished: ["f2", "f1"],
  });
  expect(ids("failed")).toEqual({ attention: [], running: [], queued: [], finished: ["f1"] });
});

test("counts and kinds", () => {
  const tasks = [task({ kind: "b" }), task({ kind: "a", state: "failed" }), task({ state: "of tomorrow" })];
  expect(countByChip(tasks)).toMatchObject({ all: 3, running: 1, failed: 1, queued: 0 });
  expect(kindsOf(tasks)).toEqual(["a", "b"]);
});
