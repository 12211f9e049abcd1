/** The login: by the code in the address, which a printed link carries, or by a token. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { HeadwayError } from "../../client/index.ts";
import { Logo } from "../parts/Logo.tsx";
import { go, safeNext } from "../state/location.ts";
import * as rest from "../state/rest.ts";
import { end, ended } from "../state/session.ts";
import { t } from "../state/settings.ts";

/** A refusal in our own words, in the reader's language; anything else as the server says it. */
function explain(error: unknown, byCode: boolean): string {
  const refused = error instanceof HeadwayError && error.code >= 400 && error.code < 500;
  if (refused) return byCode ? t.value.loginAgain : t.value.tokenRefused;
  return error instanceof Error ? error.message : String(error);
}

export function LoginPage() {
  const token = useSignal("");
  const busy = useSignal(false);
  const problem = useSignal("");

  const enter = async (proof: Parameters<typeof rest.login>[0]) => {
    busy.value = true;
    problem.value = "";
    const next = safeNext(new URLSearchParams(location.search).get("next"));
    try {
      await rest.login(proof);
      // Whoever was logged in before in this page is so no more; the page gone to asks who it is now.
      end();
      ended.value = undefined;
      go(next, "replace");
    } catch (error) {
      problem.value = explain(error, "code" in proof);
    } finally {
      busy.value = false;
    }
  };

  useEffect(() => {
    const code = location.hash.slice(1);
    if (!code) return;
    // A code is as good as a password until it is used: out of the address and the history at once.
    history.replaceState(null, "", location.pathname + location.search);
    void enter({ code: decodeURIComponent(code) });
  }, []);

  const words = t.value;
  return (
    <div class="login">
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          if (token.value.trim()) void enter({ token: token.value.trim() });
        }}
      >
        <Logo />
        <h1>{words.login}</h1>
        {ended.value && !problem.value && (
          <div class="problem" role="alert">
            {ended.value === "expired" ? words.loginExpired : words.loginEnded}
          </div>
        )}
        {problem.value && (
          <div class="problem" role="alert">
            <b>{words.loginFailed}.</b> {problem.value}
          </div>
        )}
        <label for="token">{words.loginToken}</label>
        <input
          id="token"
          type="password"
          autocomplete="current-password"
          spellcheck={false}
          value={token.value}
          onInput={(event) => {
            token.value = event.currentTarget.value;
          }}
        />
        <button type="submit" class="button primary" disabled={busy.value}>
          {busy.value ? `${words.loginCode} …` : words.login}
        </button>
        <p class="muted">{words.loginHint}</p>
        <pre class="code">headway token --user you</pre>
      </form>
    </div>
  );
}
