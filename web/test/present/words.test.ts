import { expect, test } from "vitest";
import { languageOf, words } from "../../src/present/words.ts";

test("both languages say the same things", () => {
  expect(Object.keys(words.zh).sort()).toEqual(Object.keys(words.en).sort());
  expect(Object.keys(words.zh.state).sort()).toEqual(Object.keys(words.en.state).sort());
});

test.each([
  [4, "4 s", "4 秒"],
  [59.7, "1 min", "1 分钟"],
  [170, "3 min", "3 分钟"],
  [3600, "1 h", "1 小时"],
  [4800, "1 h 20 min", "1 小时 20 分钟"],
  [90000, "1 d 1 h", "1 天 1 小时"],
])("%d seconds", (seconds, english, chinese) => {
  expect(words.en.duration(seconds)).toBe(english);
  expect(words.zh.duration(seconds)).toBe(chinese);
});

test("a language that we do not speak is English", () => {
  expect(["zh-Hans-CN", "ZH", "de", "", null].map(languageOf)).toEqual(["zh", "zh", "en", "en", "en"]);
});
