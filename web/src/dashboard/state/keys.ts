/** The keyboard: one listener for the whole page. The focus is the selection, so that every tool sees the same one. */

import { signal } from "@preact/signals";
import type { Task } from "../../client/index.ts";
import { actionsFor } from "../../present/actions.ts";
import { act } from "./act.ts";
import { goBack, route } from "./location.ts";
import { canCancel } from "./session.ts";
import { tasks } from "./tasks.ts";

export const keysShown = signal(false);

/** The record that a task page shows, which need not be in the list. */
export const opened = signal<Task | undefined>(undefined);

export function listenToKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    // A dialog has its own keys.
    if (document.querySelector("dialog[open]")) return;
    if (isTyping(event.target)) leaveField(event);
    else if (press(event.key)) event.preventDefault();
  });
}

function press(key: string): boolean {
  switch (key) {
    case "/":
      return focus("#filter");
    case "j":
    case "ArrowDown":
      return move(1);
    case "k":
    case "ArrowUp":
      return move(-1);
    case "c":
      return actOnTask(["cancel"]);
    case "p":
      return actOnTask(["pause", "resume"]);
    case "?":
      keysShown.value = true;
      return true;
    case "Escape":
      if (route.value.page !== "task") return false;
      goBack();
      return true;
    default:
      return false;
  }
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

/** Out of the filter with Escape, and down into the list. */
function leaveField(event: KeyboardEvent): void {
  if (!(event.target instanceof HTMLInputElement)) return;
  if (event.key === "Escape") event.target.blur();
  else if (event.target.id === "filter" && event.key === "ArrowDown" && move(1)) event.preventDefault();
}

function focus(selector: string): boolean {
  const element = document.querySelector<HTMLElement>(selector);
  element?.focus();
  return element !== null;
}

function move(by: 1 | -1): boolean {
  const rows = [...document.querySelectorAll<HTMLElement>("a[data-row]")];
  if (rows.length === 0) return false;
  const now = rows.findIndex(
    (row) => row === document.activeElement || row.parentElement?.contains(document.activeElement),
  );
  const next = now < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, now + by));
  rows[next]?.focus();
  rows[next]?.closest("li")?.scrollIntoView({ block: "nearest" });
  return true;
}

function actOnTask(actions: readonly ("cancel" | "pause" | "resume")[]): boolean {
  const task = chosenTask();
  if (!task || !canCancel.value) return false;
  const action = actions.find((possible) => actionsFor(task).includes(possible));
  if (!action) return false;
  void act(action, task);
  return true;
}

function chosenTask(): Task | undefined {
  if (route.value.page === "task") return opened.value;
  const id = document.activeElement?.closest<HTMLElement>("[data-task]")?.dataset.task;
  return id === undefined ? undefined : tasks.value.get(id);
}
