/** The bell: how many are unread, and what they say. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { Notification } from "../../client/index.ts";
import { isSafe } from "../../present/links.ts";
import { readNotifications } from "../state/act.ts";
import { go, href, taskPath } from "../state/location.ts";
import { me } from "../state/session.ts";
import { fill, t } from "../state/settings.ts";
import { notifications, unread } from "../state/tasks.ts";
import { Icon } from "./icons.tsx";
import { Ago } from "./Time.tsx";

const SHOWN = 50;

export function Bell() {
  const [open, setOpen] = useState(false);
  const ref = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    const away = (event: Event) => {
      if (!ref.current?.contains(event.target as Node)) setOpen(false);
    };
    const leave = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      setOpen(false);
      button.current?.focus();
    };
    // Before the page's own keys, to which Escape means "back".
    document.addEventListener("keydown", leave, true);
    document.addEventListener("pointerdown", away);
    return () => {
      document.removeEventListener("keydown", leave, true);
      document.removeEventListener("pointerdown", away);
    };
  }, [open]);
  const count = unread.value.length;
  const label = `${t.value.notifications}: ${fill(t.value.unread, count)}`;
  return (
    <div class="bell" ref={ref}>
      <button
        ref={button}
        type="button"
        class="icon-button"
        aria-label={label}
        title={label}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <Icon name="bell" />
        {count > 0 && (
          <span class="badge" aria-hidden="true">
            {count > 99 ? "99+" : count}
          </span>
        )}
      </button>
      {open && (
        <section class="inbox" aria-label={t.value.notifications}>
          <header>
            <h2>{t.value.notifications}</h2>
            {/* `read` is for my own channel: what is unread elsewhere is not mine to change. */}
            {mine(unread.value).length > 0 && (
              <button type="button" class="link" onClick={() => void readNotifications("all")}>
                {t.value.markAllRead}
              </button>
            )}
          </header>
          <ul>
            {notifications.value.slice(0, SHOWN).map((notification) => (
              <Entry key={notification.id} notification={notification} onOpen={() => setOpen(false)} />
            ))}
          </ul>
          {notifications.value.length === 0 && <p class="muted empty">{t.value.noNotifications}</p>}
        </section>
      )}
    </div>
  );
}

function Entry({ notification, onOpen }: { notification: Notification; onOpen: () => void }) {
  const { id, title, content, severity, status, created_at } = notification;
  const isMine = mine([notification]).length > 0;
  const to = notification.task ? taskPath(notification.task) : undefined;
  const link = to ? href(to) : notification.link && isSafe(notification.link) ? notification.link : undefined;
  const read = () => status === "unread" && isMine && void readNotifications([id]);
  const follow = (event: MouseEvent) => {
    read();
    onOpen();
    if (to && !event.metaKey && !event.ctrlKey) {
      event.preventDefault();
      go(to);
    }
  };
  return (
    <li class="note" data-severity={severity} data-status={status}>
      <div class="note-body">
        <p class="note-title">
          {link ? (
            <a href={link} onClick={follow}>
              {title}
            </a>
          ) : (
            title
          )}
        </p>
        {content && <p class="note-content">{content}</p>}
        <p class="note-when">
          <Ago at={created_at} />
        </p>
      </div>
      {status === "unread" && isMine && (
        <button
          type="button"
          class="icon-button"
          title={t.value.markRead}
          aria-label={`${t.value.markRead}: ${title}`}
          onClick={read}
        >
          <Icon name="check" />
        </button>
      )}
    </li>
  );
}

function mine(all: readonly Notification[]): Notification[] {
  return all.filter(({ channel }) => channel === `user:${me.value?.user}`);
}
