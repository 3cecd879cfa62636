// The errors of values, at the fields of a form.

import { json, mismatch, parseExactly, unsendable } from "./rulebook.js";

/** Returns functions that show errors at the fields of a form. */
export function problemsOf(fields, body) {
  let failed = [];
  const fail = (field, message) => {
    field.fail(message);
    failed.push(field);
  };
  const isInJson = (parameter) => body.isJson && parameter.place === "body";
  /** Returns the parameter and the innermost field at a path such as `lines[1].count`. `place` is that of the
      parameter, if it is known. */
  const locate = (path, place) => {
    const all = [...fields].flatMap(([parameter, field]) => {
      const starts = [parameter.name, parameter.key, parameter.wire];
      const start = starts.find((one) => path.startsWith(one) && /^([.[]|$)/.test(path.slice(one.length)));
      return start === undefined ? [] : [{ parameter, field, rest: path.slice(start.length) }];
    });
    const found = all.find(({ parameter }) => parameter.place === place) ?? all[0];
    return found && { parameter: found.parameter, field: found.field.find(found.rest) };
  };
  const clear = (isCleared = () => true) => {
    for (const field of failed.filter(isCleared)) field.clear();
    failed = failed.filter((field) => !isCleared(field));
  };
  const focus = () => {
    for (const field of failed)
      for (let one = field.row.parentElement; one; one = one.parentElement) if (one.hidden) return;
    failed[0]?.input.focus();
    // A field that has the focus already is not scrolled into view by it.
    failed[0]?.row.scrollIntoView({ block: "nearest" });
    // The wrong value is there to be replaced.
    failed[0]?.input.select?.();
  };
  return {
    clear() {
      clear();
      body.fail?.(undefined);
    },
    /** Checks the value of the field in which `target` has changed. It can be sent nevertheless, because only the
        server decides. The errors of other fields stay. */
    check(target) {
      clear(({ row }) => row.contains(target));
      if (target === body.input) return body.fail(undefined);
      const field = target.closest(".field")?.field;
      const error = field?.error();
      if (error) return fail(field, error);
      const value = field?.value();
      if (value === undefined || field.kind.name === "file") return undefined;
      const wrong = mismatch(field.schema, parseExactly(json(value)), "value");
      if (!wrong || wrong.got === "nothing") return undefined;
      const message = wrong.message.startsWith(wrong.parameter) ? `Expected ${wrong.expected}.` : wrong.message;
      return fail(field.find(wrong.parameter.slice("value".length)), message);
    },
    /** Shows the values that a request cannot carry, and returns whether there are any. */
    refuse() {
      if (body.isJson && body.error()) {
        body.fail(body.error());
        body.input.focus();
        return true;
      }
      for (const [parameter, field] of [...fields].filter(([one]) => !isInJson(one))) {
        for (const { field: inner } of [field.row, ...field.row.querySelectorAll(".field")])
          if (inner.error()) fail(inner, inner.error());
        const value = field.value();
        const isNeeded = parameter.place === "path" && !parameter.optional && !failed.includes(field);
        if (value === undefined && isNeeded) fail(field, "Enter a value: without it, the request has another address.");
        const wrong = value === undefined || parameter.place === "body" ? undefined : unsendable(parameter, value);
        if (wrong) fail(field, `Expected ${wrong.expected}.`);
      }
      focus();
      return failed.length > 0;
    },
    /** Shows the errors of a response, and returns whether one of them is at a field. Some envelopes do not say which
        values a request has that are not valid: if `isInvalid` is true, the form looks for them. */
    report(errors, isInvalid) {
      const inJson = [];
      if (errors.length === 0 && isInvalid)
        for (const [parameter, { row }] of fields) if (!isInJson(parameter)) this.check(row);
      for (const { parameter, in: place, expected, got, message } of errors) {
        const text = message ?? `Expected ${expected}${got === null || got === undefined ? "" : `, got ${got}`}.`;
        const found = locate(parameter, place);
        if (found ? isInJson(found.parameter) : body.isJson) inJson.push(`${parameter}: ${text}`);
        else if (found) fail(found.field, text);
      }
      if (inJson.length > 0) body.fail(inJson.join("\n"));
      if (failed.length > 0) focus();
      else if (inJson.length > 0) body.input.focus();
      return failed.length + inJson.length > 0;
    },
  };
}
