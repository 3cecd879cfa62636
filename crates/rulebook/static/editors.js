// The editors of values, by their JSON Schemas: inputs for scalars, rows for lists and maps, fields for objects, and a
// selector for the branches of a union. Numbers are texts, so that no digits are lost.
//
// An editor has its `element`, the `input` that gets the focus, `value()`, which is undefined for a missing value,
// `set(value)`, if it contains other fields, `find(path)`, and, if it can contain a text that is not a value, `error()`.

import { action, h, newId } from "./element.js";
import { exampleOf, inputKind, isSecret, parsed, typed } from "./kinds.js";
import { listEditor, mapEditor, objectEditor, onDemand, unionEditor } from "./nested.js";
import { json } from "./rulebook.js";

/** What code shows instead of a secret. */
export const MASK = "********";
/** The number of levels of required objects that a form shows at once. Deeper values are edited as JSON. */
export const MAX_DEPTH = 10;

/** Returns a value as a text: a string as it is, another value as JSON. */
export const shown = (value) => (typeof value === "string" ? value : json(value));

/**
 * Returns a field: an editor with its label, its description and the place for its error.
 *
 * @param {object} options `label`; `of`, the name of the list that contains the field; `schema`, and `type` if the
 *   field is a parameter; `optional`; `note` and `info` describe the field, and `infoId` is the id of a description
 *   outside of the field; `preset` is its default, `declared` the example of the definition, and `example` the value
 *   with which an optional object begins; `isSecret`, if the value is a secret whatever the label is
 */
export function fieldOf(options, depth = 0) {
  const { label, of, optional, note = "", info, isNested = depth > 0, schema = {} } = options;
  const id = newId();
  const kind = depth > MAX_DEPTH ? { name: "any" } : inputKind({ ...options, optional });
  const shared = { id, "aria-describedby": options.infoId ?? `${id}-info`, spellcheck: false };
  const isMasked = options.isSecret || (typeof label === "string" && isSecret(label));
  const example = options.example ?? exampleOf(schema);
  const editor = make(kind, { ...options, shared, isNested, isMasked, example }, depth);
  const isGroup = ["list", "object", "map", "union"].includes(kind.name);
  const name = [of === undefined ? "" : h("span", { className: "unseen" }, `${of} `), label];
  const marks = [
    note && h("small", {}, ` ${note}`),
    optional || of !== undefined ? "" : h("span", { className: "required" }, " required"),
  ];
  const problem = h("p", { id: `${id}-problem`, className: "problem", hidden: true });
  const text = h("p", { id: `${id}-info`, className: "more" }, info ?? "");
  const title = isGroup ? h("span", { className: "label" }, name) : h("label", { htmlFor: id }, name);
  const caption = h("p", { id: `${id}-label` }, title, marks);
  const content = isGroup
    ? [info ? text : "", problem, h("div", { className: "inner" }, editor.element)]
    : [editor.element, problem, text];
  const row = h("div", { className: isGroup ? `field group ${kind.name}` : "field" }, caption, content);
  if (isGroup) row.role = "group";
  let marked;
  const field = {
    row,
    kind,
    schema,
    get input() {
      return editor.input ?? row.querySelector("input, select, textarea, button");
    },
    value: editor.value,
    set: editor.set,
    /** Returns the innermost field at a path such as `[1].count`. */
    find: (path) => (path === "" ? field : (editor.find?.(path) ?? field)),
    /** Returns why the field contains no value that can be sent; undefined if it contains one, or nothing. */
    error: () => editor.error?.(),
    fail(message) {
      field.clear();
      problem.textContent = message;
      problem.hidden = false;
      marked = field.input;
      if (!marked.matches("button")) marked.ariaInvalid = "true";
      marked.setAttribute("aria-describedby", `${problem.id} ${marked.getAttribute("aria-describedby") ?? ""}`);
    },
    clear() {
      problem.hidden = true;
      marked?.removeAttribute("aria-invalid");
      marked?.setAttribute("aria-describedby", marked.getAttribute("aria-describedby").replace(`${problem.id} `, ""));
      marked = undefined;
    },
  };
  row.field = field;
  if (isGroup) row.setAttribute("aria-labelledby", `${id}-label`);
  return field;
}

/** Returns the editor of a kind. */
export function make(kind, options, depth) {
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

/** Returns the options of a selector, of which the first stands for no value. */
export const optionsOf = (names) => names.map((name, n) => h("option", { value: n === 0 ? "" : String(n) }, name));

function choiceEditor(constants, { shared, preset, optional }) {
  const unset = preset !== undefined ? `${shown(preset)} (default)` : optional ? "not sent" : "choose";
  const names = constants.map(shown);
  const input = h("select", shared, optionsOf([unset, ...names]));
  const set = (value) => {
    const index = value === undefined ? -1 : names.indexOf(shown(value));
    input.value = index < 0 ? "" : String(index + 1);
  };
  if (constants.length === 1 && !optional) set(constants[0]);
  const value = () => (input.value === "" ? undefined : constants[Number(input.value) - 1]);
  return { element: input, input, set, value };
}

function textEditor(kind, { shared, preset, declared, example, optional, isNested, isMasked, place }) {
  const isRaw = ["json", "any"].includes(kind.name);
  // A string without quotes could be other JSON.
  const format = (value) =>
    typeof value === "string" && !(kind.name === "any" && parsed(value) !== undefined) ? value : json(value);
  const placeholder =
    preset !== undefined
      ? `${format(preset)} (default)`
      : declared !== undefined
        ? `e.g. ${format(declared)}`
        : (kind.what ?? (isRaw ? "JSON" : undefined));
  let start = "";
  const create = (hasLines) => {
    const className = isRaw ? "json" : isMasked ? "masked" : "";
    const bounds = kind.input === "date" ? { min: kind.min, max: kind.max } : {};
    const [type, autocomplete] = isMasked ? ["password", "off"] : [kind.input ?? "text"];
    const created = hasLines
      ? h("textarea", { ...shared, rows: isRaw ? 3 : 4, className, placeholder })
      : h("input", { ...shared, ...bounds, type, autocomplete, inputMode: kind.mode, placeholder });
    // An example is there to be replaced.
    const isExample = () => created.value !== "" && created.value === start && !kind.long;
    created.addEventListener("focus", () => isExample() && created.select());
    return created;
  };
  const hasLines = [preset, declared, example].some((value) => typeof value === "string" && value.includes("\n"));
  let input = create(isRaw || hasLines || (kind.long && !isMasked));
  const shell = isMasked ? revealed(input) : undefined;
  const keepsEmpty = isNested && !optional && kind.name === "text" && !kind.minLength && place === undefined;
  const isPlain = () => input.matches("textarea, [type=text]");
  const value = () => (input.value !== "" ? typed(kind, input.value) : keepsEmpty && isPlain() ? "" : undefined);
  const set = (next) => {
    const text = next === undefined ? "" : format(next);
    // An input would remove the line breaks.
    if (text.includes("\n") && input.matches("input")) {
      const other = create(true);
      input.replaceWith(other);
      input = other;
    }
    input.value = start = text;
  };
  const error = () => {
    if (input.validity.badInput)
      return `Expected ${kind.input === "time" ? "a time, such as 14:30" : "a date that exists, such as 2026-12-31"}.`;
    return kind.name === "json" && typeof value() === "string" ? `Expected ${kind.what}.` : undefined;
  };
  return {
    get element() {
      return shell ?? input;
    },
    get input() {
      return input;
    },
    value,
    set,
    error,
  };
}

/** Returns the input of a secret, with a button that shows it. */
export function revealed(input) {
  const button = action(
    "Show",
    () => {
      const isShown = button.ariaPressed === "true";
      const { firstChild } = shell;
      if (firstChild.matches("textarea")) firstChild.classList.toggle("masked", isShown);
      else firstChild.type = isShown ? "password" : "text";
      button.textContent = isShown ? "Show" : "Hide";
      button.ariaPressed = String(!isShown);
    },
    { ariaPressed: "false", ariaLabel: "Show the characters" },
  );
  const shell = h("span", { className: "with-button" }, input, button);
  return shell;
}
