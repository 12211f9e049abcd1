/** The title of the tab: how far everything that runs has come, for those who look at another tab. */

import { computed, effect } from "@preact/signals";
import { opened } from "./keys.ts";
import { route } from "./location.ts";
import { t } from "./settings.ts";
import { tasks } from "./tasks.ts";

/** The mean of what runs, 0 to 100; `undefined` while nothing does. */
export const overall = computed(() => {
  let sum = 0;
  let count = 0;
  for (const { state, parent, progress } of tasks.value.values()) {
    if (state !== "running" || parent) continue;
    sum += progress.percent ?? 0;
    count += 1;
  }
  return count === 0 ? undefined : sum / count;
});

export function keepTitle(): void {
  effect(() => {
    const task = route.value.page === "task" ? opened.value : undefined;
    const percent = task ? (task.state === "running" ? task.progress.percent : undefined) : overall.value;
    const before = percent === undefined || percent === null ? "" : `${Math.floor(percent)}% `;
    document.title = `${before}${task ? `${task.title} · ` : ""}${t.value.title}`;
  });
}
