/** The buttons of a task, by its state and by what we may do. */

import type { Task } from "../../client/index.ts";
import { type Action, actionsFor } from "../../present/actions.ts";
import { act } from "../state/act.ts";
import { canCancel, canPublish } from "../state/session.ts";
import { said, t } from "../state/settings.ts";
import { Icon } from "./icons.tsx";

export function Actions({ task, icons }: { task: Task; icons?: boolean }) {
  const label = (action: Action) => (action === "retry" ? t.value.retry : said.value[action]);
  const offered = actionsFor(task).filter((action) => (action === "retry" ? canPublish.value : canCancel.value));
  return (
    <div class="actions">
      {offered.map((action) => (
        <button
          key={action}
          type="button"
          class={icons ? "icon-button" : "button"}
          aria-label={icons ? `${label(action)}: ${task.title}` : undefined}
          title={icons ? label(action) : undefined}
          onClick={() => void act(action, task)}
        >
          <Icon name={action} />
          {!icons && label(action)}
        </button>
      ))}
    </div>
  );
}
