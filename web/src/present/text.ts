/** Text of jobs, as it is shown: as text, and without what would turn the text around it round. Pure. */

// Marks and letters of languages that are written from right to left stay; what goes are embeddings, overrides and
// isolates (UAX #9), which can show "exe.gpj" as "jpg.exe".
const EMBEDDINGS = /[\u202a-\u202e\u2066-\u2069]/g;

export function plainText(text: string): string {
  return text.replace(EMBEDDINGS, "");
}
