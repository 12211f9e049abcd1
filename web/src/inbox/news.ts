/** Whether a notification that came is something to tell a person now. Pure. */

import type { Notification } from "../client/model.ts";

/** What is older is in the inbox, and no news: a computer that was asleep does not tell of its night at once. */
const NEWS_MS = 60_000;

/**
 * @param before what was known of it; `undefined` for nothing.
 * @param now Unix milliseconds by the server's clock.
 */
export function isNews(before: Notification | undefined, after: Notification, now: number): boolean {
  // What is ongoing has its bar; the end of it is the news.
  if (after.status !== "unread" || after.ongoing || now - after.created_at > NEWS_MS) return false;
  // Somebody may mark as unread what was read before: only what was made anew is news.
  return before === undefined || before.ongoing || after.created_at > before.created_at;
}
