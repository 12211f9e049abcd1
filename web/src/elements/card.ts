/** One task as a card. It shows what it is given and knows no connection. */

import { isFinal, type Task } from "../client/model.ts";
import { type Action, actionsFor } from "../present/actions.ts";
import { etaText, farText, rateText, silentFor, stepText } from "../present/estimate.ts";
import { resultLinks } from "../present/links.ts";
import { words as allWords, type Language } from "../present/words.ts";
import { Bar } from "./bar.ts";
import { node, setAttribute, setText } from "./dom.ts";

const BUTTONS = ["pause", "resume", "cancel"] as const;
export type ButtonAction = (typeof BUTTONS)[number];

export class Card {
  readonly #bar = new Bar();
  readonly #title = node("span", "title");
  readonly #state = node("span", "state");
  readonly #step = node("span", "step");
  readonly #message = node("span", "message");
  readonly #numbers = node("span", "numbers");
  readonly #line = node("p", "row line", this.#step, this.#message, this.#numbers);
  readonly #note = node("p", "note");
  readonly #error = node("p", "error");
  readonly #links = node("p", "row links");
  readonly #buttons = new Map<ButtonAction, HTMLButtonElement>();
  readonly #footer = node("p", "row");
  readonly element = node(
    "article",
    "card",
    node("p", "row", this.#title, this.#state),
    this.#bar.element,
    this.#line,
    this.#note,
    this.#error,
    this.#links,
    this.#footer,
  );
  #shownResult: unknown;

  constructor(act: (action: ButtonAction) => Promise<unknown>) {
    for (const action of BUTTONS) {
      const button = node("button", action);
      button.type = "button";
      button.addEventListener("click", () => this.#press(button, act(action)));
      this.#buttons.set(action, button);
      this.#footer.append(button);
    }
    setAttribute(this.element, "part", "card");
    setAttribute(this.#bar.element, "part", "bar");
  }

  /** @param now Unix milliseconds of the server's clock. */
  show(task: Task, { now, language, controls }: { now: number; language: Language; controls: boolean }): void {
    const words = allWords[language];
    setAttribute(this.element, "data-state", task.state);
    setText(this.#title, task.title);
    const state = task.stopping ? words.stopping : (words.state[task.state] ?? task.state);
    setText(this.#state, task.attempt > 1 ? `${state} · ${words.attempt(task.attempt)}` : state);
    this.#bar.show(task, words);
    setText(this.#step, isFinal(task.state) ? "" : stepText(task, words));
    setText(this.#message, task.state === "queued" && !task.progress.message ? words.waiting : task.progress.message);
    setText(
      this.#numbers,
      [farText(task, language), rateText(task, words, language), etaText(task, now, words)].filter(Boolean).join(" · "),
    );
    this.#line.hidden = [this.#step, this.#message, this.#numbers].every((part) => part.hidden);
    const silent = silentFor(task, now);
    setText(this.#note, silent === undefined ? "" : words.silent(words.duration(silent)));
    setText(this.#error, task.state === "failed" ? (task.error ?? "") : "");
    this.#showLinks(task.result, words.result);
    this.#showButtons(controls ? actionsFor(task) : [], words, task.title);
  }

  #showLinks(result: unknown, otherwise: string): void {
    // A record that changed in another field brings an equal result: rebuilding would take the focus from a link.
    const shown = JSON.stringify([result, otherwise]);
    if (shown === this.#shownResult) return;
    this.#shownResult = shown;
    const links = resultLinks(result).map(({ title, url }) => {
      const link = node("a", "");
      link.href = url;
      link.textContent = title ?? otherwise;
      if (/^https?:/i.test(url)) link.rel = "noopener noreferrer";
      return link;
    });
    this.#links.replaceChildren(...links);
    this.#links.hidden = links.length === 0;
  }

  #showButtons(actions: readonly Action[], words: Record<ButtonAction, string>, title: string): void {
    for (const [action, button] of this.#buttons) {
      button.textContent = words[action];
      // Where there are several of them, it must be heard whose each is.
      setAttribute(button, "aria-label", `${words[action]}: ${title}`);
      button.hidden = !actions.includes(action);
    }
    this.#footer.hidden = [...this.#buttons.values()].every((button) => button.hidden);
  }

  #press(button: HTMLButtonElement, answer: Promise<unknown>): void {
    button.disabled = true;
    answer
      .catch((error: Error) => setText(this.#error, error.message))
      .finally(() => {
        button.disabled = false;
      });
  }
}
