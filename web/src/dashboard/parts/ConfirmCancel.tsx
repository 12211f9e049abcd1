/** "Cancel this task?" */

import { asking, confirmCancel } from "../state/act.ts";
import { t } from "../state/settings.ts";
import { Dialog } from "./Dialog.tsx";

export function ConfirmCancel() {
  const task = asking.value;
  if (!task) return null;
  const keep = () => {
    asking.value = undefined;
  };
  return (
    <Dialog label={t.value.confirmCancel} onClose={keep}>
      <h2>{t.value.confirmCancel}</h2>
      <p class="dialog-subject">{task.title}</p>
      <p class="muted">{t.value.confirmCancelHint}</p>
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={keep}>
          {t.value.keep}
        </button>
        {/* A dialog has to put the focus somewhere, and this is what was asked for. */}
        <button type="button" class="button danger" autofocus onClick={() => void confirmCancel()}>
          {t.value.cancelIt}
        </button>
      </div>
    </Dialog>
  );
}
