import { expect, test } from "vitest";
import { subjectOf } from "../../src/elements/subject.ts";

const token = (payload: string) => `e30.${btoa(payload).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "")}.x`;

test("whom a token is for", () => {
  expect(subjectOf(token('{"sub":"ada"}'))).toBe("ada");
  expect(subjectOf(token('{"sub":"\\u7528\\u6237>>>???"}'))).toBe("用户>>>???");
});

test.each(["", "abc", "a.b.c", token("[]"), token("null"), token('{"sub":7}'), token("{}")])("nobody: %j", (text) => {
  expect(subjectOf(text)).toBeUndefined();
});
