// @vitest-environment node
/** What a page with one bar has to load, as it is built. */

import { resolve } from "node:path";
import { build, type Rolldown } from "vite";
import { expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "..");
/** Bytes, minified. Raise them for a reason, not by accident. */
const BUDGETS = { "headway.js": 49_000, "inbox-parts": 16_000, lower: 5_500 };

test("headway.js and what it loads when it is needed stay small", async () => {
  const configFile = resolve(ROOT, "vite.elements.config.ts");
  const [{ output }] = (await build({ root: ROOT, configFile, logLevel: "silent", build: { write: false } })) as [
    Rolldown.RolldownOutput,
  ];
  const chunks = output.filter((file) => file.type === "chunk");
  const sizes = Object.fromEntries(
    chunks.map(({ fileName, name, code }) => [fileName === "headway.js" ? fileName : name, Buffer.byteLength(code)]),
  );
  expect(Object.keys(sizes).sort()).toEqual(Object.keys(BUDGETS).sort());
  for (const [name, most] of Object.entries(BUDGETS)) expect(sizes[name], name).toBeLessThan(most);
  // Nothing is loaded before a page asks for it.
  expect(chunks.find(({ isEntry }) => isEntry)?.imports).toEqual([]);
}, 30_000);
