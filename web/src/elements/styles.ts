/**
 * The look of the elements. Pages change it with the custom properties; light or dark follows the `color-scheme` of
 * the page (and so the reader's preference, where the page says `light dark`), or the element's own `theme`.
 */

const css = `
:host {
  --_accent: var(--headway-accent, light-dark(#3056d3, #7c9cff));
  --_text: var(--headway-text, light-dark(#1c2024, #edeef0));
  --_muted: var(--headway-muted, light-dark(#5b6370, #a3a9b3));
  --_surface: var(--headway-surface, light-dark(#fff, #18191b));
  --_border: var(--headway-border, light-dark(#e0e3e8, #34373c));
  --_track: var(--headway-track, light-dark(#e8ebf0, #2c2f34));
  --_good: var(--headway-good, light-dark(#18794e, #3dd68c));
  --_bad: var(--headway-bad, light-dark(#c62a2f, #ff8589));
  --_warn: var(--headway-warn, light-dark(#8f5b00, #f1b855));
  --_radius: var(--headway-radius, 10px);
  display: block;
  margin-block: 8px;
  color: var(--_text);
  font: 14px/1.45 var(--headway-font, system-ui, -apple-system, "Segoe UI", Roboto, "PingFang SC", "Microsoft YaHei", sans-serif);
}
:host([theme="light"]) { color-scheme: light; }
:host([theme="dark"]) { color-scheme: dark; }
:host([theme="auto"]) { color-scheme: light dark; }
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; }
p, ul { margin: 0; padding: 0; list-style: none; }
.card {
  display: grid; gap: 8px; padding: 14px 16px; overflow: hidden;
  background: var(--_surface); border: 1px solid var(--_border); border-radius: var(--_radius);
}
.card + .card { margin-top: 8px; }
.row { display: flex; gap: 4px 12px; align-items: baseline; flex-wrap: wrap; }
.title { font-weight: 600; min-width: 0; flex: 1 1 8em; overflow-wrap: anywhere; }
.state { color: var(--_muted); font-size: 12px; white-space: nowrap; }
.state::before {
  content: ""; display: inline-block; width: 7px; height: 7px; margin-right: 6px; border-radius: 50%;
  background: currentColor; vertical-align: 1px;
}
.card[data-state="running"] .state { color: var(--_accent); }
.card[data-state="succeeded"] .state { color: var(--_good); }
.card[data-state="failed"] .state { color: var(--_bad); }
.card[data-state="lost"] .state, .card[data-state="paused"] .state { color: var(--_warn); }
.bar { position: relative; height: 8px; border-radius: 4px; background: var(--_track); overflow: hidden; }
.fill {
  position: absolute; inset: 0 auto 0 0; width: 0; border-radius: 4px; background: var(--_accent);
  transition: width 250ms ease-out;
}
.card[data-state="succeeded"] .fill { background: var(--_good); }
.card[data-state="failed"] .fill { background: var(--_bad); }
.card[data-state="lost"] .fill, .card[data-state="paused"] .fill { background: var(--_warn); }
.card[data-state="cancelled"] .fill { background: var(--_muted); }
.bar.unknown .fill { width: 35%; animation: headway-run 1.6s ease-in-out infinite; }
.mark { position: absolute; top: 0; bottom: 0; width: 2px; background: var(--_text); opacity: 0.4; }
@keyframes headway-run { from { left: -35%; } to { left: 100%; } }
.line { color: var(--_muted); font-size: 13px; }
.message { flex: 1 1 10em; min-width: 0; overflow-wrap: anywhere; }
.step { color: var(--_text); }
.numbers { font-variant-numeric: tabular-nums; }
.note { color: var(--_warn); font-size: 13px; }
.error { color: var(--_bad); font-size: 13px; white-space: pre-wrap; overflow-wrap: anywhere; max-height: calc(8 * 1.45em); overflow: auto; }
.connection { color: var(--_muted); font-size: 12px; }
a { color: var(--_accent); text-underline-offset: 2px; overflow-wrap: anywhere; }
button {
  font: inherit; font-size: 13px; padding: 4px 12px; color: var(--_text); background: transparent;
  border: 1px solid var(--_border); border-radius: 7px; cursor: pointer;
}
button:hover { background: var(--_track); }
button:disabled { opacity: 0.55; cursor: default; }
:focus-visible { outline: 2px solid var(--_accent); outline-offset: 2px; }
.said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (prefers-reduced-motion: reduce) {
  .fill { transition: none; }
  .bar.unknown .fill { animation: none; width: 100%; opacity: 0.3; }
}
@media (forced-colors: active) {
  .bar { border: 1px solid CanvasText; }
  .fill { background: Highlight !important; forced-color-adjust: none; }
}
`;

let sheet: CSSStyleSheet | undefined;

/**
 * Put the styles into a shadow root, and `more` after them: constructed sheets, which a page's `style-src` does not
 * forbid.
 */
export function dress(root: ShadowRoot, more = ""): void {
  sheet ??= made(css);
  root.adoptedStyleSheets = more ? [sheet, made(more)] : [sheet];
}

function made(text: string): CSSStyleSheet {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  return sheet;
}
