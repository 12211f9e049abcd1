import { expect, test } from "vitest";
import { isSafe, resultLinks } from "../../src/present/links.ts";

test.each(["https://a.test/x", "HTTP://a.test", "/files/1", "files/1", "?x=1", "a/b:c"])("%s is a link", (url) => {
  expect(isSafe(url)).toBe(true);
});

test.each([
  "javascript:alert(1)",
  "java\tscript:alert(1)",
  " javascript:alert(1)",
  "data:text/html,x",
  "//evil.test",
  "/\\evil.test",
  "\\\\evil.test",
  "",
])("%j is none", (url) => {
  expect(isSafe(url)).toBe(false);
});

test("links of a result", () => {
  expect(resultLinks({ url: "/a" })).toEqual([{ url: "/a", title: undefined }]);
  expect(resultLinks({ links: [{ title: "A", url: "/a" }, { url: "javascript:x" }, 7] })).toEqual([
    { url: "/a", title: "A" },
  ]);
  expect(resultLinks("https://a.test")).toEqual([]);
  expect(resultLinks(null)).toEqual([]);
});
