// The editors of values that contain others: objects, lists, maps and unions, and that of an optional value, which is
// created on demand, because a schema can contain itself. See editors.js.

import { MAX_DEPTH, fieldOf, make, optionsOf, shown } from "./editors.js";
import { action, h, newId } from "./element.js";
import { described, exampleOf, inputKind, plain } from "./kinds.js";
import { Json, expected, json, kindsOf, mismatch, parseExactly, unionOf } from "./rulebook.js";

/** Returns the label of a field in a text. The label of a row is an element with its number. */
const textOf = (label) => (typeof label === "string" ? label : "item");

/** Says that the value of an element has changed, as a typed text does. */
const changed = (element) => element.dispatchEvent(new Event("input", { bubbles: true }));

/** Returns the editor of an optional value, which is created when the reader adds the value. */
export function onDemand({ label: name, example }, create) {
  const label = textOf(name);
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
    value: () => inner?.value(),
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

export function objectEditor({ properties, required = [] }, { example, omitted }, depth) {
  const fields = new Map();
  for (const [name, schema] of Object.entries(properties)) {
    if (name === omitted) continue;
    const [optional, info] = [!required.includes(name), described(schema)];
    fields.set(name, fieldOf({ label: name, schema, optional, info, example: example?.[name] }, depth + 1));
  }
  const value = () => {
    const members = [...fields].map(([name, field]) => [name, field.value()]);
    return Object.fromEntries(members.filter(([, member]) => member !== undefined));
  };
  const set = (next) => {
    for (const [name, field] of fields)
      field.set(next !== null && typeof next === "object" && Object.hasOwn(next, name) ? next[name] : undefined);
  };
  const find = (path) => {
    const [name, rest] = step(path, [...fields.keys()]);
    return fields.get(name)?.find(rest);
  };
  const rows = [...fields.values()].map(({ row }) => row);
  return { element: h("div", { className: "members" }, rows), value, set, find };
}

/** Returns an element with rows, which can be added and removed. `create` returns a row: its field, and its element. */
function rowsOf(name, max = Infinity, create) {
  const label = textOf(name);
  const list = h("ol", { className: "rows" });
  let rows = [];
  const number = () => {
    for (const [n, row] of rows.entries()) {
      row.number.textContent = String(n + 1);
      row.remove.ariaLabel = `Remove row ${n + 1} of ${label}`;
    }
    add.disabled = rows.length >= max;
  };
  const push = (value) => {
    const row = create(rows.length, value);
    row.remove = action(
      "×",
      () => {
        const at = rows.indexOf(row);
        rows.splice(at, 1);
        row.item.remove();
        number();
        changed(list);
        (rows[at] ?? rows.at(-1))?.field.input.focus();
        if (rows.length === 0) add.focus();
      },
      { className: "minor remove", title: "Remove" },
    );
    row.item = h("li", {}, row.element ?? row.field.row, row.remove);
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
  return { element: h("div", {}, list, add), all: () => rows, push, clear };
}

export function listEditor({ items, minItems, maxItems }, { shared, label, optional, example, isMasked }, depth) {
  const model = (Array.isArray(example) ? example[0] : undefined) ?? exampleOf(items);
  const ofList = { of: label, infoId: shared["aria-describedby"], isSecret: isMasked };
  const rows = rowsOf(label, maxItems, (n, value) => {
    const name = h("span", { className: "number" }, String(n + 1));
    const options = { label: name, ...ofList, schema: items, optional: false, example: value ?? model };
    const field = fieldOf(options, depth + 1);
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
  const value = () => {
    const all = rows.all().map(({ field }) => field.value() ?? (kindsOf(items).includes("string") ? "" : null));
    return isGiven || all.length > 0 ? all : undefined;
  };
  const find = (path) => {
    const [, n, rest] = /^\[(\d+)\](.*)$/s.exec(path) ?? [];
    return rows.all()[Number(n)]?.field.find(rest);
  };
  return { element: rows.element, value, set, find };
}

export function mapEditor({ additionalProperties: schema, propertyNames, maxProperties }, options, depth) {
  const { label, example, isMasked } = options;
  const [model = exampleOf(schema)] = Object.values(example ?? {});
  const shared = { of: `${label}: `, optional: false };
  const rows = rowsOf(label, maxProperties, (n, pair) => {
    const key = fieldOf({ ...shared, label: "name", schema: propertyNames ?? { type: "string" } }, depth + 1);
    const field = fieldOf({ ...shared, label: "value", schema, example: model, isSecret: isMasked }, depth + 1);
    const isSame = (other) => other.key !== key && other.key.value() === key.value();
    key.error = () => (rows.all().some(isSame) ? "Another row has the same name." : undefined);
    key.set(pair?.[0]);
    field.set(pair?.[1] ?? model);
    const element = h("div", { className: "pair" }, key.row, field.row);
    return { field: { ...field, input: key.input }, key, inner: field, element };
  });
  const pairs = () => rows.all().map(({ key, inner }) => [key.value() ?? "", inner.value() ?? null]);
  return {
    element: rows.element,
    value: () => Object.fromEntries(pairs()),
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

export function unionEditor(schema, { shared, label, optional, example, isNested, isMasked }, depth) {
  const { branches, member } = unionOf(schema);
  const names = [optional ? "not sent" : "choose", ...branches.map(branchName)];
  const input = h("select", { ...shared, ariaLabel: `Kind of ${textOf(label)}` }, optionsOf(names));
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
    const ids = { ...shared, id: newId(), ariaLabel: `${textOf(label)}: ${branchName(branch)}` };
    const options = { shared: ids, label, optional: false, example: value ?? example, omitted, isNested, isMasked };
    inner = make(kind, options, depth + 1);
    inner.set(value);
    content.append(inner.element);
  };
  input.addEventListener("change", () => {
    const index = input.value === "" ? -1 : Number(input.value) - 1;
    const isOfBranch = index >= 0 && example !== undefined && branchOf(example) === index;
    choose(index, isOfBranch ? example : exampleOf(branches[index]?.schema ?? {}));
    changed(input);
  });
  /** Returns the index of the branch of a value. */
  const branchOf = (value) => {
    const tag = member === undefined || value === null || typeof value !== "object" ? undefined : value[member];
    const hasTag = ({ tags = [] }) => tag !== undefined && tags.some((one) => shown(one) === shown(tag));
    const tagged = branches.findIndex(hasTag);
    if (tagged >= 0) return tagged;
    const exact = parseExactly(json(value));
    const index = branches.findIndex((branch) => !mismatch(branch.schema, exact, label));
    return index >= 0 ? index : branches.findIndex(({ kinds }) => kinds.includes(kindsOf({ const: exact })[0]));
  };
  const value = () => {
    if (at < 0) return undefined;
    const { schema: chosen, tags } = branches[at];
    if (chosen.type === "null") return null;
    if ("const" in chosen) return chosen.const;
    const own = inner.value();
    const hasOwnTag = tags?.length !== 1 || own === null || typeof own !== "object" || own instanceof Json;
    return member === undefined || hasOwnTag ? own : { [member]: tags[0], ...own };
  };
  const set = (next) => {
    const isMissing = next === undefined || (next === null && optional);
    choose(isMissing ? -1 : branchOf(next), isMissing ? undefined : next);
  };
  const element = h("div", { className: "branches" }, input, content);
  return { element, input, value, set, find: (path) => inner?.find?.(path), error: () => inner?.error?.() };
}
