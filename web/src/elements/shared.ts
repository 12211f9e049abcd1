/** One client for all elements of a page that speak with the same server as the same somebody. */

import { HeadwayClient } from "../client/client.ts";

/** Moving an element in the page takes it out and puts it in again: that is no reason to hang up. */
const LINGER_MS = 3_000;

interface Shared {
  client: HeadwayClient;
  users: number;
}

const clients = new Map<string, Shared>();

/** The client for `server` and `token`; give it back with what is returned beside it. */
export function borrow(server: string, token: string | undefined): { client: HeadwayClient; giveBack: () => void } {
  const key = JSON.stringify([server, token]);
  let shared = clients.get(key);
  if (!shared) {
    shared = { client: new HeadwayClient({ url: server, token }), users: 0 };
    clients.set(key, shared);
  }
  const mine = shared;
  mine.users += 1;
  const giveBack = () => {
    mine.users -= 1;
    setTimeout(() => {
      if (mine.users > 0 || clients.get(key) !== mine) return;
      clients.delete(key);
      mine.client.close();
    }, LINGER_MS);
  };
  return { client: mine.client, giveBack };
}
