/** `<headway-task task="…" [token] [server] [controls] [theme]>`: one task, live. */

import { isFinal, type Task } from "../client/model.ts";
import type { SubscribeOptions, SubscriptionEvent } from "../client/subscription.ts";
import { announcement } from "../present/announce.ts";
import { words } from "../present/words.ts";
import { Card } from "./card.ts";
import { Following } from "./following.ts";

/**
 * Fires `headway-change` with the task for each state that arrives, and `headway-done` once an attempt has really
 * ended: not when a connection does.
 */
export class HeadwayTask extends Following {
  static readonly observedAttributes = ["task", "token", "server", "controls"];

  readonly #card = new Card((action) => this.client?.[action](this.task) ?? Promise.resolve());
  #shown: Task | undefined;

  constructor() {
    super();
    this.#card.element.hidden = true;
    this.body.append(this.#card.element);
  }

  get task(): string {
    return this.getAttribute("task") ?? "";
  }

  set task(id: string) {
    this.setAttribute("task", id);
  }

  /** The newest record. */
  get record(): Task | undefined {
    return this.subscription?.tasks.get(this.task);
  }

  protected override get running(): boolean {
    const task = this.record;
    return task !== undefined && (!isFinal(task.state) || task.stopping);
  }

  protected override wanted(): SubscribeOptions | undefined {
    if (this.#shown && this.#shown.id !== this.task) this.#shown = undefined;
    return this.task ? { task: this.task } : undefined;
  }

  protected override received(event: SubscriptionEvent): void {
    const task = this.record;
    const before = this.#shown;
    if (event.type !== "records" || !task) return;
    this.#shown = task;
    this.say(announcement(before, task, words[this.language]));
    this.fire("headway-change", task);
    const known = before && before.attempt === task.attempt && isFinal(before.state);
    if (isFinal(task.state) && !known) this.fire("headway-done", task);
  }

  protected override render(): void {
    // What was shown stays while the connection is away.
    const task = this.record ?? (this.subscription?.state === "waiting" ? this.#shown : undefined);
    this.#card.element.hidden = !task;
    if (!task) return;
    this.#card.show(task, {
      now: this.client?.serverNow() ?? Date.now(),
      language: this.language,
      controls: this.hasAttribute("controls"),
    });
  }
}
