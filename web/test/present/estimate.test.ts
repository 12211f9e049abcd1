import { expect, test } from "vitest";
import { doneText, etaText, farText, percentText, rateText, silentFor, stepText } from "../../src/present/estimate.ts";
import { words } from "../../src/present/words.ts";
import { task } from "../records.ts";

test("nothing is 100 % before it is", () => {
  expect(percentText(99.99)).toBe("99%");
  expect(percentText(null)).toBe("");
});

test("where no percentage is known, what is done says how far it is", () => {
  expect(farText(task({ progress: { done: 1204, percent: null, unit: "rows" } }), "en")).toBe("1,204 rows");
  expect(farText(task({ progress: { done: 1204, total: 2408, percent: 50 } }), "en")).toBe("50%");
  expect(farText(task({ progress: { done: 0, percent: null } }), "en")).toBe("");
});

test("an estimate counts down from when it was made", () => {
  const running = task({ updated_at: 1000, progress: { eta: 200 } });
  expect(etaText(running, 1000, words.en)).toBe("about 3 min left");
  expect(etaText(running, 166_000, words.en)).toBe("about 40 s left");
  expect(etaText(running, 900_000, words.en)).toBe("a few seconds left");
  expect(etaText(running, 1000, words.zh)).toBe("大约还需 3 分钟");
  expect(etaText({ ...running, state: "paused" }, 1000, words.en)).toBe("");
});

test("rates and amounts", () => {
  expect(rateText(task({ progress: { rate: 118.42, unit: "rows" } }), words.en, "en")).toBe("118 rows/s");
  expect(doneText(task({ progress: { done: 1204, total: 20000, unit: "rows" } }), "en")).toBe("1,204 / 20,000 rows");
  expect(doneText(task(), "en")).toBe("");
  expect(stepText(task({ progress: { step: { index: 2, of: 3, name: "Hash" } } }), words.en)).toBe("2/3 Hash");
});

test("silence is worth saying after a while, and at once when the task is lost", () => {
  expect(silentFor(task({ seen_at: 1000 }), 30_000)).toBeUndefined();
  expect(silentFor(task({ seen_at: 1000 }), 41_000)).toBe(40);
  expect(silentFor(task({ seen_at: 1000, state: "lost" }), 6_000)).toBe(5);
  expect(silentFor(task({ seen_at: 1000, state: "succeeded" }), 90_000)).toBeUndefined();
});
