import { expect, test } from "vitest";
import { announcement } from "../../src/present/announce.ts";
import { words } from "../../src/present/words.ts";
import { task } from "../records.ts";

test("a whole task makes five announcements, however many ticks it has", () => {
  const said: string[] = [];
  let before = task({ state: "queued" });
  const step = (fields: Record<string, unknown>) => {
    const after = task(fields);
    const text = announcement(before, after, words.en);
    if (text) said.push(text);
    before = after;
  };
  for (let percent = 0; percent <= 100; percent += 0.5) step({ progress: { percent } });
  step({ state: "succeeded", progress: { percent: 100 } });
  expect(said).toEqual([
    "Import: started",
    "Import: 25 percent",
    "Import: 50 percent",
    "Import: 75 percent",
    "Import: done",
  ]);
});

test("a page that has just opened is told nothing", () => {
  expect(announcement(undefined, task({ progress: { percent: 60 } }), words.en)).toBe("");
});

test("failure, loss and a second attempt are news", () => {
  const running = task({ progress: { percent: 60 } });
  expect(announcement(running, task({ state: "failed" }), words.en)).toBe("Import: failed");
  expect(announcement(running, task({ state: "lost" }), words.en)).toBe("Import: lost");
  expect(announcement(running, task({ attempt: 2 }), words.zh)).toBe("Import：已开始");
});
