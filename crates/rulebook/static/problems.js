// The errors of values, at the fields of a form.

import { json, mismatch, parseExactly, unsendable } from "./rulebook.js";

/** Returns functions that show errors at the fields of a form. */
export function problemsOf(fields, body) {
  let failed = [];
  const fail = (field, message) => {
    field.fail(message);
    failed.push(field);
  };
  const fieldAt = (path) => {
    for (const [{ name, key, wire }, field] of fields) {
      for (const start of [name, key, wire])
        if (path.startsWith(start) && /^([.[]|$)/.test(path.slice(start.length)))
          return field.find(path.slice(start.length));
    }
    return undefined;
  };
  const clear = () => {
    for (const field of failed) field.clear();
    failed = [];
    body.fail?.(undefined);
  };
  const focus = () => {
    for (const field of failed)
      for (let one = field.row.parentElement; one; one = one.parentElement) if (one.hidden) return;
    failed[0]?.input.focus();
    // The wrong value is there to be replaced.
    failed[0]?.input.select?.();
  };
  return {
    clear,
    /** Checks a value that was typed. It can be sent nevertheless, because only the server decides. */
    check(parameter) {
      clear();
      const value = parameter && fields.get(parameter).value();
      if (value === undefined || fields.get(parameter).kind.name === "file") return;
      const exact = parseExactly(json(value));
      const wrong = mismatch(parameter.schema, exact, parameter.name);
      const field = wrong && wrong.got !== "nothing" && fieldAt(wrong.parameter);
      if (field) fail(field, wrong.message.startsWith(wrong.parameter) ? `Expected ${wrong.expected}.` : wrong.message);
    },
    /** Shows the values that a request cannot carry, and returns whether there are any. */
    refuse() {
      if (body.isJson && body.error()) {
        body.fail(body.error());
        body.input.focus();
        return true;
      }
      for (const [parameter, field] of fields) {
        const value = field.value();
        const isNeeded = parameter.place === "path" && !parameter.optional;
        if (value === undefined && isNeeded) fail(field, "Enter a value: without it, the request has another address.");
        const wrong = value === undefined || parameter.place === "body" ? undefined : unsendable(parameter, value);
        if (wrong) fail(field, `Expected ${wrong.expected}.`);
        if (value !== undefined && field.kind.name === "json" && typeof value === "string")
          fail(field, `Expected ${field.kind.what}.`);
      }
      focus();
      return failed.length > 0;
    },
    /** Shows the errors of a response, and returns whether one of them is at a field. */
    report(errors) {
      const texts = errors.map(({ parameter, expected, got, message }) => [
        String(parameter),
        message ?? `Expected ${expected}${got === null || got === undefined ? "" : `, got ${got}`}.`,
      ]);
      if (body.isJson)
        body.fail(texts.length === 0 ? undefined : texts.map(([path, text]) => `${path}: ${text}`).join("\n"));
      else for (const [path, text] of texts) if (fieldAt(path)) fail(fieldAt(path), text);
      focus();
      return failed.length > 0 || (body.isJson && texts.length > 0);
    },
  };
}
