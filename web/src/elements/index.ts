/** `headway.js`: the elements, and the client for pages that want to script it. */

import { HeadwayInbox } from "./headway-inbox.ts";
import { HeadwayTask } from "./headway-task.ts";
import { HeadwayTasks } from "./headway-tasks.ts";

export { HeadwayClient } from "../client/client.ts";
export { HeadwayError } from "../client/errors.ts";
export { HeadwayInbox, HeadwayTask, HeadwayTasks };

// A page that loads the script twice, from two addresses, keeps the first.
if (!customElements.get("headway-task")) customElements.define("headway-task", HeadwayTask);
if (!customElements.get("headway-inbox")) customElements.define("headway-inbox", HeadwayInbox);
if (!customElements.get("headway-tasks")) customElements.define("headway-tasks", HeadwayTasks);
