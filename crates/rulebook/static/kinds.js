// The kinds of editors, by the JSON Schemas of values.

import { Json, expected, json, kindsOf, momentWords, parseExactly, valuesOfSchema } from "./rulebook.js";

/** Parses JSON. Numbers that JavaScript would write otherwise keep their text, such as 1.0. */
export const parseDefinition = (text) => parseExactly(text, (number) => String(Number(number)) === number);

/** Returns JSON that was typed as a value; undefined if the text is not JSON. */
export function parsed(text) {
  try {
    return parseDefinition(text);
  } catch {
    return undefined;
  }
}

/** The parts and the words of names of secret values, which the page of a method contains. */
const { secretParts = "(?!)", secretWords = "(?!)" } =
  globalThis.document?.querySelector("[data-secret-parts]")?.dataset ?? {};
const [SECRET_PARTS, SECRET_WORDS] = [new RegExp(secretParts, "i"), new RegExp(`^(${secretWords})s?$`, "i")];

/** Returns whether a name is that of a secret, as the server decides it. */
export const isSecret = (name) =>
  SECRET_PARTS.test(name.replaceAll(/[^\p{Alphabetic}\p{N}]/gu, "")) ||
  name
    .split(/\P{Alphabetic}+|(?<=\P{Uppercase})(?=\p{Uppercase})|(?=\p{Uppercase}\p{Lowercase})/u)
    .some((word) => SECRET_WORDS.test(word));

/** Returns whether the value of a parameter is a secret, because of one of its names. */
export const isSecretParameter = ({ name, wire, key = "" }) => [name, wire, key].some(isSecret);

/** Returns a value with `mask` instead of each secret in it; without its secrets if `mask` is undefined. `isHidden`
    says that the value itself is a secret. */
export function withoutSecrets(value, mask, isHidden) {
  const plain = value instanceof Json ? parseDefinition(value.text) : value;
  if (plain === null || plain === "" || typeof plain === "boolean" || plain instanceof Blob) return value;
  const isList = Array.isArray(plain);
  if (typeof plain !== "object" || plain instanceof Json) return isHidden ? mask : value;
  const hidden = isList
    ? plain.map((item) => withoutSecrets(item, mask, isHidden)).filter((item) => item !== undefined)
    : Object.fromEntries(
        Object.entries(plain).map(([name, one]) => [name, withoutSecrets(one, mask, isHidden || isSecret(name))]),
      );
  return json(hidden) === json(plain) ? value : hidden;
}

/** Returns a schema without null, which stands for a missing value, and with the parts of `allOf` merged. */
export function plain(schema) {
  const { description } = schema;
  const key = schema.oneOf ? "oneOf" : schema.anyOf ? "anyOf" : undefined;
  if (key) {
    const others = schema[key].filter(({ type }) => type !== "null");
    if (others.length === 1) return plain({ ...others[0], description: description ?? others[0].description });
    return others.length < schema[key].length ? { ...schema, [key]: others } : schema;
  }
  if (Array.isArray(schema.type)) {
    const types = schema.type.filter((type) => type !== "null");
    return { ...schema, type: types.length === 1 ? types[0] : types };
  }
  return (schema.allOf ?? []).map(plain).reduce(
    (all, { type = all.type, properties, required = [], additionalProperties = all.additionalProperties }) => ({
      ...all,
      type,
      properties: { ...all.properties, ...properties },
      required: [...(all.required ?? []), ...required],
      additionalProperties,
    }),
    schema,
  );
}

/** Returns the example of a schema, which the definition or the server gives; undefined without one. */
export function exampleOf(schema) {
  // The branches of a union with a tag consist of a schema and the tag.
  const [example] = [schema, ...(schema.allOf ?? [])].map((one) => plain(one).examples).find(Boolean) ?? [];
  return example;
}

/** Returns a description and the words for the values of a schema, as text without markdown. */
export function described(schema) {
  const moment = momentWords(schema);
  const { items, ...list } = plain(schema);
  const hasScalars = items && !kindsOf(items).some((kind) => ["array", "object"].includes(kind));
  const whole = expected({ ...list, description: undefined });
  const ofItems = hasScalars ? `, each${whole.includes(" of ") ? "" : " item"} ${expected(items)}` : "";
  // The words of the page.
  const names = { "a string (date)": "a date (YYYY-MM-DD)", "a string": "text", "an array": "a list" };
  const words = moment?.words ?? (whole + ofItems).replaceAll(/a string( \(date\))?|an array/g, (name) => names[name]);
  const info = (schema.description ?? "").replace(moment?.paragraph ?? "", "").trim();
  const marks = /\[([^\]]+)\]\([^)]*\)|\x60([^\x60]*)\x60|\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*/g;
  const text = info.replaceAll(marks, (_, ...texts) => texts.slice(0, 4).join(""));
  if (words === "a value" || text === "") return text || (words === "a value" ? "" : words);
  return `${text}${text.includes("\n") ? "\n" : ": "}${words}`;
}

const isNullable = (schema) =>
  (schema.type !== undefined || (schema.oneOf ?? schema.anyOf) !== undefined) && kindsOf(schema).includes("null");

/** Returns the kind of editor for a type, by its JSON Schema; by its type expression if there is no schema. */
export function inputKind({ type = "", schema: written = {}, max, optional = true }) {
  const term = type.replace(/^\?/, "");
  if (/^file\b/i.test(term)) return { name: "file" };
  if (/^(array<file\b.*>|\[\]file\b.*)$/i.test(term)) return { name: "file", multiple: true };
  const { constants } = Object.keys(written).length > 0 ? valuesOfSchema(written) : {};
  const schema = plain(written);
  const [, choices] = /^enum\((.*)\)$/s.exec(term) ?? [];
  const options = schema.type === "boolean" || term === "bool" ? [true, false] : (constants ?? choices?.split("|"));
  if (options) return { name: "choice", options: options.filter((option) => option !== null || !optional) };
  if (!optional && isNullable(written)) {
    const branches = written.oneOf ?? written.anyOf ?? [{ type: "null" }, schema];
    return { name: "union", schema: { ...written, type: undefined, anyOf: undefined, oneOf: branches } };
  }
  if (schema.anyOf ?? schema.oneOf) return { name: "union", schema };
  const types = [schema.type ?? []].flat();
  const only = (...names) => types.length > 0 && types.every((name) => names.includes(name));
  const isInteger = /^(int|uint|id)\b/.test(term) || only("integer");
  if (isInteger || /^float/.test(term) || only("integer", "number"))
    return { name: "number", mode: isInteger && schema.minimum >= 0 ? "numeric" : "text" };
  const hasKnownItems = ["type", "oneOf", "anyOf", "enum", "allOf", "const"].some((key) => key in (schema.items ?? {}));
  if (only("array") && hasKnownItems) return { name: "list", schema };
  if (only("object") && (schema.properties || typeof schema.additionalProperties === "object"))
    return { name: schema.properties ? "object" : "map", schema };
  if (/^(array|\[\]|object|loose_array|map)/.test(term) || only("array", "object")) {
    const isObject = only("object") || /^(object|map)/.test(term);
    return { name: "json", what: isObject ? 'an object in JSON, for example {"name": 1}' : 'a list in JSON, for example [1, "two"]' };
  }
  if (["any", "mixed"].includes(term) || (types.length === 0 && (term === "" || term === "union")))
    return { name: "any" };
  const input = { date: "date", time: "time", mail: "email", url: "url", phone: "tel" }[term];
  const byFormat = { date: "date", email: "email" }[schema.format];
  const { min, max: last } = momentWords(schema) ?? {};
  const maxLength = schema.maxLength ?? (term.startsWith("decimal") ? 0 : max) ?? Number(/^string\((?:\d+,\s?)?(\d+)\)/.exec(term)?.[1]);
  const long = term === "text" || maxLength > 250;
  return { name: "text", input: input ?? byFormat, long, minLength: schema.minLength, min, max: last };
}

/** Returns a typed text as a value. A text that is not valid for the kind of input is sent as it is, and the server
    reports the error. */
export function typed({ name }, text) {
  const number = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
  const isJson = name === "number" ? number.test(text) : ["json", "any"].includes(name) && parsed(text) !== undefined;
  if (!isJson) return text;
  return name === "json" ? (listOf(text) ?? new Json(text)) : new Json(text);
}

/** Returns the items of a JSON array of strings, numbers and booleans, which can be sent one by one; undefined for
    other JSON. */
function listOf(text) {
  const items = parseExactly(text, () => false);
  const isPlain = (item) => item instanceof Json || ["string", "bigint", "boolean"].includes(typeof item);
  return Array.isArray(items) && items.every(isPlain) ? items : undefined;
}
