/** One notification in the list. It shows what it is given. */

import { isFinal, type Notification, type Task } from "../client/model.ts";
import { agoText } from "../present/ago.ts";
import { etaText, farText, stepText } from "../present/estimate.ts";
import { isSafe } from "../present/links.ts";
import { plainText } from "../present/text.ts";
import { words as allWords, type Language } from "../present/words.ts";
import { Bar } from "./bar.ts";
import { iconButton, label, node, setAttribute, setText } from "./dom.ts";

export interface EntryActions {
  read(notification: Notification): void;
  unread(notification: Notification): void;
  archive(notification: Notification): void;
  /** Somebody goes where it leads; `preventDefault` of the event keeps the browser from going there. */
  follow(notification: Notification, event: MouseEvent): void;
}

export interface EntryLook {
  notification: Notification;
  /** The task that it stands for. */
  task: Task | undefined;
  /** Where a click leads; `undefined` for nowhere. */
  address: string | undefined;
  isMine: boolean;
  /** Unix milliseconds of the server's clock. */
  now: number;
  language: Language;
}

export class Entry {
  readonly #severity = node("span", "hidden");
  readonly #link = node("a", "entry-link");
  readonly #text = node("span", "entry-text");
  readonly #content = node("p", "entry-content");
  readonly #bar = new Bar();
  readonly #far = node("p", "entry-far");
  readonly #source = node("span", "entry-source");
  readonly #when = node("time", "");
  readonly #read = iconButton("read", "check", () => this.#shown && this.#actions.read(this.#shown));
  readonly #unread = iconButton("unread", "unread", () => this.#shown && this.#actions.unread(this.#shown));
  readonly #archive = iconButton("archive", "archive", () => this.#shown && this.#actions.archive(this.#shown));
  readonly element = node(
    "li",
    "entry",
    node(
      "div",
      "entry-body",
      node("p", "entry-title", this.#severity, this.#link, this.#text),
      this.#content,
      this.#bar.element,
      this.#far,
      node("p", "entry-when", this.#source, this.#when),
    ),
    node("div", "entry-actions", this.#read, this.#unread, this.#archive),
  );
  readonly #actions: EntryActions;
  #shown: Notification | undefined;

  constructor(actions: EntryActions) {
    this.#actions = actions;
    this.element.tabIndex = -1;
    setAttribute(this.#bar.element, "part", "bar");
    for (const part of [this.#link, this.#text, this.#content, this.#source]) part.dir = "auto";
    this.#link.addEventListener("click", (event) => this.#shown && actions.follow(this.#shown, event));
  }

  show({ notification, task, address, isMine, now, language }: EntryLook): void {
    const words = allWords[language];
    const { title, content, severity, status, source, created_at } = notification;
    this.#shown = notification;
    setAttribute(this.element, "data-id", notification.id);
    setAttribute(this.element, "data-severity", severity);
    setAttribute(this.element, "data-status", isMine ? status : "read");
    setText(this.#severity, severity === "info" ? "" : `${words.severity[severity] ?? severity}: `);
    setText(this.#link, address === undefined ? "" : plainText(title));
    setText(this.#text, address === undefined ? plainText(title) : "");
    if (address === undefined) this.#link.removeAttribute("href");
    else if (this.#link.getAttribute("href") !== address) this.#link.setAttribute("href", address);
    this.#link.rel = "noopener noreferrer";
    setText(this.#content, plainText(content));
    this.#showTask(task, now, language);
    setText(this.#source, plainText(source ?? ""));
    setText(this.#when, agoText(created_at, now, words, language));
    setAttribute(this.#when, "datetime", new Date(created_at).toISOString());
    setAttribute(this.#when, "title", new Date(created_at).toLocaleString(language));
    label(this.#read, words.markRead, plainText(title));
    label(this.#unread, words.markUnread, plainText(title));
    label(this.#archive, words.putAway, plainText(title));
    this.#read.hidden = !isMine || status !== "unread";
    this.#unread.hidden = !isMine || status === "unread";
    this.#archive.hidden = !isMine || status === "archived";
  }

  #showTask(task: Task | undefined, now: number, language: Language): void {
    const words = allWords[language];
    const shown = task && !isFinal(task.state) ? task : undefined;
    this.#bar.element.hidden = !shown;
    setAttribute(this.element, "data-state", shown?.state);
    if (!shown) {
      setText(this.#far, "");
      return;
    }
    this.#bar.show(shown, words);
    const state = shown.state === "running" ? "" : words.state[shown.state];
    const parts = [state, stepText(shown, words), farText(shown, language), etaText(shown, now, words)];
    setText(this.#far, parts.filter(Boolean).join(" · "));
  }
}

/** Where a notification leads by itself: nowhere, unless that is safe. */
export function ownAddress({ link }: Notification): string | undefined {
  return link !== null && isSafe(link) ? link : undefined;
}
