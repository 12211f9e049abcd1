/** Three bars that are under way: the mark of Headway. */

export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" width="22" height="22" aria-hidden="true" focusable="false">
      <rect class="logo-ground" width="32" height="32" rx="8" />
      <path class="logo-track" d="M8 10h16M8 16h16M8 22h16" />
      <path class="logo-fill" d="M8 10h16M8 16h10M8 22h4" />
    </svg>
  );
}
