/** What a reader chose for this browser: language and colours. */

import { computed, effect, signal } from "@preact/signals";
import { type Language, languageOf, words as taskWords } from "../../present/words.ts";
import { type Dictionary, en } from "../words/en.ts";
import { zh } from "../words/zh.ts";

export type Theme = "system" | "light" | "dark";

const dictionaries: Record<Language, Dictionary> = { en, zh };

export const language = signal<Language>(languageOf(recall("headway.language") ?? navigator.language));
export const theme = signal<Theme>((recall("headway.theme") as Theme | undefined) ?? "system");

/** The dashboard's words, and what is said about tasks. */
export const t = computed(() => dictionaries[language.value]);
export const said = computed(() => taskWords[language.value]);

export function chooseLanguage(chosen: Language): void {
  language.value = chosen;
  remember("headway.language", chosen);
}

/** system, light, dark, and round again. */
export function nextTheme(): void {
  const order: Theme[] = ["system", "light", "dark"];
  theme.value = order[(order.indexOf(theme.value) + 1) % order.length] ?? "system";
  remember("headway.theme", theme.value);
}

/** Let the page follow the choices. */
export function applySettings(): void {
  effect(() => {
    document.documentElement.lang = language.value === "zh" ? "zh-Hans" : "en";
  });
  effect(() => {
    document.documentElement.dataset.theme = theme.value;
  });
}

/** `fill("{0} of {1}", 3, 7)`: "3 of 7". */
export function fill(text: string, ...values: (string | number)[]): string {
  return text.replace(/\{(\d)\}/g, (_, place: string) => String(values[Number(place)] ?? ""));
}

// Storage can be forbidden altogether; the page then forgets, and works.
function recall(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Not remembered, then.
  }
}
