/** A row that moves to another group is a new node: the focus has to move along, or the keyboard is lost. */

let row: string | undefined;

/** Remember which row has the focus, until somebody puts it elsewhere. */
export function watchFocus(): void {
  const look = ({ target }: Event) => {
    // A dialog asks about the row: the focus comes back from it.
    if (target instanceof Element && !target.closest("dialog")) {
      row = target.closest<HTMLElement>("[data-task]")?.dataset.task;
    }
  };
  document.addEventListener("focusin", look);
  document.addEventListener("pointerdown", look);
}

/** After rendering: give the focus back to its row when it was lost on the way. */
export function keepFocus(): void {
  if (row === undefined || document.activeElement !== document.body) return;
  for (const element of document.querySelectorAll<HTMLElement>("[data-task]")) {
    if (element.dataset.task === row) element.querySelector<HTMLElement>("[data-row]")?.focus({ preventScroll: true });
  }
}
