/** Icons as strokes in a square of 16, drawn in the colour of the text. */

export const PATHS = {
  pause: "M6 4.5v7M10 4.5v7",
  resume: "M5.5 4l6 4-6 4z",
  cancel: "M4.5 4.5l7 7M11.5 4.5l-7 7",
  retry: "M12.5 8a4.5 4.5 0 1 1-1.4-3.3M12.5 2.5v2.7H9.8",
  bell: "M8 2.5a3.6 3.6 0 0 0-3.6 3.6c0 3.2-1.4 4.2-1.4 4.2h10s-1.4-1-1.4-4.2A3.6 3.6 0 0 0 8 2.5zM6.8 13a1.3 1.3 0 0 0 2.4 0",
  search: "M7.2 11.4a4.2 4.2 0 1 0 0-8.4 4.2 4.2 0 0 0 0 8.4zM10.3 10.3L13.5 13.5",
  back: "M9.5 3.5L5 8l4.5 4.5",
  system: "M2.5 3.5h11v7.5h-11zM6 13.5h4",
  light:
    "M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9",
  dark: "M13 9.6A5.5 5.5 0 0 1 6.4 3 5.5 5.5 0 1 0 13 9.6z",
  logout: "M6.5 13.5h-3v-11h3M6 8h7.5M10.8 5.2L13.5 8l-2.7 2.8",
  unread: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
  check: "M3.5 8.5l3 3 6-7",
  archive: "M3.5 6v6.5h9V6M2.5 3.5h11V6h-11zM6.5 8.5h3",
} as const;

export type IconName = keyof typeof PATHS;
