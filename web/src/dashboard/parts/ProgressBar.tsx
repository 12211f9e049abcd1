/** The bar of a task: earlier attempts faint, and the children of a group as segments. */

import type { Children, Task, TaskState } from "../../client/index.ts";
import { percentText, stepText } from "../../present/estimate.ts";
import { said } from "../state/settings.ts";

const SEGMENTS: readonly TaskState[] = ["succeeded", "failed", "cancelled", "lost", "paused", "running", "queued"];

export function ProgressBar({ task, large }: { task: Task; large?: boolean }) {
  const { percent } = task.progress;
  const known = percent ?? (task.state === "succeeded" ? 100 : undefined);
  const unknown = known === undefined && task.state === "running";
  const spoken = [said.value.state[task.state], percentText(known), stepText(task, said.value)];
  return (
    <div
      class={`bar ${large ? "large" : ""} ${unknown ? "unknown" : ""}`}
      data-state={task.state}
      role="progressbar"
      aria-label={task.title}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={known === undefined ? undefined : Math.floor(known)}
      aria-valuetext={spoken.filter(Boolean).join(", ")}
    >
      <span class="fill" style={{ width: unknown ? "" : `${known ?? 0}%` }} />
      {task.earlier.map(
        ({ attempt, percent: reached, state }) =>
          reached !== undefined && (
            <span
              key={attempt}
              class="mark"
              style={{ left: `${Math.min(99.5, reached)}%` }}
              title={said.value.earlier(attempt, said.value.state[state], percentText(reached))}
            />
          ),
      )}
    </div>
  );
}

/** How many children are in which state, to scale, and in words below. */
export function ChildrenBar({ children: counts, legend }: { children: Children; legend?: boolean }) {
  const parts = SEGMENTS.map((state) => ({ state, count: counts[state] ?? 0 })).filter(({ count }) => count > 0);
  const label = parts.map(({ state, count }) => `${said.value.state[state]} ${count}`).join(", ");
  return (
    <>
      <div class="segments" role="img" aria-label={label}>
        {parts.map(({ state, count }) => (
          <span key={state} class="segment" data-state={state} style={{ flexGrow: count }} />
        ))}
      </div>
      {legend && (
        <ul class="legend" aria-hidden="true">
          {parts.map(({ state, count }) => (
            <li key={state} data-state={state}>
              {said.value.state[state]} <b>{count}</b>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
