import { expect, test } from "vitest";
import { readDocument, typeOf } from "../../src/dashboard/openapi/document.ts";

const document = {
  info: { title: "Headway", version: "1" },
  paths: {
    "/api/tasks": {
      post: {
        tags: ["Tasks"],
        summary: "Create a task",
        parameters: [{ name: "Idempotency-Key", in: "header", schema: { type: "string" } }],
        requestBody: { content: { "application/json": { schema: { $ref: "#/components/schemas/NewTask" } } } },
        responses: { 201: { description: "Created" } },
      },
    },
    "/healthz": { get: { responses: {} } },
  },
  components: {
    schemas: {
      NewTask: {
        type: "object",
        required: ["title"],
        properties: {
          title: { type: "string", description: "What a person reads." },
          parent: { oneOf: [{ $ref: "#/components/schemas/NewTask" }, { type: "null" }] },
        },
      },
    },
  },
};

test("operations by group, with fields and an example", () => {
  const api = readDocument(document, "Other");
  expect(api.groups.map(({ name }) => name)).toEqual(["Tasks", "Other"]);
  const create = api.groups[0]?.operations[0];
  expect(create?.method).toBe("POST");
  expect(create?.parameters[0]).toMatchObject({ name: "Idempotency-Key", place: "header", required: false });
  expect(create?.body?.fields).toEqual([
    { name: "title", type: "string", required: true, description: "What a person reads." },
    { name: "parent", type: "NewTask | null", required: false, description: "" },
  ]);
  expect(JSON.parse(create?.body?.example ?? "")).toMatchObject({ title: "…" });
  expect(create?.answers).toEqual([{ status: "201", description: "Created", type: "" }]);
});

test("types in words", () => {
  expect(typeOf({ type: "array", items: { $ref: "#/x/Task" } })).toBe("array of Task");
  expect(typeOf({ enum: ["a", "b"] })).toBe('"a" | "b"');
  expect(typeOf({ type: "integer", minimum: 1, default: 50 })).toBe("integer, minimum 1, default 50");
  expect(typeOf(undefined)).toBe("any");
});

test("nonsense is an empty document", () => {
  for (const value of [null, 7, "x", [], { paths: 3 }]) expect(readDocument(value, "Other").groups).toEqual([]);
});
