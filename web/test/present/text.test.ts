import { expect, test } from "vitest";
import { plainText } from "../../src/present/text.ts";

test("what turns text round is left out, and the text stays", () => {
  expect(plainText("invoice\u202egpj.exe")).toBe("invoicegpj.exe");
  expect(plainText("\u2067a\u2069 \u202ab\u202c")).toBe("a b");
});

test("languages that are written from right to left are as they were", () => {
  expect(plainText("\u200fالملف جاهز 12\u200e")).toBe("\u200fالملف جاهز 12\u200e");
});
