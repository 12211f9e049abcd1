/** A bell with the number of unread notifications, and the list that it opens. It shows an inbox and follows nothing. */

import type { Notification } from "../client/model.ts";
import type { Inbox, Shelf } from "../inbox/inbox.ts";
import { ask, mayAsk } from "../inbox/popups.ts";
import { words as allWords, type Language } from "../present/words.ts";
import { iconButton, label, node, setAttribute, setText, textButton } from "./dom.ts";
import { Entry } from "./inbox-entry.ts";

export interface InboxHooks {
  /** Where a notification leads; `undefined` for nowhere. */
  address(notification: Notification): string | undefined;
  /** Somebody goes there: `preventDefault` keeps the browser from it. */
  followed(notification: Notification, event: MouseEvent): void;
  /** Something that counts time has to be shown, or no more. */
  opened(): void;
}

const MOST = 99;
/** Between the list and the edge of the window. */
const MARGIN = 12;

/** So many fill the list. */
const FEW = 20;

export class InboxView {
  readonly #count = node("span", "count");
  readonly #ongoing = node("span", "ongoing");
  readonly #bell = iconButton("bell", "bell", () => this.toggle());
  readonly #title = node("h2", "inbox-title");
  readonly #shelves: Record<Shelf, HTMLButtonElement> = {
    inbox: textButton("shelf", () => this.#turnTo("inbox")),
    archive: textButton("shelf", () => this.#turnTo("archive")),
  };
  readonly #readAll = textButton("plain read-all", () => this.#do((inbox) => inbox.client.read("all")));
  readonly #desktop = textButton("plain desktop", () => void ask().then(() => this.#render()));
  readonly #connection = node("p", "connection");
  readonly #error = node("p", "error");
  readonly #list = node("ul", "entries");
  readonly #empty = node("p", "empty");
  readonly #older = textButton("plain older", () => void this.#inbox?.loadOlder(this.#shelf));
  readonly #olderSaid = node("p", "empty");
  readonly #panel = node(
    "section",
    "panel",
    node(
      "header",
      "inbox-header",
      node("div", "inbox-row", this.#title, this.#readAll),
      node("div", "inbox-row", node("div", "shelves", ...Object.values(this.#shelves)), this.#desktop),
      this.#connection,
      this.#error,
    ),
    this.#list,
    this.#empty,
    node("footer", "inbox-footer", this.#older, this.#olderSaid),
  );
  readonly element = node("div", "inbox", this.#bell, this.#panel);
  readonly #hooks: InboxHooks;
  readonly #entries = new Map<string, Entry>();
  #inbox: Inbox | undefined;
  #language: Language = "en";
  #shelf: Shelf = "inbox";

  constructor(hooks: InboxHooks) {
    this.#hooks = hooks;
    this.#bell.append(this.#count, this.#ongoing);
    setAttribute(this.#panel, "part", "panel");
    setAttribute(this.#error, "role", "alert");
    setText(this.#error, "");
    setText(this.#connection, "");
    this.#panel.hidden = true;
    for (const part of [this.#count, this.#ongoing]) setAttribute(part, "aria-hidden", "true");
    this.element.addEventListener("keydown", (event) => this.#press(event));
  }

  get isOpen(): boolean {
    return !this.#panel.hidden;
  }

  /**
   * @param inbox what to show; `undefined` while there is none.
   * @param connection what is to be said of the connection.
   */
  show(inbox: Inbox | undefined, language: Language, connection = ""): void {
    this.#inbox = inbox;
    this.#language = language;
    setText(this.#connection, connection);
    this.#render();
  }

  toggle(open = !this.isOpen): void {
    if (open === this.isOpen) return;
    this.#panel.hidden = !open;
    if (open) document.addEventListener("pointerdown", this.#away);
    else document.removeEventListener("pointerdown", this.#away);
    this.#render();
    if (open) {
      this.#fit();
      this.#readOn();
    }
    this.#hooks.opened();
  }

  /** Listen to nothing any more. */
  close(): void {
    document.removeEventListener("pointerdown", this.#away);
  }

  readonly #away = (event: Event): void => {
    if (!event.composedPath().includes(this.element)) this.toggle(false);
  };

  #render(): void {
    const words = allWords[this.#language];
    const unread = this.#inbox?.unread ?? 0;
    label(this.#bell, words.notifications, words.unread(unread));
    setAttribute(this.#bell, "aria-expanded", String(this.isOpen));
    setText(this.#count, unread === 0 ? "" : unread > MOST ? `${MOST}+` : String(unread));
    this.#showOngoing();
    if (!this.isOpen) return;
    setAttribute(this.#panel, "aria-label", words.notifications);
    setText(this.#title, words.notifications);
    for (const shelf of ["inbox", "archive"] as const) {
      setText(this.#shelves[shelf], words[shelf]);
      setAttribute(this.#shelves[shelf], "aria-pressed", String(shelf === this.#shelf));
    }
    setText(this.#readAll, unread > 0 ? words.markAllRead : "");
    setText(this.#desktop, mayAsk() ? words.onDesktop : "");
    this.#showEntries();
    this.#showOlder();
  }

  /** The newest task that goes on, as a line below the bell. */
  #showOngoing(): void {
    const tasks = (this.#inbox?.entries("inbox") ?? []).flatMap(({ ongoing, task }) =>
      ongoing && task !== null ? [this.#inbox?.task(task)] : [],
    );
    this.#ongoing.hidden = tasks.length === 0;
    this.#ongoing.style.setProperty("--_far", `${tasks[0]?.progress.percent ?? 0}%`);
  }

  #showEntries(): void {
    const inbox = this.#inbox;
    const notifications = inbox?.entries(this.#shelf) ?? [];
    const shown = new Set(notifications.map(({ id }) => id));
    for (const [id, { element }] of this.#entries) if (!shown.has(id)) this.#drop(id, element);
    notifications.forEach((notification, place) => {
      const entry = this.#entry(notification.id);
      entry.show({
        notification,
        task: notification.ongoing && notification.task !== null ? inbox?.task(notification.task) : undefined,
        address: this.#hooks.address(notification),
        isMine: inbox?.isMine(notification) ?? false,
        now: inbox?.client.serverNow() ?? 0,
        language: this.#language,
      });
      // Moving a node loses its focus: only those that are out of place.
      const there = this.#list.children[place];
      if (there !== entry.element) this.#list.insertBefore(entry.element, there ?? null);
    });
    const words = allWords[this.#language];
    const empty = this.#shelf === "inbox" ? words.noNotifications : words.noArchived;
    setText(this.#empty, inbox && notifications.length === 0 && inbox.older(this.#shelf) !== "loading" ? empty : "");
  }

  #showOlder(): void {
    const words = allWords[this.#language];
    const state = this.#inbox?.older(this.#shelf) ?? "end";
    setText(this.#older, state === "end" ? "" : state === "loading" ? words.loading : words.loadOlder);
    this.#older.disabled = state === "loading";
    const any = this.#list.children.length > 0;
    setText(this.#olderSaid, state === "failed" ? words.olderFailed : state === "end" && any ? words.noOlder : "");
  }

  #entry(id: string): Entry {
    let entry = this.#entries.get(id);
    if (!entry) {
      entry = new Entry({
        read: ({ id }) => this.#do((inbox) => inbox.client.read([id])),
        unread: ({ id }) => this.#do((inbox) => inbox.client.unread([id])),
        archive: ({ id }) => this.#do((inbox) => inbox.client.archive([id])),
        follow: (notification, event) => this.#follow(notification, event),
      });
      this.#entries.set(id, entry);
    }
    return entry;
  }

  #drop(id: string, element: HTMLElement): void {
    this.#entries.delete(id);
    // Who works through the list with the keyboard goes on with the next one.
    const next = element.contains(this.#focused)
      ? (element.nextElementSibling ?? element.previousElementSibling)
      : null;
    element.remove();
    if (next) (next as HTMLElement).focus();
  }

  get #focused(): Element | null {
    return (this.element.getRootNode() as ShadowRoot).activeElement;
  }

  #follow(notification: Notification, event: MouseEvent): void {
    if (notification.status === "unread" && this.#inbox?.isMine(notification)) {
      this.#do((inbox) => inbox.client.read([notification.id]));
    }
    this.#hooks.followed(notification, event);
  }

  #turnTo(shelf: Shelf): void {
    this.#shelf = shelf;
    this.#render();
    this.#panel.scrollTop = 0;
    this.#readOn();
  }

  /** A list with room left is read on by itself: nobody should have to ask for what may not be there. */
  #readOn(): void {
    const inbox = this.#inbox;
    if (inbox?.older(this.#shelf) === "more" && inbox.entries(this.#shelf).length < FEW) {
      void inbox.loadOlder(this.#shelf);
    }
  }

  #do(action: (inbox: Inbox) => Promise<void>): void {
    if (!this.#inbox) return;
    setText(this.#error, "");
    action(this.#inbox).catch((error: Error) => setText(this.#error, error.message));
  }

  #press(event: KeyboardEvent): void {
    if (!this.isOpen) return;
    if (event.key === "Escape") {
      this.toggle(false);
      this.#bell.focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") this.#move(event.key === "ArrowDown" ? 1 : -1);
    else return;
    event.preventDefault();
    // The page may have these keys for something else.
    event.stopPropagation();
  }

  #move(by: number): void {
    const entries = [...this.#list.children] as HTMLElement[];
    const at = entries.findIndex((entry) => entry.contains(this.#focused));
    entries[at < 0 ? (by > 0 ? 0 : entries.length - 1) : Math.min(entries.length - 1, Math.max(0, at + by))]?.focus();
  }

  /** Into the window, wherever in it the bell is. */
  #fit(): void {
    this.#panel.style.translate = "";
    const { left, right } = this.#panel.getBoundingClientRect();
    const width = document.documentElement.clientWidth;
    const by = Math.max(MARGIN - left, 0) + Math.min(width - MARGIN - right, 0);
    if (by !== 0) this.#panel.style.translate = `${by}px`;
  }
}
