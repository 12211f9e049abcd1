/** Reading an OpenAPI 3 document: operations by group, types in words, examples. Pure; tolerant of what is missing. */

type Json = Record<string, unknown>;

export interface Field {
  name: string;
  type: string;
  required: boolean;
  description: string;
}

export interface Parameter extends Field {
  place: string;
}

export interface Answer {
  status: string;
  description: string;
  type: string;
}

export interface Operation {
  id: string;
  method: string;
  path: string;
  summary: string;
  description: string;
  deprecated: boolean;
  parameters: Parameter[];
  body: { type: string; fields: Field[]; example: string } | undefined;
  answers: Answer[];
}

export interface Schema {
  name: string;
  description: string;
  fields: Field[];
  type: string;
}

export interface ApiDocument {
  title: string;
  version: string;
  description: string;
  groups: { name: string; operations: Operation[] }[];
  schemas: Schema[];
}

const METHODS = ["get", "post", "put", "patch", "delete"] as const;
type Method = (typeof METHODS)[number];
/** Examples are made from types; those of types that hold themselves have to end somewhere. */
const DEPTH = 4;

export function readDocument(value: unknown, otherGroup: string): ApiDocument {
  const root = object(value);
  const info = object(root.info);
  const groups = new Map<string, Operation[]>();
  for (const [path, item] of Object.entries(object(root.paths))) {
    for (const method of METHODS) {
      const found = object(item)[method];
      if (!found) continue;
      const json = object(found);
      const group = text(list(json.tags)[0]) || otherGroup;
      groups.set(group, [...(groups.get(group) ?? []), readOperation(root, object(item), json, method, path)]);
    }
  }
  const schemas = Object.entries(object(object(root.components).schemas)).map(([name, schema]) => ({
    name,
    description: text(object(schema).description),
    fields: fieldsOf(root, schema),
    type: typeOf(schema, name),
  }));
  return {
    title: text(info.title),
    version: text(info.version),
    description: text(info.description),
    groups: [...groups].map(([name, operations]) => ({ name, operations: operations.sort(byPath) })),
    schemas: schemas.sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

function byPath(a: Operation, b: Operation): number {
  if (a.path !== b.path) return a.path < b.path ? -1 : 1;
  return METHODS.indexOf(a.method.toLowerCase() as Method) - METHODS.indexOf(b.method.toLowerCase() as Method);
}

function readOperation(root: Json, item: Json, json: Json, method: string, path: string): Operation {
  const schema = contentOf(resolve(root, json.requestBody));
  return {
    id: `${method}-${path.replace(/[^a-zA-Z0-9]+/g, "-")}`,
    method: method.toUpperCase(),
    path,
    summary: text(json.summary),
    description: text(json.description),
    deprecated: json.deprecated === true,
    parameters: [...list(item.parameters), ...list(json.parameters)].map((entry) => {
      const parameter = object(resolve(root, entry));
      return {
        name: text(parameter.name),
        place: text(parameter.in),
        required: parameter.required === true,
        type: typeOf(parameter.schema),
        description: text(parameter.description) || text(object(parameter.schema).description),
      };
    }),
    body: schema && {
      type: typeOf(schema.schema),
      fields: fieldsOf(root, schema.schema),
      example: JSON.stringify(givenExample(schema) ?? exampleOf(root, schema.schema, DEPTH), null, 2) ?? "",
    },
    answers: Object.entries(object(json.responses)).map(([status, entry]) => {
      const answer = object(resolve(root, entry));
      const content = contentOf(answer);
      return { status, description: text(answer.description), type: content ? typeOf(content.schema) : "" };
    }),
  };
}

/** What a schema is, in a few words: `Task`, `string`, `array of Task`, `one of …`. */
export function typeOf(value: unknown, itself?: string): string {
  const schema = object(value);
  const reference = text(schema.$ref);
  if (reference) return reference.slice(reference.lastIndexOf("/") + 1);
  const choices = list(schema.oneOf ?? schema.anyOf);
  if (choices.length > 0) return choices.map((choice) => typeOf(choice)).join(" | ");
  const all = list(schema.allOf);
  if (all.length > 0) return all.map((part) => typeOf(part)).join(" & ");
  if (Array.isArray(schema.enum)) return schema.enum.map((item) => JSON.stringify(item)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (Array.isArray(schema.type)) return schema.type.join(" | ");
  if (schema.type === "array") return `array of ${typeOf(schema.items)}`;
  const limits = ["minimum", "maximum", "maxLength", "default"]
    .filter((name) => schema[name] !== undefined && schema[name] !== null)
    .map((name) => `${name} ${JSON.stringify(schema[name])}`);
  const name = text(schema.format) ? `${text(schema.type)} (${text(schema.format)})` : text(schema.type);
  return [name || (itself ? "object" : "any"), ...limits].join(", ");
}

function fieldsOf(root: Json, value: unknown): Field[] {
  const schema = object(resolve(root, value));
  const required = new Set(list(schema.required));
  const own = Object.entries(object(schema.properties)).map(([name, property]) => ({
    name,
    type: typeOf(property),
    required: required.has(name),
    description: text(object(property).description),
  }));
  return [...list(schema.allOf).flatMap((part) => fieldsOf(root, part)), ...own];
}

function exampleOf(root: Json, value: unknown, depth: number): unknown {
  const schema = object(resolve(root, value));
  const given = schema.example ?? list(schema.examples)[0] ?? schema.default ?? schema.const;
  if (given !== undefined) return given;
  if (Array.isArray(schema.enum)) return schema.enum[0];
  const choice = list(schema.oneOf ?? schema.anyOf).find((entry) => object(entry).type !== "null");
  if (choice) return depth > 0 ? exampleOf(root, choice, depth - 1) : null;
  const type = Array.isArray(schema.type) ? schema.type.find((name) => name !== "null") : schema.type;
  if (type === "array") return depth > 0 ? [exampleOf(root, schema.items, depth - 1)] : [];
  if (type === "integer" || type === "number") return 0;
  if (type === "boolean") return false;
  if (type === "string") return "…";
  if (depth === 0) return {};
  return Object.fromEntries(
    Object.entries(object(schema.properties)).map(([name, property]) => [name, exampleOf(root, property, depth - 1)]),
  );
}

function givenExample(content: Json): unknown {
  if (content.example !== undefined) return content.example;
  const first = Object.values(object(content.examples))[0];
  return first === undefined ? undefined : object(first).value;
}

/** The first content of a body or an answer: JSON, in this API. */
function contentOf(value: unknown): Json | undefined {
  const contents = object(object(value).content);
  const first = contents["application/json"] ?? Object.values(contents)[0];
  return first === undefined ? undefined : object(first);
}

/** Follow a `$ref` within the document. */
function resolve(root: Json, value: unknown): unknown {
  let found = value;
  for (let hop = 0; hop < 8; hop += 1) {
    const reference = text(object(found).$ref);
    if (!reference.startsWith("#/")) return found;
    found = reference
      .slice(2)
      .split("/")
      .map((part) => part.replace(/~1/g, "/").replace(/~0/g, "~"))
      .reduce<unknown>((node, part) => object(node)[part], root);
  }
  return found;
}

function object(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
