import { expect, test } from "vitest";
import { delay } from "../../src/client/backoff.ts";

test("the ceiling doubles from half a second to thirty seconds", () => {
  expect([0, 1, 2, 3, 4, 5, 6, 7, 1000].map((failures) => delay(failures, 1))).toEqual([
    500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000,
  ]);
});

test("jitter is full: anything from nothing to the ceiling", () => {
  expect(delay(3, 0)).toBe(0);
  expect(delay(3, 0.5)).toBe(2000);
});
