/** What a reader does to a task: ask back before cancelling, and say what went wrong. */

import { signal } from "@preact/signals";
import { HeadwayError, type Task } from "../../client/index.ts";
import type { Action } from "../../present/actions.ts";
import * as rest from "./rest.ts";
import { client } from "./session.ts";

/** The task that somebody is asked about. */
export const asking = signal<Task | undefined>(undefined);
/** A sentence that goes away by itself. */
export const notice = signal("");

let hiding: ReturnType<typeof setTimeout> | undefined;

export function tell(text: string): void {
  notice.value = text;
  clearTimeout(hiding);
  hiding = setTimeout(() => {
    notice.value = "";
  }, 6000);
}

export async function act(action: Action, task: Task): Promise<void> {
  if (action === "cancel") {
    asking.value = task;
    return;
  }
  await carryOut(action, task.id);
}

export async function confirmCancel(): Promise<void> {
  const task = asking.value;
  asking.value = undefined;
  if (task) await carryOut("cancel", task.id);
}

async function carryOut(action: Action, id: string): Promise<void> {
  try {
    if (action === "retry") await rest.retryTask(id);
    else await client.value?.[action](id);
  } catch (error) {
    report(error);
  }
}

function report(error: unknown): void {
  tell(error instanceof HeadwayError ? error.message : String(error));
}
