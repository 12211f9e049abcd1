/** The pill that says whether what is shown is live, and as of when if it is not. */

import { clockText } from "../../present/estimate.ts";
import { client, status } from "../state/session.ts";
import { language, said, t } from "../state/settings.ts";

const VIA = { websocket: "viaSocket", events: "viaEvents", poll: "viaPoll" } as const;

export function Connection() {
  const now = status.value;
  const text = () => {
    switch (now.state) {
      case "live":
        return t.value.live;
      case "connecting":
        return said.value.connecting;
      case "reconnecting":
        return said.value.reconnecting(now.asOf === undefined ? undefined : clockText(now.asOf, language.value));
      case "refused":
        return `${t.value.refused}: ${now.error.message}`;
      case "closed":
        return t.value.closed;
    }
  };
  // Read with the status, which is told anew when another door is taken.
  const transport = client.value?.transport;
  return (
    <span
      class="pill"
      data-state={now.state}
      data-transport={transport}
      role="status"
      title={transport && t.value[VIA[transport]]}
    >
      <span class="pill-text">{text()}</span>
      {now.state === "refused" && (
        <button type="button" class="link" onClick={() => client.value?.connect()}>
          {t.value.retryNow}
        </button>
      )}
    </span>
  );
}
