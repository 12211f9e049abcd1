import { expect, test } from "vitest";
import { actionsFor } from "../../src/present/actions.ts";
import { task } from "../records.ts";

test("what a state offers", () => {
  expect(actionsFor(task())).toEqual(["pause", "cancel"]);
  expect(actionsFor(task({ state: "paused" }))).toEqual(["resume", "cancel"]);
  expect(actionsFor(task({ state: "succeeded" }))).toEqual([]);
  expect(actionsFor(task({ state: "failed" }))).toEqual(["retry"]);
  expect(actionsFor(task({ state: "of tomorrow" }))).toEqual([]);
});
