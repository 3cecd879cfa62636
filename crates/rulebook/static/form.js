// The form that calls a method: a field for each parameter, and the response. Text of definitions and responses is only
// inserted as text nodes.

import { bodyOf } from "./body.js";
import { MASK, fieldOf } from "./editors.js";
import { action, escapeControls, h, newId } from "./element.js";
import { parseDefinition, parsed } from "./kinds.js";
import { problemsOf } from "./problems.js";
import { responseElement } from "./response.js";
import { KEY_HEADER, apiError, baseOf, describe, json, needsKey, randomKey, request } from "./rulebook.js";
import { send, services, utf8 } from "./rulebook.js";

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
 *   and `onCalled` is called with it and with whether its errors are shown at fields; `onChange` is called when a value
 *   changes; `words` returns the description of a parameter's values, by the key of the parameter; `values` and
 *   `examples` have the values with which the form begins, and those of other parameters, by key
 */
function formOf(base, method, scheme, options) {
  const { button, status, response, onCalled, onChange, words, values: starts, examples } = options;
  const fieldOfParameter = (one) => parameterField(one, words(one.key), { ...starts, ...examples });
  const fields = new Map(method.parameters.map((one) => [one, fieldOfParameter(one)]));
  const body = bodyOf(method, fields);
  const start = new Map();
  for (const parameter of method.parameters) {
    const { key, optional, example } = parameter;
    const value = Object.hasOwn(starts, key) ? starts[key] : optional ? undefined : example;
    if (value !== undefined) start.set(key, value);
  }

  /** Returns the values by parameter. Secrets are masked if `hides` is true. */
  const values = (hides) => {
    const all = [...fields].map(([parameter, field]) => [parameter, field.value(hides)]);
    const others = all.filter(([parameter, one]) => one !== undefined && !(body.isJson && parameter.place === "body"));
    return new Map([...others, ...(body.isJson ? body.members() : [])]);
  };
  /** Returns the call of the form, without a credential and an idempotency key. */
  const call = (hides) => {
    const all = values(hides);
    return { method, values: all, message: request(base, method, all, "") };
  };
  const setAll = (all) => {
    body.show(false);
    for (const [parameter, field] of fields) field.set(all.get(parameter.key));
  };

  const rows = [...fields]
    .filter(([parameter]) => !body.element || parameter.place !== "body")
    .map(([, { row }]) => row);
  const clear = action("Clear the form", () => {
    problems.clear();
    setAll(start);
    response.replaceChildren();
    status.replaceChildren();
    refresh();
  });
  const element = h(
    "form",
    { className: "call", id: newId(), noValidate: true, autocomplete: "off" },
    fields.size === 0 ? h("p", { className: "quiet" }, "This method has no parameters.") : rows,
    body.element,
    fields.size === 0 ? "" : h("p", { className: "actions" }, clear),
  );
  const problems = problemsOf(fields, body);
  const refresh = () => onChange(call);
  element.addEventListener("input", refresh);
  element.addEventListener("change", ({ target }) => {
    refresh();
    problems.check([...fields].find(([, { row }]) => row.contains(target))?.[0]);
  });
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    problems.clear();
    refresh();
    if (problems.refuse()) return;
    const { values, message } = call();
    const credential = scheme.fieldsOfPage();
    const key = needsKey(method, message) ? [[KEY_HEADER, randomKey()]] : [];
    button.disabled = true;
    const result = await exchange(withFields(message, [...credential, ...key]), scheme.fetchOption, status);
    button.disabled = false;
    if (!result) return response.replaceChildren();
    const masked = credential.map(([name]) => [name, MASK]);
    response.replaceChildren(responseElement(result, withFields(call(true).message, [...masked, ...key])));
    const isAtFields = problems.report(errorsOf(method, result));
    onCalled({ ...result, method, values, isAtFields });
  });
  setAll(start);
  button.setAttribute("form", element.id);
  return Object.assign(element, { call, setAll, start, refresh });
}

/** Returns the field of a parameter. `words` describes its values. */
function parameterField(parameter, words, examples) {
  const { name, wire, place, position, key, isWholeBody, optional, example, default: preset } = parameter;
  const label = position === undefined ? wire : name === key ? `segment ${position + 1}` : name;
  const field = fieldOf({
    ...parameter,
    // The branches of a union in the definition have this name, too.
    of: undefined,
    label,
    preset,
    declared: optional ? example : undefined,
    example: examples[key] ?? example,
    info: words ?? parameter.info,
    note: isWholeBody ? "whole body" : place,
  });
  const notes = [sendingNote(parameter)];
  if (preset !== undefined && ["list", "object", "map", "union"].includes(field.kind.name))
    notes.push(h("small", { className: "note" }, `${json(preset)} (default)`));
  field.row.append(...notes.filter(Boolean));
  return field;
}

/** Returns the errors of parameters in a response. */
function errorsOf({ module }, { response, json: value }) {
  if (response.ok || value === undefined) return [];
  const { errors } = apiError(response, value, module.decodings);
  return Array.isArray(errors) ? errors.filter((one) => typeof one?.parameter === "string") : [];
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
  return isForbidden
    ? h("small", { className: "note" }, "Browsers do not let a page send this parameter. The curl command sends it.")
    : undefined;
}

/** Sends a request, and shows its status in an element. Returns the response; undefined if the server does not respond.
    `credentials` is the option of `fetch`. */
async function exchange(message, credentials, status) {
  status.className = "status";
  status.replaceChildren("Waiting…");
  const start = performance.now();
  try {
    const response = await send(message, { credentials });
    const body = await response.blob();
    const time = Math.round(performance.now() - start);
    const text = /[/+]json\b|^text\//.test(body.type) ? await body.text() : undefined;
    const value = /[/+]json\b/.test(body.type) ? parsed(text) : undefined;
    status.classList.add(response.ok ? "success" : "error");
    const name = h("strong", {}, `${response.status} ${response.statusText}`.trim());
    status.replaceChildren(name, ` in ${time} ms, ${body.size} bytes`);
    return { response, body, text, json: value };
  } catch (error) {
    status.classList.add("error");
    status.replaceChildren(h("strong", {}, "No response"), ` ${escapeControls(error.message)}`);
    return undefined;
  }
}
