import { expect, test } from "vitest";
import type { Notification } from "../../src/client/model.ts";
import { isNews } from "../../src/inbox/news.ts";

const NOW = 1_000_000;

function note(fields: Partial<Notification>): Notification {
  return { id: "n", status: "unread", ongoing: false, created_at: NOW, updated_at: NOW, ...fields } as Notification;
}

test.each([
  ["a new one", undefined, note({}), true],
  ["one that was read elsewhere before it came here", undefined, note({ status: "read" }), false],
  ["one of the night", undefined, note({ created_at: NOW - 60_001 }), false],
  ["one that is ongoing", undefined, note({ ongoing: true }), false],
  ["the end of an ongoing one", note({ ongoing: true }), note({}), true],
  ["another end, of the next attempt", note({ created_at: NOW - 5000, status: "read" }), note({}), true],
  ["one that was read", note({}), note({ status: "read" }), false],
  ["one that somebody marks as unread again", note({ status: "read" }), note({}), false],
])("%s", (_, before, after, expected) => {
  expect(isNews(before, after, NOW)).toBe(expected);
});
