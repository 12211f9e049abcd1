import { expect, test } from "vitest";
import { routeOf, safeNext, taskPath } from "../../src/dashboard/state/location.ts";

test.each([
  ["/", { page: "list" }],
  ["/tasks/", { page: "list" }],
  ["/tasks/01J", { page: "task", id: "01J" }],
  ["/tasks/a%20b", { page: "task", id: "a b" }],
  ["/login", { page: "login" }],
  ["/api", { page: "api" }],
  ["/else", { page: "unknown" }],
])("%s", (path, route) => expect(routeOf(path)).toEqual(route));

test("the address of a task is read back", () => {
  expect(routeOf(taskPath("a_b-1"))).toEqual({ page: "task", id: "a_b-1" });
});

test("a login leads only to our own pages", () => {
  expect(safeNext("/tasks/1")).toBe("/tasks/1");
  for (const next of [null, "", "//evil.test", "/\\evil.test", "https://evil.test", "/login?next=/"]) {
    expect(safeNext(next)).toBe("/");
  }
});
