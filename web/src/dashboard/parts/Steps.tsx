/** The planned steps of a task: done, current, to come; each as wide as its weight. */

import { isFinal, type Task } from "../../client/index.ts";
import { fill, t } from "../state/settings.ts";

export function Steps({ task }: { task: Task }) {
  if (task.steps.length === 0) return null;
  const total = task.steps.reduce((sum, step) => sum + (step.weight ?? 1), 0) || 1;
  const index = task.progress.step?.index ?? 0;
  const all = task.state === "succeeded";
  return (
    <section class="block" aria-labelledby="steps-title">
      <h2 id="steps-title">{t.value.steps}</h2>
      <ol class="steps">
        {task.steps.map((step, place) => {
          const at = all || place + 1 < index ? "done" : place + 1 === index ? "now" : "next";
          const share = Math.round(((step.weight ?? 1) / total) * 100);
          return (
            <li
              // Steps are a plan in order, and two may have the same name
              key={place}
              class="step"
              data-at={at}
              data-still={isFinal(task.state) || undefined}
              aria-current={at === "now" ? "step" : undefined}
            >
              <span class="step-mark" aria-hidden="true" />
              <span class="step-name">{step.name}</span>
              <span class="step-share">{fill(t.value.weight, share)}</span>
              <span class="said">{{ done: t.value.stepDone, now: t.value.stepNow, next: t.value.stepNext }[at]}</span>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
