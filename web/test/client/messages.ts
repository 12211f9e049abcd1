/** What a server says, in short. */

export function task(id: string, rev: number, state = "running") {
  return { id, rev, state, title: id };
}

export function snapshot(cursor: string, tasks: object[], reset: boolean, id: unknown = 1) {
  return { type: "snapshot", id, cursor, reset, tasks, notifications: [], removed: [] };
}

export function change(cursor: string, one: object, id: unknown = 1) {
  return { type: "change", id, cursor, task: one };
}
