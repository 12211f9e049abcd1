/** Which page for which address. */

import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { ListPage } from "./pages/ListPage.tsx";
import { LoginPage } from "./pages/LoginPage.tsx";
import { TaskPage } from "./pages/TaskPage.tsx";
import { Shell } from "./parts/Shell.tsx";
import { href, route } from "./state/location.ts";
import { begin, trouble } from "./state/session.ts";
import { t } from "./state/settings.ts";

export function App() {
  return (
    <Shell>
      <Page />
    </Shell>
  );
}

function Page() {
  const at = route.value;
  if (at.page === "login") return <LoginPage />;
  if (at.page === "api") return <Api />;
  if (at.page === "unknown") return <Unknown />;
  if (trouble.value) return <Trouble />;
  return at.page === "task" ? <TaskPage key={at.id} id={at.id} /> : <ListPage />;
}

const apiPage = signal<ComponentType | undefined>(undefined);

/** The reference is a chunk of its own: most readers never open it. */
function Api() {
  if (apiPage.value) {
    const Loaded = apiPage.value;
    return <Loaded />;
  }
  void import("./pages/ApiPage.tsx").then(({ ApiPage }) => {
    apiPage.value = ApiPage;
  });
  return <p class="page muted">{t.value.loading} …</p>;
}

function Trouble() {
  return (
    <div class="nothing" role="alert">
      <p>{trouble.value?.message}</p>
      <button type="button" class="button" onClick={() => void begin()}>
        {t.value.retryNow}
      </button>
    </div>
  );
}

function Unknown() {
  return (
    <div class="nothing">
      <h1>404</h1>
      <a href={href("/")} data-local="/">
        {t.value.back}
      </a>
    </div>
  );
}
