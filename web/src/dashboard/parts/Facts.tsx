/** What else is known of a task, as names and values. */

import type { ComponentChildren } from "preact";
import type { Task } from "../../client/index.ts";
import { href, taskPath } from "../state/location.ts";
import { said, t } from "../state/settings.ts";
import { Ago, Since } from "./Time.tsx";

export function Facts({ task }: { task: Task }) {
  const words = t.value;
  const parent = task.parent ? taskPath(task.parent) : undefined;
  return (
    <section class="block" aria-labelledby="facts-title">
      <h2 id="facts-title">{words.details}</h2>
      <dl class="facts">
        <Fact name={words.kind}>{task.kind}</Fact>
        <Fact name={words.tags}>
          {task.tags.length > 0 &&
            task.tags.map((tag) => (
              <span key={tag} class="kind">
                {tag}
              </span>
            ))}
        </Fact>
        <Fact name={words.created}>
          <Ago at={task.created_at} />
        </Fact>
        <Fact name={words.started}>{task.started_at !== null && <Ago at={task.started_at} />}</Fact>
        <Fact name={words.ended}>{task.finished_at !== null && <Ago at={task.finished_at} />}</Fact>
        <Fact name={words.took}>
          {task.started_at !== null &&
            (task.finished_at === null ? (
              <Since at={task.started_at} />
            ) : (
              said.value.duration((task.finished_at - task.started_at) / 1000)
            ))}
        </Fact>
        <Fact name={words.lastSign}>{task.seen_at !== null && <Ago at={task.seen_at} />}</Fact>
        <Fact name={words.lastMove}>{task.progressed_at !== null && <Ago at={task.progressed_at} />}</Fact>
        <Fact name={words.parent}>
          {parent && (
            <a href={href(parent)} data-local={parent}>
              {task.parent}
            </a>
          )}
        </Fact>
        <Fact name={words.channel}>
          <code>{task.channel}</code>
        </Fact>
        <Fact name={words.id}>
          <code>{task.id}</code>
        </Fact>
      </dl>
      <Data name={words.meta} value={task.meta} />
      <Data name={words.detail} value={task.progress.detail} />
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  if (!children) return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Data of a job, as it is. */
export function Data({ name, value }: { name: string; value: unknown }) {
  if (value === null || value === undefined) return null;
  return (
    <>
      {name && <h3>{name}</h3>}
      <pre class="code">{typeof value === "string" ? value : JSON.stringify(value, null, 2)}</pre>
    </>
  );
}
