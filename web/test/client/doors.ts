/** How a client comes to each of its doors. */

import { HeadwayClient } from "../../src/client/client.ts";
import type { Status } from "../../src/client/index.ts";
import type { World } from "../world.ts";
import { snapshot, task } from "./messages.ts";

type Options = Partial<ConstructorParameters<typeof HeadwayClient>[0]>;

/** A client that keeps count of its states. */
export function connect(world: World, options: Options = {}) {
  const client = new HeadwayClient({ url: "http://jobs.test/", token: "t1", ...world, ...options });
  const states: Status["state"][] = [];
  client.on("status", (status) => states.push(status.state));
  return { client, states };
}

export const me = { user: "ada", can: ["read"], channels: ["user:ada"], server: "1" };

/** The socket fails twice without a word. */
export async function block(world: World) {
  await world.settle();
  world.socket.end(1006);
  await world.pass(500);
  world.socket.end(1006);
  await world.pass(1000);
}

/** A client whose stream is open and has told what there is. */
export async function onEvents(world: World, options: Options = {}) {
  const { client, states } = connect(world, options);
  const subscription = client.subscribe({ channel: "user:ada" });
  await block(world);
  world.request("/api/me").answer(me);
  await world.pass(20);
  const stream = world.request("/events");
  stream.stream();
  stream.write("retry: 2000\n\n");
  stream.say(snapshot("e.1", [task("a", 1)], true));
  await world.settle();
  return { client, states, subscription, stream };
}

/** The same by polls: the stream is held back. */
export async function onPoll(world: World) {
  const { client, states } = connect(world);
  const subscription = client.subscribe({ channel: "user:ada" });
  await block(world);
  world.request("/api/me").answer(me);
  await world.pass(5_020);
  await world.pass(2_000);
  world.request("/api/me").answer(me);
  await world.pass(20);
  world.request("/poll?wait=0").answer({ messages: [snapshot("e.1", [task("a", 1)], true)] });
  await world.settle();
  return { client, states, subscription };
}
