/** Times as a person says them; only these parts render again each second. */

import { clock } from "../state/session.ts";
import { fill, language, said, t } from "../state/settings.ts";

/** After that a date says more. */
const WEEK = 7 * 86_400;

/** "5 min ago", with the exact time to look at. */
export function Ago({ at }: { at: number }) {
  const seconds = (clock.value - at) / 1000;
  const exact = new Date(at);
  return (
    <time dateTime={exact.toISOString()} title={exact.toLocaleString(language.value)}>
      {seconds > WEEK
        ? exact.toLocaleDateString(language.value)
        : seconds < 5
          ? t.value.justNow
          : fill(t.value.ago, said.value.duration(seconds))}
    </time>
  );
}

/** How long something has gone on. */
export function Since({ at }: { at: number }) {
  return <span>{said.value.duration(Math.max(0, clock.value - at) / 1000)}</span>;
}
