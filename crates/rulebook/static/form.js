// The form that calls a method: an input for each parameter, the request as a curl command, and the response. Text of
// definitions and responses is only inserted as text nodes.

import { Json, baseOf, describe, request, send, services } from "./rulebook.js";

/** Control characters except tabs and line breaks, and characters that change the direction of text. */
const CONTROLS = /(?![\t\n\r])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** Returns the code point of a character, with four hexadecimal digits or more. */
const codePoint = (character) => character.codePointAt(0).toString(16).padStart(4, "0");

/** Replaces control characters by their code points. */
export function escapeControls(text) {
  return text.replaceAll(CONTROLS, (character) => `U+${codePoint(character).toUpperCase()}`);
}

/** Creates an element with properties and children. Strings become text nodes without control characters. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined) continue;
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  const content = children.flat().filter((child) => child !== undefined && child !== "");
  element.append(...content.map((child) => (typeof child === "string" ? escapeControls(child) : child)));
  return element;
}

/** Returns a URI as an element, with marked captures. A line can break before a slash. */
export function uri(path) {
  const parts = path.split(/(?=\/)|(?<=\/)(?=\{)/);
  const content = parts.flatMap((part) => [
    part.startsWith("/") ? h("wbr") : "",
    part.startsWith("{") ? h("var", {}, part) : part,
  ]);
  return h("code", { className: "uri" }, content);
}

/** The responses to OPTIONS by URL and token, so that the forms of a page share a request. */
const responses = new Map();

/** Returns the response to OPTIONS on a URL. */
async function describeOnce(url, token) {
  const key = JSON.stringify([String(url), token()]);
  if (!responses.has(key)) responses.set(key, describe(url, { token }));
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
 * @param {() => string} token returns the bearer token, or ""
 * @param {string} [path] the URI template of its service, so that only the definition of the service is requested;
 *   otherwise, or if another service is there, the definition of the whole API is requested
 * @returns {Promise<HTMLElement>}
 */
export async function form(root, id, token, path = "/") {
  const alone = await ofService(root, id, token, path).catch(() => undefined);
  if (alone) return formOf(alone.base, alone.method, token);
  const api = await describeOnce(new URL(root), token);
  const method = api?.modules && [...services(api)].flatMap((service) => service.methods).find((one) => one.id === id);
  if (!method) throw new Error(`there is no method ${id}`);
  return formOf(baseOf(api, root), method, token);
}

/** Requests the definition of one service, and returns its method with this id and the URL of the API's base path;
    undefined if the service does not have the method. */
async function ofService(root, id, token, path) {
  const url = new URL(`.${path}`, root);
  if (url.href === String(root)) return undefined;
  const tree = await describeOnce(url, token);
  if (!tree?.module) return undefined;
  for (const service of services({ modules: { [tree.module]: tree } })) {
    const method = service.methods.find((one) => one.id === id);
    const length = service.path.split("/").length - 1;
    if (method) return { base: `${url.href.split("/").slice(0, -length).join("/")}/`, method };
  }
}

/** Returns the form of a known method. `base` is the URL of the base path of the API. */
export function formOf(base, method, token) {
  const fields = method.parameters.map((parameter, index) => field(parameter, `p-${method.id}-${index}`));
  const values = () =>
    new Map(fields.map(({ parameter, value }) => [parameter, value()]).filter(([, one]) => one !== undefined));
  const message = () => request(base, method, values(), token());

  const command = h("code");
  const response = h("div", { className: "response", role: "status" });
  const element = h(
    "form",
    { noValidate: true, autocomplete: "off" },
    fields.length === 0 ? h("p", { className: "quiet" }, "This method has no parameters.") : table(fields),
    h(
      "p",
      { className: "actions" },
      h("button", { type: "submit" }, "Call"),
      h("button", { type: "reset", className: "minor" }, "Clear the form"),
    ),
    h("details", { className: "curl" }, h("summary", {}, "As a curl command"), h("pre", {}, command)),
    response,
  );
  const refresh = () => {
    command.textContent = curl(message());
  };
  element.addEventListener("input", refresh);
  element.addEventListener("reset", () =>
    setTimeout(() => {
      response.replaceChildren();
      refresh();
    }),
  );
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    refresh();
    await call(message(), response, element);
  });
  refresh();
  return element;
}

/** Returns a row of the table with the input of a parameter. */
function field(parameter, id) {
  const { name, wire, place, position, key, optional } = parameter;
  const kind = inputKind(parameter);
  const input = control(kind, parameter, optional, id);
  const label = position === undefined ? wire : parameter.name === key ? `segment ${position + 1}` : name;
  const nameInRequest =
    place === "path" && position === undefined ? "" : `, ${position === undefined ? wire : `segment ${position + 1}`}`;
  const row = h(
    "tr",
    {},
    h(
      "th",
      { scope: "row" },
      h("label", { htmlFor: id }, label),
      optional ? "" : h("span", { className: "required", title: "required" }, " required"),
      h("small", {}, place + nameInRequest),
    ),
    h("td", {}, input, h("small", {}, h("code", {}, parameter.type.replace(/^\?/, "")), ...attributes(parameter)), sendingNote(parameter)),
    h("td", { id: `${id}-info` }, parameter.info, fieldsOf(parameter.fields)),
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
  return isJson ? new Json(text) : text;
}

function parses(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Returns the kind of input for a type, by its JSON Schema; by its type expression if there is no schema. */
export function inputKind({ type, schema = {}, max }) {
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

function table(fields) {
  const head = h(
    "thead",
    {},
    h(
      "tr",
      {},
      ["Parameter", "Value", "Description"].map((name) => h("th", { scope: "col" }, name)),
    ),
  );
  return h(
    "table",
    { className: "parameters" },
    head,
    h(
      "tbody",
      {},
      fields.map(({ row }) => row),
    ),
  );
}

function control(kind, { default: preset, example, range, ext, min, max }, optional, id) {
  const shared = { id, "aria-describedby": `${id}-info`, spellcheck: false };
  const format = (value) => (typeof value === "string" ? value : JSON.stringify(value));
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

/** Returns the attributes of a type. */
function attributes(parameter) {
  const names = ["min", "max", "regex", "format", "separator", "range", "ext"].filter(
    (name) => parameter[name] !== undefined,
  );
  return names.flatMap((name) => [`, ${name} `, h("code", {}, [parameter[name]].flat().join(" "))]);
}

/** Returns a note on a parameter that a page cannot send. */
function sendingNote({ place, wire }) {
  const isForbidden =
    place === "cookie" ||
    (place === "header" && /^(user-agent|host|origin|referer|connection|content-length|date|via)$/i.test(wire));
  return isForbidden ? h("small", { className: "note" }, "Browsers do not let a page send this parameter. The curl command sends it.") : "";
}

/** Returns the fields of an object as a list, with the fields of objects inside. */
export function fieldsOf(fields) {
  if (fields === undefined) return "";
  const items = Object.entries(fields).map(([name, { type, info, fields: inner }]) =>
    h("li", {}, h("code", {}, name), " ", h("small", {}, h("code", {}, type)), ` ${info ?? ""}`, fieldsOf(inner)),
  );
  return h("ul", { className: "fields" }, items);
}

/** Returns a request as a curl command for a POSIX shell. */
export function curl({ http, url, headers, cookies, parts, text }) {
  const words = [];
  if (http !== "GET" && !(http === "POST" && (parts ?? text) !== undefined)) words.push(`-X ${http}`);
  words.push(quote(url));
  for (const [name, value] of headers) words.push(`-H ${quote(`${name}: ${value}`)}`);
  for (const [name, value] of cookies) words.push(`-b ${quote(`${name}=${value}`)}`);
  if (text !== undefined) words.push(`--data-raw ${quote(text)}`);
  for (const [name, value] of parts ?? []) {
    if (value instanceof Blob) words.push(`-F ${quote(`${name}=@${quoteFileName(value.name)}`)}`);
    else words.push(`--form-string ${quote(`${name}=${value}`)}`);
  }
  return `curl ${words.join(" \\\n  ")}`;
}

/** Quotes a file name for `-F` of curl, which otherwise ends at `;`. */
function quoteFileName(name) {
  return `"${name.replaceAll(/["\\]/g, "\\$&")}"`;
}

/** Quotes a text as a word of a shell. */
function quote(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Sends a request and shows the response in an element. */
async function call(message, output, form) {
  const button = form.querySelector("button[type=submit]");
  button.disabled = true;
  output.replaceChildren(h("p", { className: "quiet" }, "Waiting…"));
  const start = performance.now();
  try {
    const response = await send(message);
    const body = await response.blob();
    const time = Math.round(performance.now() - start);
    const fields = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    output.replaceChildren(
      h(
        "p",
        { className: `status ${response.ok ? "success" : "error"}` },
        h("strong", {}, `${response.status} ${response.statusText}`),
        ` in ${time} ms, ${body.size} bytes`,
      ),
      await bodyElement(body),
      h("details", {}, h("summary", {}, "Header fields"), h("pre", {}, h("code", {}, fields))),
    );
  } catch (error) {
    output.replaceChildren(h("p", { className: "status error" }, h("strong", {}, "No response"), ` ${error.message}`));
  } finally {
    button.disabled = false;
  }
}

/** Shows a body: formatted JSON, text, an image, or a link to save the file. */
async function bodyElement(body) {
  if (body.size === 0) return h("p", { className: "quiet" }, "No body.");
  if (/[/+]json\b/.test(body.type)) {
    // In JSON they only occur in strings, where they can be escaped (RFC 8259 section 7).
    const text = (await body.text()).replaceAll(CONTROLS, (character) => `\\u${codePoint(character)}`);
    const pieces = [...pretty(text)].map(([className, text]) =>
      className === "" ? text : h("span", { className }, text),
    );
    return h("pre", { tabIndex: 0, className: "json" }, h("code", {}, pieces));
  }
  if (body.type.startsWith("text/")) return h("pre", { tabIndex: 0 }, h("code", {}, await body.text()));
  const href = URL.createObjectURL(body);
  const save = h("a", { href, download: "" }, `Save (${body.type || "unknown type"})`);
  return h("p", {}, body.type.startsWith("image/") ? h("img", { src: href, alt: "The response" }) : "", save);
}

/** Formats a JSON text with a line for each value, without parsing it, which would round large numbers. Yields the
    pieces of the text with their CSS classes. */
export function* pretty(text) {
  const token = /("(?:[^"\\]|\\.)*")(\s*:)?|([{[])|([}\]])|(,)|([^\s{}[\],:"]+)/gs;
  let depth = 0;
  let last = "";
  const line = () => ["", `\n${"  ".repeat(depth)}`];
  for (const [, string, colon, open, close, comma, word] of text.matchAll(token)) {
    if (close !== undefined) depth -= 1;
    // Empty lists and objects stay on one line.
    if (close !== undefined ? last !== "open" : last !== "") yield line();
    if (open !== undefined) depth += 1;
    last = open !== undefined ? "open" : comma !== undefined ? "comma" : "";
    if (string !== undefined) yield [colon === undefined ? "string" : "key", string];
    else yield [word === undefined ? "" : "word", word ?? open ?? close ?? comma];
    if (colon !== undefined) yield ["", ": "];
  }
}
