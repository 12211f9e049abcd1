/** How long ago something was, as a person says it. Pure. */

import type { Language, Words } from "./words.ts";

/** After that a date says more. */
const WEEK = 7 * 86_400;

/** @param now Unix milliseconds, by the clock that `at` is of. */
export function agoText(at: number, now: number, words: Words, language: Language): string {
  const seconds = (now - at) / 1000;
  if (seconds > WEEK) return new Date(at).toLocaleDateString(language);
  return seconds < 5 ? words.justNow : words.ago(words.duration(seconds));
}
