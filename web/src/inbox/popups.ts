/** Desktop notifications, where somebody has allowed them: one for a browser, however many tabs hear of it. */

import type { Notification as Note } from "../client/model.ts";
import { plainText } from "../present/text.ts";

/** As long as another tab may take to hear of the same. */
const HELD_MS = 60_000;

/** Whether a person can be asked. */
export function mayAsk(): boolean {
  return globalThis.Notification?.permission === "default";
}

/** Ask; only browsers decide whether that shows anything. To be called from a click. */
export async function ask(): Promise<void> {
  await globalThis.Notification?.requestPermission();
}

/**
 * Show it, unless another tab has.
 *
 * @param server tells equal ids of two servers apart.
 * @param open is called when somebody clicks on it.
 */
export function popUp(note: Note, server: string, open: () => void): void {
  if (globalThis.Notification?.permission !== "granted") return;
  const name = `headway ${server} ${note.id}`;
  const show = () => {
    try {
      // The same tag takes the place of what is shown: a second fence, where a browser has no locks.
      const shown = new Notification(plainText(note.title), { body: plainText(note.content), tag: name });
      shown.onclick = () => {
        globalThis.focus();
        shown.close();
        open();
      };
    } catch {
      // Some phones have desktop notifications for service workers only.
    }
  };
  const { locks } = navigator;
  if (!locks) {
    show();
    return;
  }
  // Whoever asks first has the lock; who finds it taken says nothing.
  void locks.request(name, { ifAvailable: true }, async (lock) => {
    if (!lock) return;
    show();
    await new Promise((resolve) => setTimeout(resolve, HELD_MS));
  });
}
