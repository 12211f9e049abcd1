/** The look of the bell and its list, on top of that of all elements. */

export const inboxCss = `
:host { display: inline-block; margin: 0; vertical-align: middle; }
/* It has its place in the list. */
.body + .connection { display: none; }
.inbox { position: relative; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.icon-button {
  position: relative; display: inline-flex; align-items: center; justify-content: center; min-width: 32px;
  min-height: 32px; padding: 6px; color: var(--_muted); border-color: transparent;
}
.icon-button:hover { color: var(--_text); }
.icon-button svg { fill: none; stroke: currentColor; stroke-width: 1.5; stroke-linecap: round; stroke-linejoin: round; }
.bell[aria-expanded="true"] { color: var(--_text); background: var(--_track); }
.count {
  position: absolute; top: -2px; inset-inline-end: -3px; min-width: 16px; padding: 0 4px; border-radius: 99px;
  background: var(--_bad); color: light-dark(#fff, #2b0608); font-size: 10.5px; font-weight: 600; line-height: 16px;
  text-align: center;
}
.ongoing { position: absolute; inset: auto 5px 1px; height: 3px; border-radius: 2px; overflow: hidden; background: var(--_track); }
.ongoing::before { content: ""; display: block; width: var(--_far, 0); height: 100%; background: var(--_accent); transition: width 250ms ease-out; }
.panel {
  position: absolute; z-index: 30; top: calc(100% + 8px); inset-inline-end: 0; width: min(400px, calc(100vw - 24px));
  max-height: min(600px, 75vh); overflow: auto; overscroll-behavior: contain; text-align: start;
  background: var(--_surface); border: 1px solid var(--_border); border-radius: calc(var(--_radius) + 2px);
  box-shadow: 0 1px 2px light-dark(#0f172a0d, #0000), 0 12px 32px light-dark(#0f172a24, #000a);
}
.inbox-header {
  position: sticky; z-index: 1; top: 0; padding: 10px 16px; background: var(--_surface);
  border-bottom: 1px solid var(--_border);
}
.inbox-row { display: flex; flex-wrap: wrap; gap: 4px 12px; align-items: baseline; justify-content: space-between; }
.inbox-row + .inbox-row { margin-top: 8px; }
.inbox-title { margin: 0; font-size: 15px; font-weight: 600; }
.shelves { display: flex; gap: 4px; margin-inline-start: -8px; }
.inbox-header .connection, .inbox-header .error { margin-top: 6px; }
.shelf { padding: 2px 8px; border-color: transparent; color: var(--_muted); }
.shelf[aria-pressed="true"] { color: var(--_text); background: var(--_track); font-weight: 550; }
.plain { padding: 2px 0; border: 0; color: var(--_accent); background: none; text-decoration: underline; text-underline-offset: 2px; }
.plain:hover { background: none; }
.entry { display: flex; align-items: flex-start; gap: 10px; padding: 12px 8px 12px 16px; border-bottom: 1px solid var(--_border); }
.entry:last-child { border-bottom: 0; }
.entry:focus-visible { outline-offset: -2px; }
.entry::before { content: ""; flex: none; box-sizing: border-box; width: 8px; height: 8px; margin-top: 6px; border-radius: 50%; background: var(--_accent); }
.entry[data-severity="success"]::before { background: var(--_good); }
.entry[data-severity="warning"]::before { background: var(--_warn); }
.entry[data-severity="error"]::before { background: var(--_bad); }
.entry:not([data-status="unread"])::before { background: none; border: 2px solid var(--_track); }
.entry:not([data-status="unread"])[data-severity="error"]::before { border-color: var(--_bad); }
.entry:not([data-status="unread"])[data-severity="warning"]::before { border-color: var(--_warn); }
.entry-body { flex: 1; min-width: 0; display: grid; gap: 3px; overflow-wrap: anywhere; }
.entry-title { font-weight: 600; }
.entry:not([data-status="unread"]) .entry-title { font-weight: 400; }
.entry-link, .entry-text, .entry-content, .entry-source { unicode-bidi: isolate; }
.entry-link { color: inherit; text-decoration-color: var(--_muted); text-decoration-thickness: 1px; }
.entry-link:hover { color: var(--_accent); }
.entry-content { color: var(--_muted); font-size: 13px; white-space: pre-line; max-height: calc(6 * 1.45em); overflow: auto; }
.entry .bar { height: 6px; margin-block: 5px 2px; }
.entry[data-state="paused"] .fill, .entry[data-state="lost"] .fill { background: var(--_warn); }
.entry-far { color: var(--_muted); font-size: 12px; font-variant-numeric: tabular-nums; }
.entry-when { display: flex; flex-wrap: wrap; gap: 0 6px; color: var(--_muted); font-size: 12px; }
.entry-source:not([hidden]) + time::before { content: "·"; margin-inline-end: 6px; }
.entry-actions { display: flex; flex: none; gap: 2px; }
.entry-actions .icon-button { min-width: 28px; min-height: 28px; padding: 5px; }
.empty { padding: 20px 16px; text-align: center; color: var(--_muted); font-size: 13px; }
.inbox-footer { text-align: center; }
.inbox-footer .plain { margin: 10px; }
.inbox-footer .empty { padding: 0 16px 14px; }
@media (prefers-reduced-motion: reduce) { .ongoing::before { transition: none; } }
@media (forced-colors: active) {
  .count { border: 1px solid CanvasText; }
  .entry::before { background: CanvasText; forced-color-adjust: none; }
}
`;
