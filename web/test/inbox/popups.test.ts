import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Notification as Note } from "../../src/client/model.ts";
import { mayAsk, popUp } from "../../src/inbox/popups.ts";

interface Shown {
  title: string;
  options: NotificationOptions;
  onclick?: () => void;
}

let shown: Shown[];
let permission: NotificationPermission;
const held = new Set<string>();

beforeEach(() => {
  vi.useFakeTimers();
  shown = [];
  permission = "granted";
  held.clear();
  vi.stubGlobal(
    "Notification",
    class {
      static get permission() {
        return permission;
      }
      onclick?: () => void;
      constructor(
        readonly title: string,
        readonly options: NotificationOptions,
      ) {
        shown.push(this);
      }
      close() {}
    },
  );
  // As a browser has them: one set for all its tabs.
  vi.stubGlobal("navigator", {
    locks: {
      async request(name: string, { ifAvailable }: LockOptions, callback: (lock: object | null) => Promise<void>) {
        expect(ifAvailable).toBe(true);
        if (held.has(name)) return callback(null);
        held.add(name);
        await callback({});
        held.delete(name);
      },
    },
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const note = (id: string) => ({ id, title: `\u202e${id}`, content: "text" }) as Note;
const titles = () => shown.map(({ title }) => title);

test("each is shown by one tab, whichever comes first", () => {
  for (let tab = 0; tab < 3; tab += 1) for (const id of ["a", "b"]) popUp(note(id), "wss://x/ws", () => {});
  expect(titles()).toEqual(["a", "b"]);
  expect(shown[0]?.options).toMatchObject({ body: "text" });
});

test("the same id of another server is another", () => {
  popUp(note("a"), "wss://x/ws", () => {});
  popUp(note("a"), "wss://y/ws", () => {});
  expect(shown).toHaveLength(2);
  expect(shown[0]?.options.tag).not.toBe(shown[1]?.options.tag);
});

test("the lock is given back in the end", async () => {
  popUp(note("a"), "wss://x/ws", () => {});
  expect(held.size).toBe(1);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(held.size).toBe(0);
});

test("a click leads somewhere", () => {
  const open = vi.fn();
  vi.stubGlobal("focus", vi.fn());
  popUp(note("a"), "wss://x/ws", open);
  shown[0]?.onclick?.();
  expect(open).toHaveBeenCalledOnce();
});

test.each(["default", "denied"] as const)("nothing without leave: %s", (state) => {
  permission = state;
  popUp(note("a"), "wss://x/ws", () => {});
  expect(shown).toEqual([]);
  expect(mayAsk()).toBe(state === "default");
});

test("without locks the tag has to do", () => {
  vi.stubGlobal("navigator", {});
  popUp(note("a"), "wss://x/ws", () => {});
  expect(shown[0]?.options.tag).toBe("headway wss://x/ws a");
});

test("where only service workers may, nothing breaks", () => {
  vi.stubGlobal(
    "Notification",
    class {
      static permission = "granted";
      constructor() {
        throw new TypeError("Illegal constructor");
      }
    },
  );
  expect(() => popUp(note("a"), "wss://x/ws", () => {})).not.toThrow();
});
