import { expect, test } from "vitest";
import { EventStream } from "../../src/client/transports/event-stream.ts";

test.each([
  ["whole events", ["data: a\n\ndata: b\n\n"], ["a", "b"]],
  ["pieces of any size", [..."id: e.1\ndata: hello\n\n: heartbeat\n\ndata: you\n\n"], ["hello", "you"]],
  ["comments and retry alone are none", ["retry: 2000\n\n: heartbeat\n\n"], []],
  ["lines of every kind", ["data: a\r\n\r\ndata: b\r\rdata: c\n\n"], ["a", "b", "c"]],
  ["a line's end that is cut in two", ["data: a\r", "\n\r", "\ndata: b\n\n"], ["a", "b"]],
  ["several data lines", ["data: a\ndata:b\n\n"], ["a\nb"]],
  ["what is not complete", ["data: a\n"], []],
])("%s", (_, pieces, expected) => {
  const stream = new EventStream();
  expect(pieces.flatMap((piece) => stream.feed(piece))).toEqual(expected);
});
