/** Where the connection stands, in the words a page can show. */

import type { HeadwayError } from "./errors.ts";

export type Status =
  | { state: "connecting" }
  | { state: "live" }
  /** `asOf`: when the server was last heard, in Unix milliseconds by the local clock: what is shown is from then. */
  | { state: "reconnecting"; asOf: number | undefined }
  /** The server wants something else first: usually a new token. */
  | { state: "refused"; error: HeadwayError }
  | { state: "closed" };
