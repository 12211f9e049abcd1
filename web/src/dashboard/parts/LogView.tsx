/** The log of a task. It follows its end until the reader scrolls up. */

import type { ReadonlySignal } from "@preact/signals";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { LogLines } from "../state/feed.ts";
import { fill, language, t } from "../state/settings.ts";

const SHOWN = 1000;
/** Pixels from the end that still count as being there. */
const NEAR = 24;

export function LogView({ log }: { log: ReadonlySignal<LogLines> }) {
  const box = useRef<HTMLDivElement>(null);
  const [following, setFollowing] = useState(true);
  const { entries, first, trimmed } = log.value;

  useLayoutEffect(() => {
    if (following && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [following, entries]);

  const scrolled = () => {
    const element = box.current;
    if (element) setFollowing(element.scrollHeight - element.scrollTop - element.clientHeight < NEAR);
  };
  const shown = entries.slice(-SHOWN);
  const hidden = entries.length - shown.length;
  return (
    <section class="block" aria-labelledby="log-title">
      <header class="block-head">
        <h2 id="log-title">{t.value.log}</h2>
        {!following && (
          <button type="button" class="link" onClick={() => setFollowing(true)}>
            {t.value.logPaused} · {t.value.logFollow}
          </button>
        )}
      </header>
      {/* Focusable, so that it can be scrolled by keys. */}
      <div
        class="log"
        ref={box}
        onScroll={scrolled}
        role="log"
        aria-live="off"
        aria-labelledby="log-title"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keys
        tabIndex={0}
      >
        {trimmed > 0 && <p class="log-note">{fill(t.value.logTrimmed, trimmed)}</p>}
        {hidden > 0 && <p class="log-note">{fill(t.value.logHidden, hidden)}</p>}
        {shown.length === 0 && <p class="log-note">{t.value.logEmpty}</p>}
        {shown.map(({ at, level, text }, place) => (
          <p key={first + hidden + place} class="log-line" data-level={level}>
            <time>{new Date(at).toLocaleTimeString(language.value, { hourCycle: "h23" })}</time>
            <span class="log-level">{level}</span>
            <span class="log-text">{text}</span>
          </p>
        ))}
      </div>
    </section>
  );
}
