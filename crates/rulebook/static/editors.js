// The editors of values, by their JSON Schemas: inputs for scalars, rows for lists and maps, fields for objects, and a selector
// for the branches of a union. Numbers are texts, so that no digits are lost.
//
// An editor has its `element`, the `input` that gets the focus, `value(isMasked)`, which is undefined for a missing value,
// `set(value)`, and, if it contains other fields, `find(path)`.

import { action, h, newId } from "./element.js";
import { Json, expected, json, kindsOf, mismatch, parseExactly, unionOf, valuesOfSchema } from "./rulebook.js";

/** What code shows instead of a secret. */
export const MASK = "********";
/** The number of levels of required objects that a form shows at once. Deeper values are edited as JSON. */
const MAX_DEPTH = 10;

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

/** Returns whether a name is that of a secret, which the page masks. */
export const isSecret = (name) => /(pass(word|wd|phrase)|secret)$/i.test(name);

/** Returns a schema without null, which stands for a missing value, and with the parts of `allOf` merged. */
function plain(schema) {
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
    return { name: "number", mode: isInteger && !(schema.minimum < 0) && schema.minimum !== undefined ? "numeric" : "text" };
  if (only("array")) {
    const isKnown = schema.items && (schema.items.type ?? schema.items.oneOf ?? schema.items.anyOf ?? schema.items.enum ?? schema.items.allOf ?? schema.items.const) !== undefined;
    return isKnown ? { name: "list", schema } : { name: "json", what: "a list in JSON, for example [1, \"two\"]" };
  }
  if (only("object") && (schema.properties || typeof schema.additionalProperties === "object"))
    return { name: schema.properties ? "object" : "map", schema };
  if (/^(array|\[\]|object|loose_array|map)/.test(term) || only("array", "object"))
    return { name: "json", what: only("object") || /^(object|map)/.test(term) ? 'an object in JSON, for example {"name": 1}' : "a list in JSON, for example [1, 2]" };
  if (["any", "mixed"].includes(term) || types.length === 0 && (term === "" || term === "union")) return { name: "any" };
  const input = { date: "date", time: "time", mail: "email", url: "url", phone: "tel" }[term];
  const byFormat = { date: "date", email: "email" }[schema.format];
  const maxLength = schema.maxLength ?? max ?? Number(/^string\((?:\d+,\s?)?(\d+)\)/.exec(term)?.[1]);
  return { name: "text", input: input ?? byFormat, long: term === "text" || maxLength > 250, minLength: schema.minLength };
}

/** Returns a typed text as a value. A text that is not valid for the kind of input is sent as it is, and the server reports
    the error. */
export function typed({ name }, text) {
  const number = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
  const isJson = name === "number" ? number.test(text) : ["json", "any"].includes(name) && parsed(text) !== undefined;
  if (!isJson) return text;
  return name === "json" ? (listOf(text) ?? new Json(text)) : new Json(text);
}

/** Returns the items of a JSON array of strings, numbers and booleans, which can be sent one by one; undefined for other
    JSON. */
function listOf(text) {
  const items = parseExactly(text, () => false);
  if (!Array.isArray(items)) return undefined;
  return items.every((item) => item instanceof Json || ["string", "bigint", "boolean"].includes(typeof item)) ? items : undefined;
}

const shown = (value) => (typeof value === "string" ? value : json(value));

/** Says that the value of an element has changed, as a typed text does. */
const changed = (element) => element.dispatchEvent(new Event("input", { bubbles: true }));

/**
 * Returns a field: an editor with its label, its description and the place for its error.
 *
 * @param {object} options `label`; `of`, the name of the list that contains the field; `schema`, and `type` if the field is
 *   a parameter; `optional`; `note` and `info` describe the field; `preset` is its default, `declared` the example of the
 *   definition, and `example` the value with which an optional object begins
 */
export function fieldOf(options, depth = 0) {
  const { label, of, optional, note = "", info, isNested = depth > 0 } = options;
  const id = newId();
  const kind = depth > MAX_DEPTH ? { name: "any" } : inputKind({ ...options, optional });
  const shared = { id, "aria-describedby": `${id}-info`, spellcheck: false };
  const editor = make(kind, { ...options, shared, isNested }, depth);
  const isGroup = ["list", "object", "map", "union"].includes(kind.name);
  const name = [of === undefined ? "" : h("span", { className: "unseen" }, `${of} `), label];
  const marks = [optional || of !== undefined ? "" : h("span", { className: "required" }, " required"), note && h("small", {}, ` ${note}`)];
  const problem = h("p", { id: `${id}-problem`, className: "problem", hidden: true });
  const text = h("p", { id: `${id}-info`, className: "more" }, info ?? "");
  const row = isGroup
    ? h("div", { className: `field group ${kind.name}`, role: "group" }, h("p", { id: `${id}-label` }, h("span", { className: "label" }, name), marks), info ? text : "", problem, h("div", { className: "inner" }, editor.element))
    : h("div", { className: "field" }, h("p", {}, h("label", { htmlFor: id }, name), marks), editor.element, problem, text);
  const field = {
    row,
    kind,
    get input() {
      return editor.input ?? row.querySelector("input, select, textarea, button");
    },
    value: editor.value,
    set: editor.set,
    /** Returns the innermost field at a path such as `[1].count`. */
    find: (path) => (path === "" ? field : (editor.find?.(path) ?? field)),
    fail(message) {
      problem.textContent = message;
      problem.hidden = false;
      if (!field.input.matches("button")) field.input.ariaInvalid = "true";
      field.input.setAttribute("aria-describedby", `${problem.id} ${id}-info`);
    },
    clear() {
      problem.hidden = true;
      field.input.removeAttribute("aria-invalid");
    },
  };
  if (isGroup) row.setAttribute("aria-labelledby", `${id}-label`);
  return field;
}

/** Returns the editor of a kind. */
function make(kind, options, depth) {
  switch (kind.name) {
    case "file":
      return fileEditor(kind, options);
    case "choice":
      return choiceEditor(kind.options, options);
    case "list":
      return listEditor(kind.schema, options, depth);
    case "union":
      return unionEditor(kind.schema, options, depth);
    case "object":
    case "map": {
      const create = () => (kind.name === "map" ? mapEditor : objectEditor)(kind.schema, options, depth);
      return options.optional ? onDemand(options, create) : create();
    }
    default:
      return textEditor(kind, options);
  }
}

function fileEditor({ multiple }, { shared, range, ext }) {
  const accept = [...(range ?? []), ...(ext ?? []).map((end) => `.${end}`)].join(",");
  const input = h("input", { ...shared, type: "file", multiple, accept });
  const value = () => (input.files.length === 0 ? undefined : multiple ? [...input.files] : input.files[0]);
  return { element: input, input, value, set: () => (input.value = "") };
}

function choiceEditor(constants, { shared, preset, optional }) {
  const unset = preset !== undefined ? `${shown(preset)} (default)` : optional ? "not sent" : "choose";
  const names = constants.map(shown);
  const input = h("select", shared, [unset, ...names].map((name, n) => h("option", { value: n === 0 ? "" : String(n) }, name)));
  const set = (value) => {
    const index = value === undefined ? -1 : names.indexOf(shown(value));
    input.value = index < 0 ? "" : String(index + 1);
  };
  if (constants.length === 1 && !optional) set(constants[0]);
  return { element: input, input, set, value: () => (input.value === "" ? undefined : constants[Number(input.value) - 1]) };
}

function textEditor(kind, { shared, preset, declared, optional, isNested, min, max, label, place }) {
  const isRaw = ["json", "any"].includes(kind.name);
  // A string without quotes could be other JSON.
  const format = (value) => (typeof value === "string" && !(kind.name === "any" && parsed(value) !== undefined) ? value : json(value));
  const example = kind.what ?? (isRaw ? "JSON" : undefined);
  const placeholder =
    preset !== undefined ? `${format(preset)} (default)` : declared !== undefined ? `e.g. ${format(declared)}` : example;
  const isMasked = isSecret(label) && kind.name === "text";
  const bounds = kind.input === "date" ? { min, max } : {};
  const input =
    isRaw || (kind.long && !isMasked)
      ? h("textarea", { ...shared, rows: isRaw ? 3 : 4, className: isRaw ? "json" : "", placeholder })
      : h("input", { ...shared, ...bounds, type: isMasked ? "password" : (kind.input ?? "text"), inputMode: kind.mode, placeholder });
  // An example is there to be replaced.
  let start = "";
  input.addEventListener("focus", () => input.value !== "" && input.value === start && !kind.long && input.select());
  const keepsEmpty = isNested && !optional && kind.name === "text" && !kind.minLength && place === undefined;
  const value = (hides) => {
    if (input.value === "") return keepsEmpty && input.type === "text" ? "" : undefined;
    return hides && isMasked ? MASK : typed(kind, input.value);
  };
  const set = (next) => (input.value = start = next === undefined ? "" : format(next));
  return { element: isMasked ? revealed(input) : input, input, value, set };
}

/** Returns the input of a secret, with a button that shows it. */
export function revealed(input) {
  const button = action("Show", () => {
    const isShown = input.type === "text";
    input.type = isShown ? "password" : "text";
    button.textContent = isShown ? "Show" : "Hide";
    button.ariaPressed = String(!isShown);
  }, { ariaPressed: "false", ariaLabel: "Show the characters" });
  return h("span", { className: "with-button" }, input, button);
}

/** Returns the editor of an optional value, which is created when the reader adds the value. */
function onDemand({ label, example }, create) {
  const element = h("div");
  let inner;
  const close = () => {
    inner = undefined;
    element.replaceChildren(add);
  };
  const open = (value) => {
    inner ??= create();
    if (value !== undefined) inner.set(value);
    element.replaceChildren(inner.element, remove);
  };
  const add = action(`Add ${label}`, () => {
    open(example);
    changed(element);
    element.querySelector("input, select, textarea")?.focus();
  });
  const remove = action(`Remove ${label}`, () => {
    close();
    changed(element);
    add.focus();
  });
  close();
  return {
    element,
    value: (hides) => inner?.value(hides),
    set: (value) => (value === undefined || value === null ? close() : open(value)),
    find: (path) => inner?.find(path),
  };
}

/** Returns the longest name at the start of a path such as `.name[0]`, and the rest of the path. */
function step(path, names) {
  const ends = (name) => path.startsWith(`.${name}`) && /^(\.|\[|$)/.test(path.slice(name.length + 1));
  const name = names.filter(ends).sort((a, b) => b.length - a.length)[0];
  return [name, path.slice((name ?? "").length + 1)];
}

const described = (schema) => {
  const words = expected(plain(schema));
  const [info = ""] = (schema.description ?? "").split("\n");
  return words === "a value" ? info : `${info && `${info}: `}${words}`;
};

function objectEditor({ properties, required = [] }, { example, omitted, isNested }, depth) {
  const fields = new Map();
  for (const [name, schema] of Object.entries(properties)) {
    if (name === omitted) continue;
    const options = { label: name, schema, optional: !required.includes(name), info: described(schema), example: example?.[name] };
    fields.set(name, fieldOf({ ...options, declared: undefined, isNested: isNested || true }, depth + 1));
  }
  const value = (hides) => {
    const members = [...fields].map(([name, field]) => [name, field.value(hides)]);
    return Object.fromEntries(members.filter(([, member]) => member !== undefined));
  };
  const set = (next) => {
    for (const [name, field] of fields) field.set(next !== null && typeof next === "object" && Object.hasOwn(next, name) ? next[name] : undefined);
  };
  const find = (path) => {
    const [name, rest] = step(path, [...fields.keys()]);
    return fields.get(name)?.find(rest);
  };
  return { element: h("div", { className: "members" }, [...fields.values()].map(({ row }) => row)), value, set, find };
}

/** Returns an element with rows, which can be added and removed. `create` returns a row: its field, and its element. */
function rowsOf(label, { min = 0, max = Infinity }, create) {
  const list = h("ol", { className: "rows" });
  let rows = [];
  const number = () => {
    for (const [n, row] of rows.entries()) row.number.textContent = String(n + 1);
    add.disabled = rows.length >= max;
  };
  const push = (value) => {
    const row = create(rows.length, value);
    const remove = action("×", () => {
      const at = rows.indexOf(row);
      rows.splice(at, 1);
      row.item.remove();
      number();
      changed(list);
      (rows[at] ?? rows.at(-1))?.field.input.focus();
      if (rows.length === 0) add.focus();
    }, { className: "minor remove", ariaLabel: `Remove this row of ${label}`, title: "Remove" });
    row.item = h("li", {}, row.element ?? row.field.row, remove);
    row.number = row.item.querySelector(".number") ?? h("span");
    rows.push(row);
    list.append(row.item);
    number();
    return row;
  };
  const add = action(`Add to ${label}`, () => {
    push().field.input.focus();
    changed(list);
  });
  const clear = () => {
    rows = [];
    list.replaceChildren();
    add.disabled = max <= 0;
  };
  return { element: h("div", {}, list, add), all: () => rows, push, clear, min };
}

function listEditor({ items, minItems, maxItems }, { label, optional, example }, depth) {
  const model = Array.isArray(example) ? example[0] : undefined;
  const rows = rowsOf(label, { max: maxItems }, (n, value) => {
    const name = h("span", { className: "number" }, String(n + 1));
    const field = fieldOf({ label: name, of: label, schema: items, optional: false, example: value ?? model }, depth + 1);
    field.set(value ?? (kindsOf(items).includes("object") ? model : undefined));
    return { field };
  });
  let isGiven = !optional;
  const set = (next) => {
    rows.clear();
    isGiven = !optional || Array.isArray(next);
    const count = Array.isArray(next) ? next.length : isGiven ? Number(minItems ?? 0) : 0;
    for (let n = 0; n < Math.min(count, 1000); n += 1) rows.push(next?.[n]);
  };
  rows.element.addEventListener("input", () => (isGiven = !optional || rows.all().length > 0));
  const value = (hides) => {
    const all = rows.all().map(({ field }) => field.value(hides) ?? (kindsOf(items).includes("string") ? "" : null));
    return isGiven || all.length > 0 ? all : undefined;
  };
  const find = (path) => {
    const [, n, rest] = /^\[(\d+)\](.*)$/s.exec(path) ?? [];
    return rows.all()[Number(n)]?.field.find(rest);
  };
  return { element: rows.element, value, set, find };
}

function mapEditor({ additionalProperties: schema, propertyNames, maxProperties }, { label, example }, depth) {
  const [model] = Object.values(example ?? {});
  const rows = rowsOf(label, { max: maxProperties }, (n, pair) => {
    const key = fieldOf({ label: "name", of: `${label}: `, schema: propertyNames ?? { type: "string" }, optional: false }, depth + 1);
    const field = fieldOf({ label: "value", of: `${label}: `, schema, optional: false, example: model }, depth + 1);
    key.set(pair?.[0]);
    field.set(pair?.[1] ?? model);
    return { field: { ...field, input: key.input }, key, inner: field, element: h("div", { className: "pair" }, key.row, field.row) };
  });
  const pairs = (hides) => rows.all().map(({ key, inner }) => [key.value() ?? "", inner.value(hides) ?? null]);
  return {
    element: rows.element,
    value: (hides) => Object.fromEntries(pairs(hides)),
    set(next) {
      rows.clear();
      if (next !== null && typeof next === "object") for (const pair of Object.entries(next)) rows.push(pair);
    },
    find(path) {
      const [name, rest] = step(path, rows.all().map(({ key }) => String(key.value() ?? "")));
      return rows.all().find(({ key }) => key.value() === name)?.inner.find(rest);
    },
  };
}

/** Returns the name of a branch of a union: its tag, or the words for its values. */
function branchName({ schema, tags }) {
  if (tags?.length === 1) return shown(tags[0]);
  const [info = ""] = (schema.description ?? "").split("\n");
  return kindsOf(schema).includes("object") && info !== "" && info.length < 60 ? info : expected(plain(schema));
}

function unionEditor(schema, { shared, label, optional, example, isNested }, depth) {
  const { branches, member } = unionOf(schema);
  const input = h("select", { ...shared, ariaLabel: `Kind of ${typeof label === "string" ? label : "item"}` });
  input.append(...[optional ? "not sent" : "choose", ...branches.map(branchName)].map((name, n) => h("option", { value: n === 0 ? "" : String(n) }, name)));
  const content = h("div");
  let inner;
  let at = -1;
  const choose = (index, value) => {
    [at, inner] = [index, undefined];
    input.value = index < 0 ? "" : String(index + 1);
    content.replaceChildren();
    if (index < 0) return;
    const branch = branches[index];
    // The selector is the field of the tag.
    const omitted = branch.tags?.length === 1 ? member : undefined;
    if (branch.schema.type === "null" || "const" in branch.schema) return;
    const kind = depth > MAX_DEPTH ? { name: "any" } : inputKind({ schema: branch.schema });
    const ids = { id: newId(), spellcheck: false, ariaLabel: `${typeof label === "string" ? label : "item"}: ${branchName(branch)}` };
    inner = make(kind, { shared: ids, label, optional: false, example: value ?? example, omitted, isNested }, depth + 1);
    inner.set(value);
    content.append(inner.element);
  };
  input.addEventListener("change", () => {
    const index = input.value === "" ? -1 : Number(input.value) - 1;
    choose(index, index >= 0 && example !== undefined && branchOf(example) === index ? example : undefined);
    changed(input);
  });
  /** Returns the index of the branch of a value. */
  const branchOf = (value) => {
    const tag = member === undefined || value === null || typeof value !== "object" ? undefined : value[member];
    const tagged = branches.findIndex(({ tags = [] }) => tag !== undefined && tags.some((one) => shown(one) === shown(tag)));
    if (tagged >= 0) return tagged;
    const exact = parseExactly(json(value));
    const index = branches.findIndex((branch) => !mismatch(branch.schema, exact, label));
    return index >= 0 ? index : branches.findIndex(({ kinds }) => kinds.includes(kindOfValue(exact)));
  };
  const value = (hides) => {
    if (at < 0) return undefined;
    const { schema: chosen, tags } = branches[at];
    if (chosen.type === "null") return null;
    if ("const" in chosen) return chosen.const;
    const own = inner.value(hides);
    return tags?.length === 1 && member !== undefined && own !== null && typeof own === "object" && !(own instanceof Json) ? { [member]: tags[0], ...own } : own;
  };
  const set = (next) => {
    const isMissing = next === undefined || (next === null && optional);
    choose(isMissing ? -1 : branchOf(next), isMissing ? undefined : next);
  };
  return { element: h("div", { className: "branches" }, input, content), input, value, set, find: (path) => inner?.find?.(path) };
}

const kindOfValue = (value) =>
  value === null ? "null" : Array.isArray(value) ? "array" : value instanceof Json || typeof value === "bigint" ? "number" : typeof value;
