import { readTask, type Task } from "../src/client/model.ts";

/** A running task with what a test says. */
export function task(fields: Record<string, unknown> = {}): Task {
  const made = readTask({ id: "a", rev: 1, channel: "user:ada", title: "Import", state: "running", ...fields });
  if (!made) throw new Error("That is no task.");
  return made;
}
