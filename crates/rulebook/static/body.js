// The parameters in a JSON body, which are edited as fields or as one JSON text.

import { action, h, newId } from "./element.js";
import { parseDefinition, parsed } from "./kinds.js";
import { prettyText } from "./pretty.js";
import { Json, json } from "./rulebook.js";

/** Returns the part of a form with the parameters in a JSON body, which can be edited as fields or as JSON. */
export function bodyOf(method, fields) {
  const own = [...fields].filter(([{ place }]) => place === "body");
  const isJsonBody = own.length > 0 && own.every(([, { kind }]) => kind.name !== "file");
  if (!isJsonBody) return { isJson: false, show: () => {} };
  const [[whole]] = own;
  const input = h("textarea", { className: "json", rows: 14, spellcheck: false, ariaLabel: "The body in JSON" });
  const problem = h("p", { className: "problem", id: newId(), hidden: true });
  input.setAttribute("aria-describedby", problem.id);
  const rows = h("div", {}, own.map(([, { row }]) => row));
  const text = h("div", { className: "field" }, input, problem);
  const content = () => {
    if (whole.isWholeBody) return fields.get(whole).value();
    const members = own.map(([{ wire }, field]) => [wire, field.value()]);
    return Object.fromEntries(members.filter(([, value]) => value !== undefined));
  };
  const isObject = (value) =>
    value !== null && typeof value === "object" && !Array.isArray(value) && !(value instanceof Json);
  const error = () => {
    const value = parsed(input.value);
    if (value === undefined) return "This is not JSON. Check the quotes, commas and brackets.";
    return whole.isWholeBody || isObject(value) ? undefined : "The body is an object in JSON: {…}";
  };
  const fail = (message) => {
    problem.textContent = message ?? "";
    problem.hidden = message === undefined;
    input.ariaInvalid = message === undefined ? null : "true";
  };
  const body = {
    isJson: false,
    input,
    fail,
    error,
    show(isJson) {
      body.isJson = isJson;
      fail(undefined);
      rows.hidden = isJson;
      text.hidden = !isJson;
      for (const [n, button] of buttons.entries()) {
        const isChosen = (n === 1) === isJson;
        button.ariaPressed = String(isChosen);
        button.tabIndex = isChosen ? 0 : -1;
      }
    },
    /** Returns the members of the body by parameter. A member without a parameter is sent, too. */
    members() {
      if (error()) return [];
      const value = parsed(input.value);
      if (whole.isWholeBody) return [[whole, new Json(input.value)]];
      const parameterOf = (wire) => own.find(([one]) => one.wire === wire)?.[0] ?? { wire, name: wire, place: "body" };
      return Object.entries(value).map(([wire, member]) => [parameterOf(wire), member]);
    },
  };
  const toFields = () => {
    const value = parsed(input.value);
    if (error()) return fail(error());
    for (const [{ wire, isWholeBody }, field] of own)
      field.set(isWholeBody ? value : Object.hasOwn(value, wire) ? value[wire] : undefined);
    if (json(sorted(content() ?? null)) !== json(sorted(value)))
      return fail("The form cannot show all of this. It stays in JSON.");
    return body.show(false);
  };
  const toJson = () => {
    input.value = prettyText(json(content() ?? {}));
    body.show(true);
  };
  const choose = (isJson) => () => {
    if (isJson === body.isJson) return;
    (isJson ? toJson : toFields)();
    input.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const buttons = [action("Form", choose(false)), action("JSON", choose(true))];
  const choice = h("span", { className: "switch", role: "group", ariaLabel: "How to edit the body" }, buttons);
  // The two buttons are one tab stop.
  choice.addEventListener("keydown", ({ key }) => {
    if (!/^Arrow/.test(key)) return;
    const other = buttons[body.isJson ? 0 : 1];
    other.click();
    other.focus();
  });
  const head = h("p", { className: "body-head" }, h("span", {}, "Body"), choice);
  body.element = h("div", { className: "body" }, head, rows, text);
  body.show(false);
  return body;
}

/** Returns a value with the members of its objects in order, so that equal values have the same JSON. */
function sorted(value) {
  const plain = value instanceof Json ? parseDefinition(value.text) : value;
  if (Array.isArray(plain)) return plain.map(sorted);
  if (plain === null || typeof plain !== "object" || plain instanceof Json) return plain;
  const members = Object.entries(plain).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, sorted(member)]));
}
