/** The bar: `role="progressbar"`, indeterminate while the percentage is unknown, earlier attempts as faint marks. */

import { isFinal, type Task } from "../client/model.ts";
import { percentText, stepText } from "../present/estimate.ts";
import type { Words } from "../present/words.ts";
import { node, setAttribute } from "./dom.ts";

export class Bar {
  readonly #fill = node("span", "fill");
  readonly element = node("div", "bar", this.#fill);
  #marksOf = 0;

  constructor() {
    setAttribute(this.element, "role", "progressbar");
    setAttribute(this.element, "aria-valuemin", "0");
    setAttribute(this.element, "aria-valuemax", "100");
  }

  show(task: Task, words: Words): void {
    const { percent } = task.progress;
    const known = percent ?? (task.state === "succeeded" ? 100 : undefined);
    const unknown = known === undefined && task.state === "running";
    this.element.classList.toggle("unknown", unknown);
    // Through the object model: a page's policy against inline styles does not forbid that.
    this.#fill.style.width = unknown ? "" : `${known ?? 0}%`;
    setAttribute(this.element, "aria-label", task.title);
    setAttribute(this.element, "aria-valuenow", known === undefined ? undefined : String(Math.floor(known)));
    setAttribute(this.element, "aria-valuetext", this.#spoken(task, known, words));
    if (task.attempt !== this.#marksOf) this.#mark(task, words);
  }

  #spoken(task: Task, known: number | undefined, words: Words): string {
    const state = task.stopping ? words.stopping : words.state[task.state];
    const parts = [percentText(known), stepText(task, words)];
    if (isFinal(task.state) || task.state !== "running" || known === undefined) parts.unshift(state);
    return parts.filter(Boolean).join(", ");
  }

  #mark(task: Task, words: Words): void {
    this.#marksOf = task.attempt;
    for (const old of this.element.querySelectorAll(".mark")) old.remove();
    for (const { attempt, percent, state } of task.earlier) {
      if (percent === undefined) continue;
      const mark = node("span", "mark");
      mark.style.left = `${Math.min(99.5, percent)}%`;
      mark.title = words.earlier(attempt, words.state[state] ?? state, percentText(percent));
      this.element.append(mark);
    }
  }
}
