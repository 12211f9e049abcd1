import { describe, expect, test } from "vitest";
import vectors from "../../../spec/vectors/native.json";
import { type ClientMessage, decode, encode } from "../../src/client/protocol.ts";

test("what is not a message of a known type is ignored", () => {
  for (const data of ["", "nonsense", "[]", "null", "{}", '{"type":"tomorrow"}', new ArrayBuffer(2), 7]) {
    expect(decode(data)).toBeUndefined();
  }
});

test("unknown fields do no harm and misshapen records are left out", () => {
  const message = decode(
    JSON.stringify({
      type: "snapshot",
      id: 1,
      cursor: "e.1",
      reset: true,
      colour: "blue",
      tasks: [{ id: "a", rev: 1, state: "running", shade: 1 }, { id: "b" }, 7],
      notifications: "none",
    }),
  );
  expect(message).toMatchObject({ type: "snapshot", more: false, notifications: [], removed: [] });
  expect(message?.type === "snapshot" && message.tasks.map((task) => task.id)).toEqual(["a"]);
});

test("defaults that were left out are filled in", () => {
  const message = decode(
    JSON.stringify({
      type: "change",
      id: 1,
      cursor: "e.2",
      task: { id: "a", rev: 2, state: "running", title: "T", progress: { percent: 4 } },
    }),
  );
  expect(message).toMatchObject({
    task: { title: "T", tags: [], attempt: 1, result: null, progress: { percent: 4, step: null, unit: "" } },
  });
});

test("a change of an unknown kind of record keeps its cursor", () => {
  expect(decode('{"type":"change","id":1,"cursor":"e.3","room":{}}')).toEqual({ type: "change", id: 1, cursor: "e.3" });
});

test("client messages are plain JSON", () => {
  expect(encode({ type: "subscribe", id: 1, channel: "public" })).toBe(
    '{"type":"subscribe","id":1,"channel":"public"}',
  );
});

describe("spec/vectors/native.json", () => {
  const canonical = vectors.client.filter((vector) => "canonical" in vector && vector.canonical);
  test.each(canonical)("we write: $name", ({ message, expect: expected }) => {
    expect(JSON.parse(encode(expected as ClientMessage))).toEqual(JSON.parse(message));
  });

  test.each(vectors.server)("we read: $name", ({ message }) => {
    const { field, state, wanted, ...fields } = JSON.parse(message);
    expect(decode(message)).toMatchObject(fields);
  });
});
