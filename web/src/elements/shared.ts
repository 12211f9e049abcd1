/** One client for all elements of a page that speak with the same server as the same somebody. */

import { HeadwayClient } from "../client/client.ts";
import { subjectOf } from "./subject.ts";

/** Moving an element in the page takes it out and puts it in again: that is no reason to hang up. */
const LINGER_MS = 3_000;

interface Shared {
  key: string;
  client: HeadwayClient;
  users: number;
}

const clients = new Map<string, Shared>();

/** The client for `server` and `token`; give it back with what is returned beside it. */
export function borrow(server: string, token: string | undefined): { client: HeadwayClient; giveBack: () => void } {
  const key = keyOf(server, token);
  const mine = clients.get(key) ?? { key, client: new HeadwayClient({ url: server, token }), users: 0 };
  clients.set(key, mine);
  mine.users += 1;
  const giveBack = () => {
    mine.users -= 1;
    setTimeout(() => {
      if (mine.users > 0 || clients.get(mine.key) !== mine) return;
      clients.delete(mine.key);
      mine.client.close();
    }, LINGER_MS);
  };
  return { client: mine.client, giveBack };
}

/**
 * Let the elements that had the client of one token go on with another token of the same user, on the connection that
 * is there.
 *
 * @returns whether that was done: not for a token of somebody else, who is to see nothing of the first.
 */
export function renew(server: string, before: string, after: string): boolean {
  // Another element of the page came first with the same.
  const done = clients.get(keyOf(server, after));
  if (done) return !clients.has(keyOf(server, before)) && subjectOf(before) === subjectOf(after);
  const shared = clients.get(keyOf(server, before));
  const subject = subjectOf(after);
  if (!shared || subject === undefined || subject !== subjectOf(before)) return false;
  clients.delete(shared.key);
  shared.key = keyOf(server, after);
  clients.set(shared.key, shared);
  shared.client.setToken(after);
  return true;
}

function keyOf(server: string, token: string | undefined): string {
  return JSON.stringify([server, token]);
}
