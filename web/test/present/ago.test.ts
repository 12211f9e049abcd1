import { expect, test } from "vitest";
import { agoText } from "../../src/present/ago.ts";
import { words } from "../../src/present/words.ts";

const NOW = Date.UTC(2026, 0, 20);

test.each([
  [0, "just now", "刚刚"],
  [-3_000, "just now", "刚刚"],
  [90_000, "2 min ago", "2 分钟前"],
  [3 * 3_600_000, "3 h ago", "3 小时前"],
])("%d ms", (passed, english, chinese) => {
  expect(agoText(NOW - passed, NOW, words.en, "en")).toBe(english);
  expect(agoText(NOW - passed, NOW, words.zh, "zh").replace(" ", " ")).toBe(chinese);
});

test("after a week, the date", () => {
  expect(agoText(NOW - 8 * 86_400_000, NOW, words.en, "en")).toMatch(/2026/);
});
