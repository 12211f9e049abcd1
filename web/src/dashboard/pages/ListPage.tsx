/** All tasks: what runs first, what waits, what has ended. */

import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect } from "preact/hooks";
import type { Task } from "../../client/index.ts";
import { Icon } from "../parts/icons.tsx";
import { TaskRow } from "../parts/TaskRow.tsx";
import { CHIPS, type Chip, countByChip, grouped, kindsOf, matching } from "../state/arrange.ts";
import { keepFocus } from "../state/focus.ts";
import { said, t } from "../state/settings.ts";
import { loaded, loadOlder, lookForOlder, olderState, tasks } from "../state/tasks.ts";

const SNIPPET = `import headway

for row in headway.track(rows, "Importing customers"):
    ...`;

export function ListPage() {
  const text = useSignal("");
  const chip = useSignal<Chip>("all");
  const kind = useSignal("");
  const found = useComputed(() => matching(tasks.value, { text: text.value, kind: kind.value }));
  const counts = useComputed(() => countByChip(found.value));
  const groups = useComputed(() => grouped(found.value, chip.value));
  const kinds = useComputed(() => kindsOf(tasks.value.values()));
  useLayoutEffect(keepFocus);
  const narrowed = text.value !== "" || chip.value !== "all" || kind.value !== "";
  const clear = () => {
    text.value = "";
    chip.value = "all";
    kind.value = "";
  };
  const { attention, running, queued, finished } = groups.value;
  const shown = attention.length + running.length + queued.length + finished.length;
  return (
    <div class="page">
      <h1 class="said">{t.value.tasks}</h1>
      <search class="tools">
        <label class="filter">
          <Icon name="search" />
          <span class="said">{t.value.filter}</span>
          <input
            id="filter"
            type="search"
            aria-keyshortcuts="/"
            placeholder={t.value.filterHint}
            value={text.value}
            onInput={(event) => {
              text.value = event.currentTarget.value;
            }}
          />
        </label>
        {kinds.value.length > 0 && (
          <select
            class="select"
            aria-label={t.value.kind}
            value={kind.value}
            onChange={(event) => {
              kind.value = event.currentTarget.value;
            }}
          >
            <option value="">{t.value.anyKind}</option>
            {kinds.value.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        )}
        <fieldset class="chips">
          <legend class="said">{t.value.filter}</legend>
          {CHIPS.map((name) => (
            <button
              key={name}
              type="button"
              class="chip"
              data-state={name}
              aria-pressed={chip.value === name}
              onClick={() => {
                chip.value = name;
              }}
            >
              {name === "all" ? t.value.all : said.value.state[name]} <span>{counts.value[name]}</span>
            </button>
          ))}
        </fieldset>
      </search>
      <Group title={t.value.attention} tasks={attention} />
      <Group title={t.value.running} tasks={running} />
      <Group title={t.value.queued} tasks={queued} />
      <Group title={t.value.finished} tasks={finished} />
      {shown === 0 && (loaded.value ? <Nothing narrowed={narrowed} clear={clear} /> : <Skeleton />)}
      {loaded.value && <Older />}
    </div>
  );
}

function Group({ title, tasks: members }: { title: string; tasks: Task[] }) {
  if (members.length === 0) return null;
  return (
    <section class="group">
      <h2>
        {title} <span>{members.length}</span>
      </h2>
      <ul class="rows">
        {members.map((task) => (
          <TaskRow key={task.id} task={task} />
        ))}
      </ul>
    </section>
  );
}

function Nothing({ narrowed, clear }: { narrowed: boolean; clear: () => void }) {
  if (narrowed) {
    return (
      <div class="nothing">
        <p>{t.value.noMatch}</p>
        <button type="button" class="button" onClick={clear}>
          {t.value.clear}
        </button>
      </div>
    );
  }
  return (
    <div class="nothing">
      <h2>{t.value.noTasks}</h2>
      <p class="muted">{t.value.noTasksHint}</p>
      <pre class="code">{SNIPPET}</pre>
    </div>
  );
}

function Skeleton() {
  return (
    <div class="skeleton" role="status" aria-label={t.value.loading}>
      <span />
      <span />
      <span />
    </div>
  );
}

function Older() {
  useEffect(() => void lookForOlder(), []);
  if (olderState.value === "unknown" || olderState.value === "none") return null;
  if (olderState.value === "end") return <p class="muted older">{t.value.noOlder}</p>;
  return (
    <p class="older">
      <button type="button" class="button" disabled={olderState.value === "loading"} onClick={() => void loadOlder()}>
        {olderState.value === "failed" ? t.value.retryNow : t.value.loadOlder}
      </button>
    </p>
  );
}
