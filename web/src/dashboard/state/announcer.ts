/** What is said to screen readers: one polite region for the whole dashboard. */

import { signal } from "@preact/signals";
import type { Task } from "../../client/index.ts";
import { announcement } from "../../present/announce.ts";
import { said } from "./settings.ts";

export const spoken = signal("");

export function speak(text: string): void {
  if (text) spoken.value = text;
}

/** In a list of many, quarters of each would be noise: starts, ends and losses are what counts. */
export function announceable(before: Task | undefined, after: Task): void {
  if (!before || before.state === after.state || after.parent) return;
  speak(announcement(before, after, said.peek()));
}
