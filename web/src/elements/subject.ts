/** Whom a token is for. Nothing is verified, so nothing is granted by it: only the server says what a token opens. */

export function subjectOf(token: string): string | undefined {
  try {
    const payload = (token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/");
    const { sub } = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(payload), (char) => char.charCodeAt(0))));
    return typeof sub === "string" ? sub : undefined;
  } catch {
    return undefined;
  }
}
