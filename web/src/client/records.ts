/** What a client holds for one subscription: the records by id and the newest cursor, and nothing else (`spec/wire.md` §1). */

import type { Notification, Task } from "./model.ts";
import type { Change, Snapshot } from "./protocol.ts";

export interface Records {
  cursor: string | undefined;
  tasks: Map<string, Task>;
  notifications: Map<string, Notification>;
  /** As the server counts; `undefined` where it does not say. */
  unread: number | undefined;
}

export function noRecords(): Records {
  return { cursor: undefined, tasks: new Map(), notifications: new Map(), unread: undefined };
}

/**
 * Take a snapshot or a change in.
 *
 * A record that is not newer than the one that is held is ignored, so applying anything twice changes nothing.
 *
 * @returns whether anything that a reader can see may have changed.
 */
export function apply(records: Records, message: Snapshot | Change): boolean {
  return message.type === "snapshot" ? applySnapshot(records, message) : applyChange(records, message);
}

function applySnapshot(records: Records, snapshot: Snapshot): boolean {
  if (snapshot.reset) {
    records.tasks.clear();
    records.notifications.clear();
  }
  let changed = snapshot.reset;
  for (const task of snapshot.tasks) changed = put(records.tasks, task) || changed;
  for (const notification of snapshot.notifications) changed = put(records.notifications, notification) || changed;
  for (const id of snapshot.removed) changed = remove(records, id) || changed;
  records.cursor = snapshot.cursor;
  if (snapshot.unread !== undefined) records.unread = snapshot.unread;
  return changed;
}

function applyChange(records: Records, change: Change): boolean {
  let changed = false;
  if (change.task) changed = put(records.tasks, change.task);
  else if (change.notification) changed = put(records.notifications, change.notification);
  else if (change.removed !== undefined) changed = remove(records, change.removed);
  else {
    // A kind of record that this client does not know: nothing to keep but the place.
    records.cursor = change.cursor;
    return false;
  }
  // A stale change brings a stale cursor: keeping the newer one saves the server from repeating itself.
  if (changed || change.removed !== undefined) {
    records.cursor = change.cursor;
    if (change.unread !== undefined) records.unread = change.unread;
  }
  return changed;
}

function put<R extends { id: string; rev: number }>(held: Map<string, R>, record: R): boolean {
  const before = held.get(record.id);
  if (before && before.rev >= record.rev) return false;
  held.set(record.id, record);
  return true;
}

function remove(records: Records, id: string): boolean {
  const task = records.tasks.delete(id);
  return records.notifications.delete(id) || task;
}
