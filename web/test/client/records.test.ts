import { describe, expect, test } from "vitest";
import vectors from "../../../spec/vectors/view.json";
import { readMessage } from "../../src/client/protocol.ts";
import { apply, noRecords } from "../../src/client/records.ts";

interface Case {
  name: string;
  messages: Record<string, unknown>[];
  expect: { cursor: string; tasks: Record<string, number>; notifications: Record<string, number> };
}

const cases = vectors as unknown as Case[];

describe("spec/vectors/view.json", () => {
  test.each(cases)("$name", ({ messages, expect: expected }) => {
    const records = noRecords();
    for (const json of messages) {
      const message = readMessage(json);
      if (message?.type === "snapshot" || message?.type === "change") apply(records, message);
    }
    expect(records.cursor).toBe(expected.cursor);
    expect(revisions(records.tasks)).toEqual(expected.tasks);
    expect(revisions(records.notifications)).toEqual(expected.notifications);
  });
});

test("applying a message twice changes nothing the second time", () => {
  for (const { messages } of cases) {
    const records = noRecords();
    for (const json of messages) {
      const message = readMessage(json);
      if (message?.type !== "change") continue;
      apply(records, message);
      const before = structuredClone(records);
      expect(apply(records, message)).toBe(false);
      expect(records).toEqual(before);
    }
  }
});

function revisions(records: Map<string, { id: string; rev: number }>): Record<string, number> {
  return Object.fromEntries([...records].map(([id, { rev }]) => [id, rev]));
}
