import { expect, test } from "vitest";
import { Ladder } from "../../src/client/ladder.ts";

test("a whole ladder goes down as doors turn out to be blocked", () => {
  const ladder = new Ladder(true);
  ladder.missed(false);
  expect(ladder.transport).toBe("websocket");
  ladder.missed(false);
  expect(ladder.transport).toBe("events");
  ladder.missed(true);
  expect(ladder.transport).toBe("poll");
  expect(ladder.better).toEqual(["websocket", "events"]);
  ladder.reached("websocket");
  expect(ladder.better).toEqual([]);
});

test("where nothing gets through, the socket has every second try", () => {
  const ladder = new Ladder(true);
  const tried: string[] = [];
  for (let attempt = 0; attempt < 8; attempt += 1) {
    tried.push(ladder.transport);
    ladder.missed(false);
  }
  expect(tried.map((name) => name[0]).join("")).toBe("wwewewew");
});

test("one that fell silent is left for the next, and only streams are", () => {
  const ladder = new Ladder(true);
  ladder.stuck();
  expect(ladder.transport).toBe("websocket");
  ladder.reached("events");
  ladder.stuck();
  expect(ladder.transport).toBe("poll");
  ladder.stuck();
  expect(ladder.transport).toBe("poll");
});

test("a ladder of one has nowhere to go", () => {
  const ladder = new Ladder(false);
  for (let attempt = 0; attempt < 9; attempt += 1) ladder.missed(true);
  expect(ladder.transport).toBe("websocket");
});
