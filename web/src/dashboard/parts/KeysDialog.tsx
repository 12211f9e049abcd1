/** Which keys there are. */

import { keysShown } from "../state/keys.ts";
import { t } from "../state/settings.ts";
import { Dialog } from "./Dialog.tsx";

export function KeysDialog() {
  if (!keysShown.value) return null;
  const words = t.value;
  const keys: [string[], string][] = [
    [["/"], words.keyFilter],
    [["j", "k", "↓", "↑"], words.keyMove],
    [["Enter"], words.keyOpen],
    [["Esc"], words.keyBack],
    [["c"], words.keyCancel],
    [["p"], words.keyPause],
    [["?"], words.keyHelp],
  ];
  const close = () => {
    keysShown.value = false;
  };
  return (
    <Dialog label={words.keys} onClose={close}>
      <h2>{words.keys}</h2>
      <dl class="keys">
        {keys.map(([names, meaning]) => (
          <div key={meaning}>
            <dt>
              {names.map((name) => (
                <kbd key={name}>{name}</kbd>
              ))}
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={close}>
          {words.close}
        </button>
      </div>
    </Dialog>
  );
}
