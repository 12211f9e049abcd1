/** The bell: the same that pages have as `<headway-inbox>`, with the dashboard's own subscriptions. */

import { effect, signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { inboxCss } from "../../elements/inbox-styles.ts";
import { InboxView } from "../../elements/inbox-view.ts";
import { dress } from "../../elements/styles.ts";
import { addressOf, inbox, inboxVersion } from "../state/inbox.ts";
import { go, taskPath } from "../state/location.ts";
import { clock } from "../state/session.ts";
import { language } from "../state/settings.ts";

export function Bell() {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!host.current) return;
    const root = host.current.attachShadow({ mode: "open" });
    dress(root, inboxCss);
    const open = signal(false);
    const view: InboxView = new InboxView({
      address: addressOf,
      followed: ({ task }, event) => {
        view.toggle(false);
        if (task === null || event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        go(taskPath(task));
      },
      opened: () => {
        open.value = view.isOpen;
      },
    });
    root.append(view.element);
    const stop = effect(() => {
      inboxVersion.value;
      if (open.value) clock.value;
      view.show(inbox.value, language.value);
    });
    return () => {
      stop();
      view.close();
    };
  }, []);
  return <div class="bell" ref={host} />;
}
