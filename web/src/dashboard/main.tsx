/** The dashboard starts here. */

import "./styles/index.css";
import { render } from "preact";
import { App } from "./app.tsx";
import { watchFocus } from "./state/focus.ts";
import { listenToKeys } from "./state/keys.ts";
import { followLocation } from "./state/location.ts";
import { keepTitle } from "./state/outline.ts";
import { keepTime, watchSession } from "./state/session.ts";
import { applySettings } from "./state/settings.ts";

const root = document.getElementById("app");
if (root) {
  applySettings();
  followLocation();
  listenToKeys();
  watchFocus();
  keepTitle();
  keepTime();
  watchSession();
  render(<App />, root);
}
