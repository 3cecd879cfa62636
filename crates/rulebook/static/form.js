// The form that calls a method: an input for each parameter, and the response. Text of definitions and responses is only
// inserted as text nodes.

import { Scheme } from "./credential.js";
import { h } from "./element.js";
import { responseElements } from "./response.js";
import { KEY_HEADER, Json, baseOf, describe, needsKey, randomKey } from "./rulebook.js";
import { json, kindsOf, parseExactly, readsJsonStrings, request, send, services, utf8 } from "./rulebook.js";

export { escapeControls } from "./element.js";
export { pretty } from "./response.js";

/** The idempotency key in examples. */
const SAMPLE_KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324";

/** Returns the request of a form without a credential, with this idempotency key if the method requires one. */
export function messageOf(base, method, values, key = SAMPLE_KEY) {
  const sent = request(base, method, values, "");
  return needsKey(method, sent) ? { ...sent, headers: [...sent.headers, [KEY_HEADER, key]] } : sent;
}

/** The responses to OPTIONS by URL and credential, so that the forms of a page share a request. */
const responses = new Map();

/** Parses a response to OPTIONS. Numbers that JavaScript would write otherwise keep their text, such as 1.0. */
export const parseDefinition = (text) => parseExactly(text, (number) => String(Number(number)) === number);

/** Returns the response to OPTIONS on a URL. */
async function describeOnce(url, token, scheme) {
  const typed = token();
  const key = JSON.stringify([String(url), typed]);
  const headers = scheme.fieldsOfPage(typed).map(([name, value]) => [name, utf8(value)]);
  const options = { headers, credentials: scheme.fetchOption, parse: parseDefinition };
  if (!responses.has(key)) responses.set(key, describe(url, options));
  return responses.get(key).catch((error) => {
    // The next call sends a new request.
    responses.delete(key);
    throw error;
  });
}

/**
 * Returns the form of a method.
 *
 * @param {string | URL} root the URL of the server, with a slash at the end
 * @param {string} id the id of the method, such as `article.line.get`
 * @param {() => string} token returns the bearer token, or the credential of another scheme; or ""
 * @param {string} [path] the URI template of its service, so that only the definition of the service is requested;
 *   otherwise, or if another service is there, the definition of the whole API is requested
 * @param {object} [options] see formOf
 * @returns {Promise<HTMLElement>}
 */
export async function form(root, id, token, path = "/", options = {}) {
  const { scheme = new Scheme() } = options;
  const alone = await ofService(root, id, path, token, scheme).catch(() => undefined);
  if (alone) return formOf(alone.base, alone.method, token, options);
  const api = await describeOnce(new URL(root), token, scheme);
  const method = api?.modules && [...services(api)].flatMap((service) => service.methods).find((one) => one.id === id);
  if (!method) throw new Error(`there is no method ${id}`);
  return formOf(baseOf(api, root), method, token, options);
}

/** Requests the definition of one service, and returns its method with this id and the URL of the API's base path;
    undefined if the service does not have the method. */
async function ofService(root, id, path, token, scheme) {
  const url = new URL(`.${path}`, root);
  if (url.href === String(root)) return undefined;
  const tree = await describeOnce(url, token, scheme);
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
 * @param {() => string} token returns the bearer token, or the credential of another scheme; or ""
 * @param {object} [options] `scheme` is the authentication scheme of the API, by default that of bearer tokens;
 *   `words` returns the description of a parameter's values, by the key of the parameter; `onChange` is called when a
 *   value changes, with the method, the values by parameter, and the request without a credential; `response` is the
 *   element that shows the response, otherwise the form shows it
 */
export function formOf(base, method, token, options = {}) {
  const { scheme = new Scheme(), words = () => undefined, onChange = () => {}, response } = options;
  const fields = method.parameters.map((parameter, index) => field(parameter, `p-${index}`, words(parameter.key)));
  const values = () =>
    new Map(fields.map(({ parameter, value }) => [parameter, value()]).filter(([, one]) => one !== undefined));
  const message = (key) => messageOf(base, method, values(), key);

  const output = response ?? h("div", { className: "response", role: "status" });
  const element = h(
    "form",
    { className: "call", noValidate: true, autocomplete: "off" },
    fields.length === 0 ? h("p", { className: "quiet" }, "This method has no parameters.") : fields.map(({ row }) => row),
    h(
      "p",
      { className: "actions" },
      h("button", { type: "submit" }, "Call"),
      h("button", { type: "reset", className: "minor" }, "Clear the form"),
    ),
    response ? "" : output,
  );
  const refresh = () => onChange({ method, values: values(), message: message() });
  element.addEventListener("input", refresh);
  element.addEventListener("reset", () =>
    setTimeout(() => {
      output.replaceChildren();
      refresh();
    }),
  );
  element.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) element.requestSubmit();
  });
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    refresh();
    const sent = withCredential(message(randomKey()), scheme.fieldsOfPage(token()));
    await call(sent, scheme.fetchOption, output, element);
  });
  return element;
}

/** Returns a request with the header fields of a credential, which replace those of parameters with the same names. */
function withCredential(message, fields) {
  const isOther = ([name]) => !fields.some(([other]) => other.toLowerCase() === name.toLowerCase());
  return { ...message, headers: [...fields, ...message.headers.filter(isOther)] };
}

/** Returns the input of a parameter, with its label. `words` describes the values of the parameter. */
function field(parameter, id, words) {
  const { name, wire, place, position, key, optional, isWholeBody } = parameter;
  const kind = inputKind(parameter);
  const input = control(kind, parameter, optional, id);
  const label = position === undefined ? wire : parameter.name === key ? `segment ${position + 1}` : name;
  const row = h(
    "div",
    { className: "field" },
    h(
      "p",
      {},
      h("label", { htmlFor: id }, label),
      optional ? "" : h("span", { className: "required" }, " required"),
      h("small", {}, isWholeBody ? " whole body" : ` ${place}`),
    ),
    input,
    h("p", { id: `${id}-info`, className: "more" }, words ?? parameter.info),
    sendingNote(parameter),
  );
  return { row, parameter, value: () => valueOf(kind, input) };
}

/** Returns the value of an input; undefined if it is empty. */
function valueOf(kind, input) {
  if (input.value === "") return undefined;
  if (kind.name !== "file") return typed(kind, input.value);
  return kind.multiple ? [...input.files] : input.files[0];
}

/** Returns a typed text as a value. Numbers stay texts of JSON, so that no digits are lost. A text that is not valid for
    the kind of input is sent as it is, and the server reports the error. */
export function typed({ name, bare }, text) {
  const number = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
  const isJson = bare || (name === "number" ? number.test(text) : ["json", "any"].includes(name) && parses(text));
  if (!isJson) return text;
  return name === "json" ? (listOf(text) ?? new Json(text)) : new Json(text);
}

/** Returns the items of a JSON array of strings, numbers and booleans, which can be sent one by one; undefined for other
    JSON. */
function listOf(text) {
  const items = JSON.parse(text);
  if (!Array.isArray(items) || !items.every((item) => ["string", "number", "boolean"].includes(typeof item))) return undefined;
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[^\s,[\]"]+/g) ?? [];
  return tokens.map((token) => (token.startsWith('"') ? JSON.parse(token) : new Json(token)));
}

function parses(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Returns whether a schema is a union, not only of strings. */
const isUnionWithOthers = (schema) =>
  Boolean(schema.anyOf ?? schema.oneOf) && kindsOf(schema).some((kind) => !["string", "null"].includes(kind));

/** Returns the kind of input for a type, by its JSON Schema; by its type expression if there is no schema. */
export function inputKind({ type, schema = {}, max, place, isWholeBody }) {
  if (isWholeBody) return { name: "json", isWhole: true };
  // A text in JSON is a string, a number or another value of the union.
  if (readsJsonStrings(schema)) return { name: "any", isWhole: true };
  // In a body, only a string of the union is sent as a string.
  if (place === "body" && isUnionWithOthers(schema)) return { name: "any" };
  const term = type.replace(/^\?/, "");
  if (/^file\b/i.test(term)) return { name: "file" };
  if (/^(array<file\b.*>|\[\]file\b.*)$/i.test(term)) return { name: "file", multiple: true };
  const [, choices] = /^enum\((.*)\)$/s.exec(term) ?? [];
  const options = schema.enum ?? choices?.split("|");
  if (options?.every((option) => typeof option === "string")) return { name: "choice", options };
  if (term === "bool") return { name: "choice", options: ["true", "false"], bare: true };
  const inputType = { date: "date", time: "time", mail: "email", url: "url", phone: "tel" }[term];
  if (inputType) return { name: "text", input: inputType };
  const types = [schema.type ?? []].flat().filter((name) => name !== "null");
  const only = (...names) => types.length > 0 && types.every((name) => names.includes(name));
  const isInteger = /^(int|uint|id)\b/.test(term) || only("integer");
  if (isInteger || /^float/.test(term) || only("integer", "number")) return { name: "number", step: isInteger ? "1" : "any" };
  if (/^(array|\[\]|object|loose_array)/.test(term) || only("array", "object"))
    return { name: "json", placeholder: only("object") || term === "object" ? '{"name": …}' : "[…, …]" };
  if (term === "any" || term === "mixed") return { name: "any" };
  const maxLength = schema.maxLength ?? max ?? Number(/^string\((?:\d+,\s?)?(\d+)\)/.exec(term)?.[1]);
  return { name: "text", long: term === "text" || maxLength > 250 };
}

function control(kind, { default: preset, example, range, ext, min, max, place }, optional, id) {
  const shared = { id, "aria-describedby": `${id}-info`, spellcheck: false };
  // A string without quotes could be other JSON.
  const isQuoted = (value) => kind.isWhole || (kind.name === "any" && place === "body" && parses(value));
  const format = (value) => (typeof value === "string" && !isQuoted(value) ? value : json(value));
  const value = !optional && example !== undefined ? format(example) : undefined;
  const placeholder =
    preset !== undefined
      ? `${format(preset)} (default)`
      : example !== undefined
        ? `e.g. ${format(example)}`
        : undefined;
  switch (kind.name) {
    case "file": {
      const accept = [...(range ?? []), ...(ext ?? []).map((end) => `.${end}`)].join(",");
      return h("input", { ...shared, type: "file", multiple: kind.multiple, accept });
    }
    case "choice": {
      const unset = preset !== undefined ? `${format(preset)} (default)` : optional ? "not sent" : "choose";
      const all = kind.options.map((option) =>
        h("option", { value: option, defaultSelected: option === value }, option),
      );
      return h("select", shared, h("option", { value: "" }, unset), all);
    }
    case "number":
      return h("input", {
        ...shared,
        type: "number",
        step: kind.step,
        min,
        max,
        defaultValue: value ?? "",
        placeholder,
      });
    case "text":
      if (!kind.long)
        return h("input", { ...shared, type: kind.input ?? "text", defaultValue: value ?? "", placeholder });
      return h("textarea", { ...shared, rows: 4, defaultValue: value ?? "", placeholder });
    default:
      return h("textarea", {
        ...shared,
        rows: 3,
        className: "json",
        defaultValue: value ?? "",
        placeholder: placeholder ?? kind.placeholder ?? "JSON",
      });
  }
}

/** Returns a note on a parameter that a page cannot send. */
function sendingNote({ place, wire }) {
  const isForbidden =
    place === "cookie" ||
    (place === "header" && /^(user-agent|host|origin|referer|connection|content-length|date|via)$/i.test(wire));
  return isForbidden ? h("small", { className: "note" }, "Browsers do not let a page send this parameter. The curl command sends it.") : "";
}

/** Sends a request and shows the response in an element. `credentials` is the option of `fetch`. */
async function call(message, credentials, output, form) {
  const button = form.querySelector("button[type=submit]");
  button.disabled = true;
  output.replaceChildren(h("p", { className: "quiet" }, "Waiting…"));
  const start = performance.now();
  try {
    const response = await send(message, { credentials });
    const body = await response.blob();
    output.replaceChildren(...(await responseElements(response, body, performance.now() - start)));
  } catch (error) {
    output.replaceChildren(h("p", { className: "status error" }, h("strong", {}, "No response"), ` ${error.message}`));
  } finally {
    button.disabled = false;
  }
}
