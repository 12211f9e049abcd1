/** The state of a task: a colour, and always a word beside it. */

import type { Task } from "../../client/index.ts";
import { said } from "../state/settings.ts";

export function State({ task }: { task: Task }) {
  return (
    <span class="state" data-state={task.state}>
      {task.stopping ? said.value.stopping : (said.value.state[task.state] ?? task.state)}
    </span>
  );
}
