/** Who is logged in, and the one client that all pages share. */

import { computed, effect, signal } from "@preact/signals";
import { HeadwayClient, HeadwayError, type Status, TOKEN_EXPIRED } from "../../client/index.ts";
import { announceable } from "./announcer.ts";
import { closeInbox, openInbox } from "./inbox.ts";
import { go, href, path, route } from "./location.ts";
import * as rest from "./rest.ts";
import { followChannels, forgetChannels } from "./tasks.ts";

export const me = signal<rest.Me | undefined>(undefined);
export const client = signal<HeadwayClient | undefined>(undefined);
export const status = signal<Status>({ state: "connecting" });
/** Why nothing can be shown, when that is so. */
export const trouble = signal<HeadwayError | undefined>(undefined);

/** Unix milliseconds of the server's clock, once a second: what counts time on the screen reads it. */
export const clock = signal(Date.now());

export const canCancel = computed(() => me.value?.can.some((ability) => ability === "cancel" || ability === "admin"));
export const canPublish = computed(() => me.value?.can.some((ability) => ability === "publish" || ability === "admin"));

/** Why a login page came up by itself; undefined when somebody went there. */
export const ended = signal<"expired" | "refused" | undefined>(undefined);

let beginning = false;

/** Ask who we are; connect, or go to the login page. */
export async function begin(): Promise<void> {
  if (beginning) return;
  beginning = true;
  trouble.value = undefined;
  try {
    const who = await rest.me();
    me.value = who;
    connect(who);
  } catch (error) {
    if (isRefusal(error)) toLogin();
    else trouble.value = error instanceof HeadwayError ? error : new HeadwayError(0, String(error), true);
  } finally {
    beginning = false;
  }
}

function connect(who: rest.Me): void {
  const made = new HeadwayClient({ url: new URL(href("/"), location.href).href });
  made.on("status", (now) => {
    status.value = now;
    if (now.state === "refused") void checkStillIn(now.error);
  });
  client.value = made;
  const notifications = openInbox(made);
  followChannels(
    made,
    who.channels.filter((channel) => !channel.includes("*")),
    announceable,
    (subscription, event) => notifications.received(subscription, event),
  );
}

/** Stop everything that belonged to somebody. */
export async function logOut(): Promise<void> {
  ended.value = undefined;
  await rest.logout().catch(() => undefined);
  client.value?.closeEverywhere("Logged out in another tab.");
  end();
  go("/login");
}

export function end(): void {
  client.value?.close();
  client.value = undefined;
  me.value = undefined;
  closeInbox();
  forgetChannels();
}

export function keepTime(): void {
  setInterval(() => {
    clock.value = client.value?.serverNow() ?? Date.now();
  }, 1000);
}

/** Load whoever is logged in as soon as a page asks for it. */
export function watchSession(): void {
  effect(() => {
    const { page } = route.value;
    if (page === "list" || page === "task") {
      if (!client.peek()) void begin();
    }
  });
}

async function checkStillIn(why: HeadwayError): Promise<void> {
  try {
    await rest.me();
  } catch (error) {
    if (!isRefusal(error)) return;
    // A cookie goes with the token that it holds: what is asked then says only that there is none.
    ended.value = why.code === TOKEN_EXPIRED ? "expired" : "refused";
    toLogin();
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof HeadwayError && error.code >= 400 && error.code < 500;
}

function toLogin(): void {
  const next = path.peek();
  end();
  go(next === "/" ? "/login" : `/login?next=${encodeURIComponent(next)}`, "replace");
}
