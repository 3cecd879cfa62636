// The form that calls a method: a field for each parameter, and the response. Text of definitions and responses is only
// inserted as text nodes.

import { bodyOf } from "./body.js";
import { MASK, fieldOf } from "./editors.js";
import { action, escapeControls, h, newId } from "./element.js";
import { isSecretParameter, parseDefinition, parsed, withoutSecrets } from "./kinds.js";
import { problemsOf } from "./problems.js";
import { ApiError, KEY_HEADER, baseOf, describe, json, needsKey, outputs, randomKey, request } from "./rulebook.js";
import { send, services, utf8 } from "./rulebook.js";

/** The time in milliseconds after which a reader can cancel a call. A double click on the button does not cancel it. */
const CANCEL_DELAY = 700;
/** The maximum size in bytes of a JSON response that the form reads, for example to find a token in it. */
const MAX_PARSED = 1_000_000;

/** Returns the response to OPTIONS on a URL. */
function definitionAt(url, scheme) {
  const headers = scheme.fieldsOfPage().map(([name, value]) => [name, utf8(value)]);
  return describe(url, { headers, credentials: scheme.fetchOption, parse: parseDefinition });
}

/**
 * Returns the form of a method.
 *
 * @param {URL} root the URL of the server, with a slash at the end
 * @param {string} id the id of the method, such as `article.line.get`
 * @param {string} path the URI template of its service, so that only the definition of the service is requested; if
 *   another service is there, the definition of the whole API is requested
 * @param {Scheme} scheme the authentication scheme of the API
 * @param {object} options see formOf
 * @returns {Promise<HTMLElement>}
 */
export async function form(root, id, path, scheme, options) {
  const alone = await ofService(root, id, path, scheme).catch(() => undefined);
  if (alone) return formOf(alone.base, alone.method, scheme, options);
  const api = await definitionAt(root, scheme);
  const method = api?.modules && [...services(api)].flatMap((service) => service.methods).find((one) => one.id === id);
  if (!method) throw new Error(`there is no method ${id}`);
  return formOf(baseOf(api, root), method, scheme, options);
}

/** Requests the definition of one service, and returns its method with this id and the URL of the API's base path;
    undefined if the service does not have the method. */
async function ofService(root, id, path, scheme) {
  const url = new URL(`.${path}`, root);
  if (url.href === root.href) return undefined;
  const tree = await definitionAt(url, scheme);
  if (!tree?.module) return undefined;
  for (const service of services({ $defs: tree.$defs, modules: { [tree.module]: tree } })) {
    const method = service.methods.find((one) => one.id === id);
    if (!method) continue;
    const segments = url.href.split("/");
    const { length } = service.path.split("/").filter((segment) => segment !== "");
    return { base: segments.slice(0, segments.length - length).join("/"), method };
  }
}

/**
 * Returns the form of a known method.
 *
 * @param {string} base the URL of the base path of the API
 * @param {object} method the method, as `services` returns it
 * @param {Scheme} scheme the authentication scheme of the API
 * @param {object} options `button` submits the form; `status` and `response` are the elements that show the response,
 *   and `onCalled` is called with it, with the error in it, with whether the form has changed meanwhile, and with
 *   whether errors are shown at fields; `onChange` is called when a value changes; `words` returns the description of a
 *   parameter's values, by the key of the parameter; with `isSafe`, a key can send the form at any time, because the
 *   method changes nothing on the server (RFC 9110 section 9.2.1); `values` and `examples` have the values with which the form begins,
 *   and those of other parameters, by key
 */
function formOf(base, method, scheme, options) {
  const { button, status, response, onCalled, onChange, words, values: starts, examples, isSafe } = options;
  /** The examples with which the form does not begin, because they would select what a call changes. */
  const omitted = new Map();
  const start = new Map();
  const selectors = new Set();
  for (const { key, optional, example, place, type } of method.parameters) {
    const value = Object.hasOwn(starts, key) ? starts[key] : optional ? undefined : example;
    const isSelector = place === "path" || method.http === "DELETE" || /\b(id|uuid)\b/.test(type);
    if (isSelector && !isSafe) selectors.add(key);
    if (value !== undefined) (selectors.has(key) ? omitted : start).set(key, value);
  }
  const fieldOfParameter = (one) =>
    parameterField(one, words(one.key), { ...starts, ...examples }, one.optional || omitted.has(one.key));
  const fields = new Map(method.parameters.map((one) => [one, fieldOfParameter(one)]));
  const body = bodyOf(method, fields);

  /** Returns the values by parameter. Secrets are masked if `hides` is true. `examples` are sent for missing values. */
  const values = (hides, examples) => {
    const shown = [...fields].filter(([{ place }]) => !(body.isJson && place === "body"));
    const valueOf = ({ key }, value) => (value === undefined ? examples?.get(key) : value);
    const all = shown.map(([parameter, field]) => [parameter, valueOf(parameter, field.value())]);
    const sent = [...all, ...(body.isJson ? body.members() : [])].filter(([, value]) => value !== undefined);
    if (!hides) return new Map(sent);
    return new Map(sent.map(([one, value]) => [one, withoutSecrets(value, MASK, isSecretParameter(one))]));
  };
  /** Returns the call of the form, without a credential and an idempotency key. */
  const call = (hides, examples) => {
    const all = values(hides, examples);
    return { method, values: all, message: request(base, method, all, "") };
  };
  /** Returns the call that code shows: where the form has no value yet, it has an example. */
  const callOfCode = (hides) => call(hides, omitted);
  /** Whether the reader has typed a value since the form was last filled. */
  let isTyped = false;
  /** The fields that select what a call changes, whose values, for example those of a link, the reader has not typed. */
  const filled = new Set();
  let isClicked = false;
  const setAll = (all) => {
    isTyped = false;
    filled.clear();
    body.show(false);
    for (const [{ key }, field] of fields) {
      field.set(all.get(key));
      if (selectors.has(key) && all.get(key) !== undefined) filled.add(field);
    }
  };

  const outside = [...fields].filter(([parameter]) => !body.element || parameter.place !== "body");
  const rows = outside.map(([, { row }]) => row);
  const clear = action("Clear the form", () => {
    problems.clear();
    setAll(start);
    response.replaceChildren();
    status.replaceChildren();
    element.dispatchEvent(new Event("change"));
  });
  const element = h(
    "form",
    { className: "call", id: newId(), noValidate: true, autocomplete: "off" },
    fields.size === 0 ? h("p", { className: "quiet" }, "This method has no parameters.") : rows,
    body.element,
    fields.size === 0 ? "" : h("p", { className: "actions" }, clear),
  );
  const problems = problemsOf(fields, body);
  let waiting;
  const refresh = () => {
    if (!waiting) button.textContent = "Call";
    onChange(callOfCode);
  };
  let isEdited = false;
  element.addEventListener("input", (event) => {
    isEdited = true;
    if (isByReader(event)) {
      isTyped = true;
      for (const field of filled) if (field.row.contains(event.target)) filled.delete(field);
    }
    refresh();
  });
  // A key in a field presses the button, too: then the number of clicks is 0.
  button.addEventListener("click", ({ detail }) => (isClicked = detail > 0));
  element.addEventListener("change", ({ target }) => {
    refresh();
    problems.check(target);
  });
  // An input that contains only a part of a date has not changed.
  element.addEventListener("focusout", ({ target }) => target.validity?.badInput && problems.check(target));
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    const isMeant = isSafe || (isTyped && filled.size === 0) || isClicked || document.activeElement === button;
    isClicked = false;
    if (waiting) {
      // Enter in a field also presses the button.
      if (button.textContent === "Cancel" && !element.contains(document.activeElement)) waiting.abort();
      return;
    }
    problems.clear();
    refresh();
    if (problems.refuse()) return;
    const { values, message } = call();
    if (!isMeant) {
      button.focus();
      const { pathname, search } = new URL(message.url);
      button.textContent = `Call ${message.http} ${pathname}${search}`;
      return;
    }
    const credential = scheme.fieldsOfPage();
    const key = needsKey(method, message) ? [[KEY_HEADER, randomKey()]] : [];
    waiting = new AbortController();
    isEdited = false;
    // The button keeps the focus, which a disabled button would lose.
    button.dataset.waiting = "";
    const timer = setTimeout(() => (button.textContent = "Cancel"), CANCEL_DELAY);
    const options = { credentials: scheme.fetchOption, signal: waiting.signal };
    const result = await exchange(method, withFields(message, [...credential, ...key]), options, status);
    clearTimeout(timer);
    button.textContent = "Call";
    delete button.dataset.waiting;
    waiting = undefined;
    if (!result) return response.replaceChildren();
    const masked = credential.map(([name]) => [name, MASK]);
    response.replaceChildren(result.elementOf(result, withFields(call(true).message, [...masked, ...key])));
    const { error } = result;
    const errors = Array.isArray(error?.errors) ? error.errors : [];
    const named = errors.filter((one) => typeof one?.parameter === "string");
    onCalled({ ...result, method, values, isEdited, isAtFields: problems.report(named, error?.status === 400) });
  });
  setAll(start);
  button.setAttribute("form", element.id);
  return Object.assign(element, { call, callOfCode, setAll, start, refresh });
}

/** Returns whether an event says that the reader has typed or chosen a value. A value that the browser fills in has no
    `inputType`, or is a replacement. */
function isByReader({ isTrusted, inputType, target }) {
  if (!inputType) return isTrusted && target.matches("select, [type=date], [type=time], [type=file]");
  return isTrusted && inputType !== "insertReplacementText";
}

/** Returns the field of a parameter. `words` describes its values. If `isEmpty` is true, the example is a hint. */
function parameterField(parameter, words, examples, isEmpty) {
  const { name, wire, place, position, key, isWholeBody, optional, default: preset } = parameter;
  const example = optional ? parameter.example : (examples[key] ?? parameter.example);
  const label = position === undefined ? wire : name === key ? `segment ${position + 1}` : name;
  const field = fieldOf({
    ...parameter,
    // The branches of a union in the definition have this name, too.
    of: undefined,
    label,
    preset,
    declared: isEmpty ? example : undefined,
    example: examples[key] ?? example,
    info: words ?? parameter.info,
    isSecret: isSecretParameter(parameter),
    note: isWholeBody ? "whole body" : place,
  });
  const notes = [sendingNote(parameter)];
  if (preset !== undefined && ["list", "object", "map", "union"].includes(field.kind.name))
    notes.push(h("small", { className: "note" }, `${json(preset)} (default)`));
  field.row.append(...notes.filter(Boolean));
  return field;
}

/** Returns the error in a response, which can have the status of a success in some envelopes; undefined without one. */
function errorIn(method, response, value) {
  try {
    if (value !== undefined) outputs(method, response, value);
  } catch (error) {
    if (error instanceof ApiError) return error;
  }
  return response.ok ? undefined : new ApiError(response.status, { message: response.statusText });
}

/** Returns a request with more header fields, which replace those of parameters with the same names. */
function withFields(message, fields) {
  const isOther = ([name]) => !fields.some(([other]) => other.toLowerCase() === name.toLowerCase());
  return { ...message, headers: [...fields, ...message.headers.filter(isOther)] };
}

/** Returns a note on a parameter that a page cannot send. */
function sendingNote({ place, wire }) {
  const isForbidden =
    place === "cookie" ||
    (place === "header" && /^(user-agent|host|origin|referer|connection|content-length|date|via)$/i.test(wire));
  const text = "Browsers do not let a page send this parameter. The curl command sends it.";
  return isForbidden ? h("small", { className: "note" }, text) : undefined;
}

/** Sends a request, and shows its status in an element. Returns the response; undefined if the server does not respond,
    or if the reader has cancelled the call. `options` are those of `send`. */
async function exchange(method, message, options, status) {
  status.className = "status";
  status.replaceChildren("Waiting…");
  const start = performance.now();
  try {
    const response = await send(message, options);
    const body = await response.blob();
    const time = Math.round(performance.now() - start);
    const text = /[/+]json\b|^text\//.test(body.type) ? await body.text() : undefined;
    const value = /[/+]json\b/.test(body.type) && body.size <= MAX_PARSED ? parsed(text) : undefined;
    const error = errorIn(method, response, value);
    status.classList.add(error ? "error" : "success");
    const name = `${response.status} ${response.statusText}`.trim();
    const more = error && response.ok ? `, error ${error.status}` : "";
    status.replaceChildren(h("strong", {}, name + more), ` in ${time} ms, ${body.size} bytes`);
    // Only the response to a call needs this code.
    const { responseElement: elementOf } = await import("./response.js");
    return { response, body, text, json: value, error, elementOf };
  } catch (error) {
    status.classList.add("error");
    const isCancelled = options.signal.aborted;
    const texts = isCancelled ? ["Cancelled", "The server may have run the method."] : ["No response", error.message];
    status.replaceChildren(h("strong", {}, texts[0]), ` ${escapeControls(texts[1])}`);
    return undefined;
  }
}
