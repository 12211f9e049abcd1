/** Times as a person says them; only these parts render again each second. */

import { agoText } from "../../present/ago.ts";
import { clock } from "../state/session.ts";
import { language, said } from "../state/settings.ts";

/** "5 min ago", with the exact time to look at. */
export function Ago({ at }: { at: number }) {
  const exact = new Date(at);
  return (
    <time dateTime={exact.toISOString()} title={exact.toLocaleString(language.value)}>
      {agoText(at, clock.value, said.value, language.value)}
    </time>
  );
}

/** How long something has gone on. */
export function Since({ at }: { at: number }) {
  return <span>{said.value.duration(Math.max(0, clock.value - at) / 1000)}</span>;
}
