/** `<headway-tasks channel="user:ada" [limit] [kind] [token] [server] [controls] [theme]>`: the tasks of a channel, live. */

import { isFinal, type Task } from "../client/model.ts";
import type { Change } from "../client/protocol.ts";
import type { SubscribeOptions, SubscriptionEvent } from "../client/subscription.ts";
import { announcement } from "../present/announce.ts";
import { words } from "../present/words.ts";
import { Card } from "./card.ts";
import { node, setText } from "./dom.ts";
import { Following } from "./following.ts";

const LIMIT = 20;

export class HeadwayTasks extends Following {
  static readonly observedAttributes = ["channel", "kind", "limit", "token", "server", "controls"];

  readonly #cards = new Map<string, Card>();
  readonly #seen = new Map<string, Task>();
  readonly #empty = node("p", "connection");

  protected override get running(): boolean {
    for (const task of this.subscription?.tasks.values() ?? []) if (!isFinal(task.state)) return true;
    return false;
  }

  protected override wanted(): SubscribeOptions | undefined {
    const channel = this.getAttribute("channel");
    const kind = this.getAttribute("kind");
    this.#seen.clear();
    return channel ? { channel, maxHz: 5, ...(kind && { filter: { kind } }) } : undefined;
  }

  protected override received(event: SubscriptionEvent): void {
    if (event.type !== "records" || !this.subscription) return;
    const tasks = event.change.type === "snapshot" ? event.change.tasks : changed(event.change);
    for (const task of tasks) {
      this.say(announcement(this.#seen.get(task.id), task, words[this.language]));
      this.#seen.set(task.id, task);
    }
  }

  protected override render(): void {
    const limit = Number(this.getAttribute("limit")) || LIMIT;
    const tasks = [...(this.subscription?.tasks.values() ?? [])].sort(inOrder).slice(0, limit);
    const shown = new Set(tasks.map((task) => task.id));
    for (const [id, card] of this.#cards) {
      if (shown.has(id)) continue;
      card.element.remove();
      this.#cards.delete(id);
    }
    const look = {
      now: this.client?.serverNow() ?? Date.now(),
      language: this.language,
      controls: this.hasAttribute("controls"),
    };
    tasks.forEach((task, place) => {
      const card = this.#card(task.id);
      card.show(task, look);
      // Moving a node loses its focus: only those that are out of place.
      if (this.body.children[place] !== card.element)
        this.body.insertBefore(card.element, this.body.children[place] ?? null);
    });
    const empty = tasks.length === 0 && this.subscription?.state === "live";
    setText(this.#empty, empty ? words[this.language].noTasks : "");
    this.body.append(this.#empty);
  }

  #card(id: string): Card {
    let card = this.#cards.get(id);
    if (!card) {
      card = new Card((action) => this.client?.[action](id) ?? Promise.resolve());
      this.#cards.set(id, card);
    }
    return card;
  }
}

function changed({ task }: Change): Task[] {
  return task ? [task] : [];
}

/** Unfinished ones first; the newest first in both. Not by the last change: rows that jump cannot be read. */
function inOrder(a: Task, b: Task): number {
  return Number(isFinal(a.state)) - Number(isFinal(b.state)) || b.created_at - a.created_at || (a.id < b.id ? 1 : -1);
}
