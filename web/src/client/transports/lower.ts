/** The doors below the WebSocket, in a file of their own that is loaded when a page needs them. */

export { EventsTransport } from "./events.ts";
export { PollTransport } from "./poll.ts";
