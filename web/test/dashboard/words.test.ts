import { expect, test } from "vitest";
import { en } from "../../src/dashboard/words/en.ts";
import { zh } from "../../src/dashboard/words/zh.ts";

test("both languages have the same keys, and nothing is empty", () => {
  expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
  for (const text of [...Object.values(en), ...Object.values(zh)]) expect(text).not.toBe("");
});

test("the same values are filled in", () => {
  const places = (text: string) => [...text.matchAll(/\{\d\}/g)].map(String).sort();
  for (const key of Object.keys(en) as (keyof typeof en)[]) expect(places(zh[key]), key).toEqual(places(en[key]));
});
