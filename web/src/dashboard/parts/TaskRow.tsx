/** One task in the list. */

import { isFinal, type Task } from "../../client/index.ts";
import { etaText, farText, rateText, silentFor, stepText } from "../../present/estimate.ts";
import { href, taskPath } from "../state/location.ts";
import { clock } from "../state/session.ts";
import { fill, language, said, t } from "../state/settings.ts";
import { Actions } from "./Actions.tsx";
import { ChildrenBar, ProgressBar } from "./ProgressBar.tsx";
import { State } from "./State.tsx";
import { Ago } from "./Time.tsx";

export function TaskRow({ task }: { task: Task }) {
  const to = taskPath(task.id);
  const final = isFinal(task.state);
  const line = task.state === "failed" ? (task.error ?? "").split("\n")[0] : task.progress.message;
  return (
    <li class="row" data-state={task.state} data-task={task.id}>
      <div class="row-what">
        <a class="row-title" href={href(to)} data-local={to} data-row="">
          {task.title}
        </a>
        <p class="row-line">
          {task.kind && <span class="kind">{task.kind}</span>}
          {!final && task.progress.step && <span class="row-step">{stepText(task, said.value)}</span>}
          {line && <span class={`row-message ${task.state === "failed" ? "bad" : ""}`}>{line}</span>}
        </p>
      </div>
      <div class="row-how">
        {task.children && !final ? <ChildrenBar children={task.children} /> : <ProgressBar task={task} />}
        <p class="row-numbers">
          <span>{farText(task, language.value)}</span>
          <span>{pace(task)}</span>
        </p>
      </div>
      <div class="row-when">
        <State task={task} />
        <When task={task} />
      </div>
      <Actions task={task} icons />
    </li>
  );
}

/** How fast it goes, or how long it took. */
function pace(task: Task): string {
  if (isFinal(task.state)) {
    if (task.started_at === null || task.finished_at === null) return "";
    return said.value.duration((task.finished_at - task.started_at) / 1000);
  }
  const { children } = task;
  if (children?.count) return fill(t.value.children, children.succeeded ?? 0, children.count);
  return rateText(task, said.value, language.value);
}

/** What of its time matters now: silence, the time left, or how long ago. */
function When({ task }: { task: Task }) {
  const silent = silentFor(task, clock.value);
  if (silent !== undefined && !task.stopping)
    return <span class="warn">{said.value.silent(said.value.duration(silent))}</span>;
  const left = etaText(task, clock.value, said.value);
  if (left) return <span>{left}</span>;
  const at = task.finished_at ?? task.started_at ?? task.created_at;
  return (
    <span>
      {task.attempt > 1 && `${said.value.attempt(task.attempt)} · `}
      <Ago at={at} />
    </span>
  );
}
