/** How long to wait before the next attempt: pure, so that tests need no clock and no chance. */

export const FIRST_MS = 500;
export const LIMIT_MS = 30_000;
/** A connection that lived this long was a good one: the next failure starts from the beginning. */
export const STAYED_MS = 10_000;

/**
 * Full jitter: anything from nothing to the ceiling, so that clients which lost the same server do not return as one wave.
 *
 * @param failures how many attempts failed in a row before this one; 0 for the first.
 * @param random a number from 0 to 1.
 */
export function delay(failures: number, random: number): number {
  const ceiling = Math.min(LIMIT_MS, FIRST_MS * 2 ** Math.min(failures, 16));
  return Math.round(random * ceiling);
}
