/** Earlier attempts: how far each came, and why it ended. */

import type { Task } from "../../client/index.ts";
import { percentText } from "../../present/estimate.ts";
import { fill, said, t } from "../state/settings.ts";
import { Ago } from "./Time.tsx";

export function Attempts({ task }: { task: Task }) {
  if (task.earlier.length === 0) return null;
  return (
    <section class="block" aria-labelledby="attempts-title">
      <h2 id="attempts-title">{t.value.attempts}</h2>
      <ol class="attempts">
        <li>
          <b>{fill(t.value.attempt, task.attempt)}</b>
          <span class="muted">{t.value.thisAttempt}</span>
        </li>
        {[...task.earlier].reverse().map(({ attempt, state, percent, error, finished_at }) => (
          <li key={attempt}>
            <b>{fill(t.value.attempt, attempt)}</b>
            <span class="state" data-state={state}>
              {said.value.state[state] ?? state}
              {percent !== undefined && ` ${percentText(percent)}`}
            </span>
            {finished_at !== undefined && (
              <span class="muted">
                <Ago at={finished_at} />
              </span>
            )}
            {error && <p class="attempt-error">{error}</p>}
          </li>
        ))}
      </ol>
    </section>
  );
}
