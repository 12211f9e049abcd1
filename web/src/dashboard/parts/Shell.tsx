/** The frame of every page: navigation, connection, bell, settings, and where things are said aloud. */

import type { ComponentChildren } from "preact";
import { notice } from "../state/act.ts";
import { spoken } from "../state/announcer.ts";
import { href, route } from "../state/location.ts";
import { logOut, me } from "../state/session.ts";
import { chooseLanguage, language, nextTheme, t, theme } from "../state/settings.ts";
import { Bell } from "./Bell.tsx";
import { ConfirmCancel } from "./ConfirmCancel.tsx";
import { Connection } from "./Connection.tsx";
import { Icon } from "./icons.tsx";
import { KeysDialog } from "./KeysDialog.tsx";
import { Logo } from "./Logo.tsx";

export function Shell({ children }: { children: ComponentChildren }) {
  const words = t.value;
  const skip = () => document.getElementById("main")?.focus();
  return (
    <>
      <button type="button" class="skip" onClick={skip}>
        {words.skip}
      </button>
      <header class="top">
        <a class="brand" href={href("/")} data-local="/">
          <Logo />
          <span>Headway</span>
        </a>
        <nav aria-label="Headway">
          <Tab to="/" pages={["list", "task"]} text={words.tasks} />
          <Tab to="/api" pages={["api"]} text={words.api} />
        </nav>
        <div class="top-right">
          {me.value && <Connection />}
          {me.value && <Bell />}
          <Theme />
          <button
            type="button"
            class="text-button"
            title={words.languageHint}
            lang={language.value === "zh" ? "en" : "zh"}
            onClick={() => chooseLanguage(language.value === "zh" ? "en" : "zh")}
          >
            {words.language}
          </button>
          {me.value && (
            <button
              type="button"
              class="icon-button"
              title={`${words.logout} (${me.value.user})`}
              aria-label={`${words.logout} (${me.value.user})`}
              onClick={() => void logOut()}
            >
              <Icon name="logout" />
            </button>
          )}
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
      <p class="said" role="status" aria-live="polite">
        {spoken.value}
      </p>
      <div class="toasts" role="alert">
        {notice.value && <p class="toast">{notice.value}</p>}
      </div>
      <ConfirmCancel />
      <KeysDialog />
    </>
  );
}

function Tab({ to, pages, text }: { to: string; pages: string[]; text: string }) {
  const here = pages.includes(route.value.page);
  return (
    <a class="tab" href={href(to)} data-local={to} aria-current={here ? "page" : undefined}>
      {text}
    </a>
  );
}

function Theme() {
  const words = t.value;
  const label = { system: words.themeSystem, light: words.themeLight, dark: words.themeDark }[theme.value];
  return (
    <button type="button" class="icon-button" title={label} aria-label={`${words.theme}: ${label}`} onClick={nextTheme}>
      <Icon name={theme.value} />
    </button>
  );
}
