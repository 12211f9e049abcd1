/** The few REST calls of the dashboard; the cookie says who we are. */

import { HeadwayError, readTask, type Task } from "../../client/index.ts";
import { href } from "./location.ts";

export interface Me {
  user: string;
  can: string[];
  channels: string[];
  server: string;
  expires_at?: number;
}

export interface TaskPage {
  tasks: Task[];
  next: string | null;
}

export async function me(): Promise<Me> {
  return (await call("GET", "/api/me")) as Me;
}

export async function login(proof: { code: string } | { token: string }): Promise<void> {
  await call("POST", "/api/login", proof);
}

export async function logout(): Promise<void> {
  await call("POST", "/api/logout");
}

export async function retryTask(id: string): Promise<void> {
  await call("POST", `/api/tasks/${encodeURIComponent(id)}/retry`);
}

/** Finished tasks, the newest first. */
export async function finishedTasks(after: string | undefined): Promise<TaskPage> {
  const query = new URLSearchParams({ state: "succeeded,failed,cancelled", limit: "50" });
  if (after) query.set("after", after);
  const page = (await call("GET", `/api/tasks?${query}`)) as { tasks: unknown[]; next: string | null };
  return { tasks: page.tasks.flatMap((task) => readTask(task) ?? []), next: page.next };
}

export async function openapi(): Promise<unknown> {
  return call("GET", "/api/openapi.json");
}

async function call(method: string, path: string, body?: unknown): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(href(path), {
      method,
      credentials: "same-origin",
      headers: {
        accept: "application/json",
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  } catch {
    throw new HeadwayError(0, "The server cannot be reached.", true);
  }
  const text = await response.text();
  const json = text ? safeParse(text) : undefined;
  if (response.ok) return json;
  const problem = (json ?? {}) as { code?: number; message?: string; retryable?: boolean };
  throw new HeadwayError(
    problem.code ?? response.status,
    problem.message ?? `${response.status} ${response.statusText}`,
    problem.retryable ?? response.status >= 500,
  );
}

function safeParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
