/** One task, whole. */

import type { ReadonlySignal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { isFinal, type Task } from "../../client/index.ts";
import { doneText, etaText, percentText, rateText, silentFor, stepText } from "../../present/estimate.ts";
import { resultLinks } from "../../present/links.ts";
import { Actions } from "../parts/Actions.tsx";
import { Attempts } from "../parts/Attempts.tsx";
import { Data, Facts } from "../parts/Facts.tsx";
import { Icon } from "../parts/icons.tsx";
import { LogView } from "../parts/LogView.tsx";
import { ChildrenBar, ProgressBar } from "../parts/ProgressBar.tsx";
import { State } from "../parts/State.tsx";
import { Steps } from "../parts/Steps.tsx";
import { TaskRow } from "../parts/TaskRow.tsx";
import { type Feed, follow } from "../state/feed.ts";
import { opened } from "../state/keys.ts";
import { href } from "../state/location.ts";
import { client, clock } from "../state/session.ts";
import { language, said, t } from "../state/settings.ts";
import { tasks } from "../state/tasks.ts";

export function TaskPage({ id }: { id: string }) {
  const [feed, setFeed] = useState<Feed>();
  const connected = client.value;
  useEffect(() => {
    if (!connected) return;
    const made = follow(connected, id, tasks.peek().get(id));
    const stop = made.task.subscribe((task) => {
      opened.value = task;
    });
    setFeed(made);
    return () => {
      stop();
      made.close();
      opened.value = undefined;
    };
  }, [connected, id]);

  return (
    <div class="page">
      <a class="back" href={href("/")} data-local="/">
        <Icon name="back" /> {t.value.back}
      </a>
      {feed && <Shown feed={feed} />}
    </div>
  );
}

function Shown({ feed }: { feed: Feed }) {
  const task = feed.task.value;
  if (feed.missing.value) {
    return (
      <div class="nothing">
        <h1>{t.value.notFound}</h1>
        <p class="muted">{t.value.notFoundHint}</p>
      </div>
    );
  }
  if (!task) return <p class="muted">{t.value.loading} …</p>;
  return (
    <>
      <Head task={task} />
      <div class="columns">
        <div>
          <Outcome task={task} />
          <Steps task={task} />
          {task.children && <Parts task={task} parts={feed.parts} />}
          <LogView log={feed.log} />
        </div>
        <div>
          <Attempts task={task} />
          <Facts task={task} />
        </div>
      </div>
    </>
  );
}

function Head({ task }: { task: Task }) {
  const silent = silentFor(task, clock.value);
  const numbers = [
    percentText(task.progress.percent),
    doneText(task, language.value),
    rateText(task, said.value, language.value),
    etaText(task, clock.value, said.value),
  ].filter(Boolean);
  const line = [isFinal(task.state) ? "" : stepText(task, said.value), task.progress.message].filter(Boolean);
  return (
    <header class="head" data-state={task.state}>
      <div class="head-top">
        <h1>{task.title}</h1>
        <State task={task} />
        <Actions task={task} />
      </div>
      <ProgressBar task={task} large />
      <div class="head-line">
        <p class="head-message">{line.join(" · ") || (task.state === "queued" ? said.value.waiting : "")}</p>
        <p class="head-numbers">{numbers.join(" · ")}</p>
      </div>
      {silent !== undefined && <p class="warn">{said.value.silent(said.value.duration(silent))}</p>}
    </header>
  );
}

/** What became of it: links first, then anything else that it returned. */
function Outcome({ task }: { task: Task }) {
  const links = resultLinks(task.result);
  const failed = task.error !== null && task.state !== "succeeded";
  if (!failed && task.result === null) return null;
  return (
    <section class="block outcome" data-state={task.state} aria-labelledby="outcome-title">
      <h2 id="outcome-title">{failed ? t.value.error : t.value.result}</h2>
      {failed && <pre class="code bad">{task.error}</pre>}
      {links.length > 0 && (
        <p class="links">
          {links.map(({ url, title }) => (
            <a key={url} class="button" href={url} rel="noopener noreferrer">
              {title ?? said.value.result}
            </a>
          ))}
        </p>
      )}
      {task.result !== null && links.length === 0 && <Data name="" value={task.result} />}
    </section>
  );
}

function Parts({ task, parts }: { task: Task; parts: ReadonlySignal<readonly Task[]> }) {
  return (
    <section class="block" aria-labelledby="parts-title">
      <h2 id="parts-title">{t.value.parts}</h2>
      {task.children && <ChildrenBar children={task.children} legend />}
      <ul class="rows compact">
        {parts.value.map((part) => (
          <TaskRow key={part.id} task={part} />
        ))}
      </ul>
    </section>
  );
}
