/** What a bell needs beyond what every page has, in a file of its own that the first bell loads. */

export { Inbox } from "../inbox/inbox.ts";
export { popUp } from "../inbox/popups.ts";
export { plainText } from "../present/text.ts";
export { ownAddress } from "./inbox-entry.ts";
export { inboxCss } from "./inbox-styles.ts";
export { InboxView } from "./inbox-view.ts";
