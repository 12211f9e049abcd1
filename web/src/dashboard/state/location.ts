/** Which page is shown. The server can be mounted below a path: addresses are relative to where the scripts came from. */

import { computed, signal } from "@preact/signals";

export type Route =
  | { page: "list" }
  | { page: "task"; id: string }
  | { page: "login" }
  | { page: "api" }
  | { page: "unknown" };

// In a variable, or the bundler takes the address for a file.
const script = import.meta.url;
const base = import.meta.env.PROD ? new URL("..", script).pathname : "/";

export const path = signal(currentPath());
export const route = computed(() => routeOf(path.value));

export function routeOf(path: string): Route {
  const clean = path.replace(/\/+$/, "") || "/";
  if (clean === "/" || clean === "/tasks") return { page: "list" };
  if (clean === "/login") return { page: "login" };
  if (clean === "/api") return { page: "api" };
  const task = /^\/tasks\/([^/]+)$/.exec(clean);
  return task?.[1] ? { page: "task", id: decodeURIComponent(task[1]) } : { page: "unknown" };
}

/** The address of a path of ours, for `href`. */
export function href(to: string): string {
  return base.replace(/\/$/, "") + to;
}

export function taskPath(id: string): string {
  return `/tasks/${encodeURIComponent(id)}`;
}

let depth = 0;

export function go(to: string, how: "push" | "replace" = "push"): void {
  if (how === "push") depth += 1;
  history[how === "push" ? "pushState" : "replaceState"](null, "", href(to));
  path.value = currentPath();
  scrollTo(0, 0);
}

/** To the page before when it was ours, else to the list. */
export function goBack(): void {
  if (depth > 0) history.back();
  else go("/");
}

/** Follow the browser's own buttons, and clicks on our links. */
export function followLocation(): void {
  addEventListener("popstate", () => {
    depth = Math.max(0, depth - 1);
    path.value = currentPath();
  });
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const link = (event.target as Element | null)?.closest?.("a[data-local]");
    if (!link) return;
    event.preventDefault();
    go(link.getAttribute("data-local") ?? "/");
  });
}

/** A path that may be gone to after a login: ours, and nobody else's. */
export function safeNext(next: string | null): string {
  return next && /^\/(?![/\\])/.test(next) && !next.startsWith("/login") ? next : "/";
}

function currentPath(): string {
  const whole = location.pathname;
  return whole.startsWith(base) ? `/${whole.slice(base.length)}` : whole;
}
