/** The records of `spec/wire.md` §5, with every default filled in. */

export type TaskState = "queued" | "running" | "paused" | "succeeded" | "failed" | "cancelled" | "lost";

export interface Step {
  index: number;
  of: number;
  name: string;
}

export interface Progress {
  done: number;
  total: number | null;
  /** 0 to 100 over all steps; null while unknown. */
  percent: number | null;
  message: string;
  unit: string;
  step: Step | null;
  /** Units a second. */
  rate: number | null;
  /** Seconds left at the task's `updated_at`. */
  eta: number | null;
  /** Percent points a second. */
  speed: number | null;
  detail: Record<string, unknown> | null;
}

export interface StepPlan {
  name: string;
  weight?: number;
}

export interface Attempt {
  attempt: number;
  state: TaskState;
  percent?: number;
  error?: string;
  started_at?: number;
  finished_at?: number;
}

export type Children = Partial<Record<TaskState | "count" | "weight" | "points", number>>;

export interface Task {
  id: string;
  channel: string;
  rev: number;
  title: string;
  kind: string;
  state: TaskState;
  attempt: number;
  progress: Progress;
  created_at: number;
  updated_at: number;
  tags: string[];
  meta: Record<string, unknown> | null;
  parent: string | null;
  /** A short id for people, from 1; null from a server that gives none. */
  number: number | null;
  weight: number;
  steps: StepPlan[];
  children: Children | null;
  result: unknown;
  error: string | null;
  started_at: number | null;
  finished_at: number | null;
  seen_at: number | null;
  progressed_at: number | null;
  stopping: boolean;
  lost_after: number | null;
  earlier: Attempt[];
}

export type Severity = "info" | "success" | "warning" | "error";

export interface Notification {
  id: string;
  channel: string;
  rev: number;
  title: string;
  status: "unread" | "read" | "archived";
  created_at: number;
  updated_at: number;
  content: string;
  kind: string;
  severity: Severity;
  link: string | null;
  source: string | null;
  task: string | null;
  data: Record<string, unknown> | null;
  /** It stands for its unfinished task, and becomes the message that this has ended. */
  ongoing: boolean;
}

export interface LogEntry {
  at: number;
  level: string;
  text: string;
}

const PROGRESS: Progress = {
  done: 0,
  total: null,
  percent: null,
  message: "",
  unit: "",
  step: null,
  rate: null,
  eta: null,
  speed: null,
  detail: null,
};

const TASK = {
  title: "",
  kind: "",
  attempt: 1,
  created_at: 0,
  updated_at: 0,
  tags: [],
  meta: null,
  parent: null,
  number: null,
  weight: 1,
  steps: [],
  children: null,
  result: null,
  error: null,
  started_at: null,
  finished_at: null,
  seen_at: null,
  progressed_at: null,
  stopping: false,
  lost_after: null,
  earlier: [],
};

const NOTIFICATION = {
  title: "",
  created_at: 0,
  updated_at: 0,
  content: "",
  kind: "",
  severity: "info",
  link: null,
  source: null,
  task: null,
  data: null,
  ongoing: false,
};

/** A task as it came over the wire or REST, completed; `undefined` when it is none. */
export function readTask(value: unknown): Task | undefined {
  if (!isRecord(value) || typeof value.state !== "string") return undefined;
  const progress = isObject(value.progress) ? { ...PROGRESS, ...value.progress } : PROGRESS;
  return { ...TASK, ...value, progress } as unknown as Task;
}

export function readNotification(value: unknown): Notification | undefined {
  if (!isRecord(value) || typeof value.status !== "string") return undefined;
  return { ...NOTIFICATION, ...value } as unknown as Notification;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return isObject(value) && typeof value.id === "string" && typeof value.rev === "number";
}

/** Whether nothing more will come in this attempt. */
export function isFinal(state: TaskState): boolean {
  return state === "succeeded" || state === "failed" || state === "cancelled";
}
