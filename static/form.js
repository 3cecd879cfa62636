// The form that tries a method: an input for each parameter, the request as a command, and the answer. Text from
// outside is only ever inserted as text.

import { Json, baseOf, described, request, send, services } from "./rulebook.js";

/** Control characters but those that lay a text out, and what gives the text behind it another direction. */
const HIDDEN = /(?![\t\n\r])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** The number of a character, of four digits or more. */
const numberOf = (character) => character.codePointAt(0).toString(16).padStart(4, "0");

/** A text as readers may see it: what is hidden is shown by its number. */
export function visible(text) {
  return text.replaceAll(HIDDEN, (character) => `U+${numberOf(character).toUpperCase()}`);
}

/** An element with properties and children; texts become text nodes, with nothing hidden in them. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined) continue;
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  const shown = children.flat().filter((child) => child !== undefined && child !== "");
  element.append(...shown.map((child) => (typeof child === "string" ? visible(child) : child)));
  return element;
}

/** A URI, its captures set apart; it may be broken in front of a slash. */
export function uri(path) {
  const parts = path.split(/(?=\/)|(?<=\/)(?=\{)/);
  const shown = parts.flatMap((part) => [
    part.startsWith("/") ? h("wbr") : "",
    part.startsWith("{") ? h("var", {}, part) : part,
  ]);
  return h("code", { className: "uri" }, shown);
}

/** What OPTIONS told, by URL and token, so that the forms of a page ask once. */
const told = new Map();

/** What OPTIONS tells at a URL. */
async function asked(url, token) {
  const key = JSON.stringify([String(url), token()]);
  if (!told.has(key)) told.set(key, described(url, { token }));
  return told.get(key).catch((error) => {
    // The next one asks again.
    told.delete(key);
    throw error;
  });
}

/**
 * The form of a method.
 *
 * @param {string | URL} root where its server begins, ending in `/`
 * @param {string} id of the method, such as `article.line.get`
 * @param {() => string} token gives the bearer token, or ""
 * @param {string} [path] of its service, base included and encoded, captures in braces: what is at it is all that is
 *   asked for; without it, or where something else is there, the whole API is
 * @returns {Promise<HTMLElement>}
 */
export async function form(root, id, token, path = "/") {
  const alone = await ofService(root, id, token, path).catch(() => undefined);
  if (alone) return formOf(alone.base, alone.method, token);
  const api = await asked(new URL(root), token);
  const method = api?.modules && [...services(api)].flatMap((service) => service.methods).find((one) => one.id === id);
  if (!method) throw new Error(`there is no method ${id}`);
  return formOf(baseOf(api, root), method, token);
}

/** The method of this id at the path of its service, and where the API's own paths begin; none where that is not what
    is told there. */
async function ofService(root, id, token, path) {
  const url = new URL(`.${path}`, root);
  if (url.href === String(root)) return undefined;
  const tree = await asked(url, token);
  if (!tree?.module) return undefined;
  for (const service of services({ modules: { [tree.module]: tree } })) {
    const method = service.methods.find((one) => one.id === id);
    const length = service.path.split("/").length - 1;
    if (method) return { base: `${url.href.split("/").slice(0, -length).join("/")}/`, method };
  }
}

/** The same of a method that is known. `base`: where the API's own paths begin. */
export function formOf(base, method, token) {
  const fields = method.parameters.map((parameter, index) => field(parameter, `p-${method.id}-${index}`));
  const filled = () =>
    new Map(fields.map(({ parameter, value }) => [parameter, value()]).filter(([, one]) => one !== undefined));
  const asked = () => request(base, method, filled(), token());

  const command = h("code");
  const answer = h("div", { className: "answer", role: "status" });
  const made = h(
    "form",
    { noValidate: true, autocomplete: "off" },
    fields.length === 0 ? h("p", { className: "quiet" }, "Takes no parameters.") : table(fields),
    h(
      "p",
      { className: "actions" },
      h("button", { type: "submit" }, "Call"),
      h("button", { type: "reset", className: "minor" }, "Empty the form"),
    ),
    h("details", { className: "curl" }, h("summary", {}, "As a command"), h("pre", {}, command)),
    answer,
  );
  const refresh = () => {
    command.textContent = curl(asked());
  };
  made.addEventListener("input", refresh);
  made.addEventListener("reset", () =>
    setTimeout(() => {
      answer.replaceChildren();
      refresh();
    }),
  );
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    refresh();
    await call(asked(), answer, made);
  });
  refresh();
  return made;
}

/** A parameter as a row with its input. */
function field(parameter, id) {
  const { name, wire, place, position, key, optional } = parameter;
  const wants = kind(parameter);
  const input = control(wants, parameter, optional, id);
  const shown = position === undefined ? wire : parameter.name === key ? `segment ${position + 1}` : name;
  const where =
    place === "path" && position === undefined ? "" : `, ${position === undefined ? wire : `segment ${position + 1}`}`;
  const row = h(
    "tr",
    {},
    h(
      "th",
      { scope: "row" },
      h("label", { htmlFor: id }, shown),
      optional ? "" : h("span", { className: "required", title: "required" }, " required"),
      h("small", {}, place + where),
    ),
    h("td", {}, input, h("small", {}, h("code", {}, parameter.type.replace(/^\?/, "")), ...attributes(parameter)), note(parameter)),
    h("td", { id: `${id}-info` }, parameter.info, fieldsOf(parameter.fields)),
  );
  return { row, parameter, value: () => valueOf(wants, input) };
}

/** What an input holds; undefined where it is empty. */
function valueOf(wants, input) {
  if (input.value === "") return undefined;
  if (wants.name !== "file") return typed(wants, input.value);
  return wants.multiple ? [...input.files] : input.files[0];
}

/** What has been typed. Numbers stay as they were typed, so that none loses digits; what is none of what is wanted is
    a text, for the server to judge. */
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

/** What kind of input a type wants. The JSON Schema tells most; a term alone must do where there is none. */
export function kind({ type, schema = {}, max }) {
  const term = type.replace(/^\?/, "");
  if (/^file\b/i.test(term)) return { name: "file" };
  if (/^(array<file\b.*>|\[\]file\b.*)$/i.test(term)) return { name: "file", multiple: true };
  const [, words] = /^enum\((.*)\)$/s.exec(term) ?? [];
  const options = schema.enum ?? words?.split("|");
  if (options?.every((option) => typeof option === "string")) return { name: "choice", options };
  if (term === "bool") return { name: "choice", options: ["true", "false"], bare: true };
  const named = { date: "date", time: "time", mail: "email", url: "url", phone: "tel" }[term];
  if (named) return { name: "text", input: named };
  const types = [schema.type ?? []].flat().filter((name) => name !== "null");
  const only = (...names) => types.length > 0 && types.every((name) => names.includes(name));
  const whole = /^(int|uint|id)\b/.test(term) || only("integer");
  if (whole || /^float/.test(term) || only("integer", "number")) return { name: "number", step: whole ? "1" : "any" };
  if (/^(array|\[\]|object|loose_array)/.test(term) || only("array", "object"))
    return { name: "json", wants: only("object") || term === "object" ? '{"name": …}' : "[…, …]" };
  if (term === "any" || term === "mixed") return { name: "any" };
  const most = schema.maxLength ?? max ?? Number(/^string\((?:\d+,\s?)?(\d+)\)/.exec(term)?.[1]);
  return { name: "text", long: term === "text" || most > 250 };
}

function table(fields) {
  const head = h(
    "thead",
    {},
    h(
      "tr",
      {},
      ["Parameter", "Value", "What it is"].map((name) => h("th", { scope: "col" }, name)),
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

function control(wants, { default: preset, example, range, ext, min, max }, optional, id) {
  const shared = { id, "aria-describedby": `${id}-info`, spellcheck: false };
  const shown = (value) => (typeof value === "string" ? value : JSON.stringify(value));
  const value = !optional && example !== undefined ? shown(example) : undefined;
  const placeholder =
    preset !== undefined
      ? `${shown(preset)} (default)`
      : example !== undefined
        ? `such as ${shown(example)}`
        : undefined;
  switch (wants.name) {
    case "file": {
      const accept = [...(range ?? []), ...(ext ?? []).map((end) => `.${end}`)].join(",");
      return h("input", { ...shared, type: "file", multiple: wants.multiple, accept });
    }
    case "choice": {
      const none = preset !== undefined ? `${shown(preset)} (default)` : optional ? "not sent" : "choose";
      const all = wants.options.map((option) =>
        h("option", { value: option, defaultSelected: option === value }, option),
      );
      return h("select", shared, h("option", { value: "" }, none), all);
    }
    case "number":
      return h("input", {
        ...shared,
        type: "number",
        step: wants.step,
        min,
        max,
        defaultValue: value ?? "",
        placeholder,
      });
    case "text":
      if (!wants.long)
        return h("input", { ...shared, type: wants.input ?? "text", defaultValue: value ?? "", placeholder });
      return h("textarea", { ...shared, rows: 4, defaultValue: value ?? "", placeholder });
    default:
      return h("textarea", {
        ...shared,
        rows: 3,
        className: "json",
        defaultValue: value ?? "",
        placeholder: placeholder ?? wants.wants ?? "JSON",
      });
  }
}

/** What a type says beside its term. */
function attributes(parameter) {
  const told = ["min", "max", "regex", "format", "separator", "range", "ext"].filter(
    (name) => parameter[name] !== undefined,
  );
  return told.flatMap((name) => [`, ${name} `, h("code", {}, [parameter[name]].flat().join(" "))]);
}

/** What a page cannot send. */
function note({ place, wire }) {
  const kept =
    place === "cookie" ||
    (place === "header" && /^(user-agent|host|origin|referer|connection|content-length|date|via)$/i.test(wire));
  return kept ? h("small", { className: "note" }, "Browsers do not let a page send this; the command does.") : "";
}

/** The fields of an object, those of its objects inside. */
export function fieldsOf(fields) {
  if (fields === undefined) return "";
  const items = Object.entries(fields).map(([name, { type, info, fields: inner }]) =>
    h("li", {}, h("code", {}, name), " ", h("small", {}, h("code", {}, type)), ` ${info ?? ""}`, fieldsOf(inner)),
  );
  return h("ul", { className: "fields" }, items);
}

/** A request for curl, in the words of a POSIX shell. */
export function curl({ http, url, headers, cookies, parts, text }) {
  const words = [];
  if (http !== "GET" && !(http === "POST" && (parts ?? text) !== undefined)) words.push(`-X ${http}`);
  words.push(quote(url));
  for (const [name, value] of headers) words.push(`-H ${quote(`${name}: ${value}`)}`);
  for (const [name, value] of cookies) words.push(`-b ${quote(`${name}=${value}`)}`);
  if (text !== undefined) words.push(`--data-raw ${quote(text)}`);
  for (const [name, value] of parts ?? []) {
    if (value instanceof Blob) words.push(`-F ${quote(`${name}=@${quoted(value.name)}`)}`);
    else words.push(`--form-string ${quote(`${name}=${value}`)}`);
  }
  return `curl ${words.join(" \\\n  ")}`;
}

/** A file's name as curl takes it inside of a form's field, where `;` would end it. */
function quoted(name) {
  return `"${name.replaceAll(/["\\]/g, "\\$&")}"`;
}

/** A word as a shell takes it. */
function quote(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Sends a request and shows what comes back. */
async function call(asked, answer, form) {
  const button = form.querySelector("button[type=submit]");
  button.disabled = true;
  answer.replaceChildren(h("p", { className: "quiet" }, "Waiting…"));
  const began = performance.now();
  try {
    const response = await send(asked);
    const body = await response.blob();
    const time = Math.round(performance.now() - began);
    const fields = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    answer.replaceChildren(
      h(
        "p",
        { className: `status ${response.ok ? "well" : "ill"}` },
        h("strong", {}, `${response.status} ${response.statusText}`),
        ` in ${time} ms, ${body.size} bytes`,
      ),
      await shown(body),
      h("details", {}, h("summary", {}, "Header fields"), h("pre", {}, h("code", {}, fields))),
    );
  } catch (error) {
    answer.replaceChildren(h("p", { className: "status ill" }, h("strong", {}, "No answer"), ` ${error.message}`));
  } finally {
    button.disabled = false;
  }
}

/** A body: JSON line by line, text as it is, pictures, and all else to be saved. */
async function shown(body) {
  if (body.size === 0) return h("p", { className: "quiet" }, "No body.");
  if (/[/+]json\b/.test(body.type)) {
    // In JSON they stand in strings alone, as escapes (RFC 8259 section 7).
    const text = (await body.text()).replaceAll(HIDDEN, (character) => `\\u${numberOf(character)}`);
    const pieces = [...pretty(text)].map(([what, text]) =>
      what === "" ? text : h("span", { className: what }, text),
    );
    return h("pre", { tabIndex: 0, className: "json" }, h("code", {}, pieces));
  }
  if (body.type.startsWith("text/")) return h("pre", { tabIndex: 0 }, h("code", {}, await body.text()));
  const href = URL.createObjectURL(body);
  const save = h("a", { href, download: "" }, `Save (${body.type || "unknown type"})`);
  return h("p", {}, body.type.startsWith("image/") ? h("img", { src: href, alt: "The answer" }) : "", save);
}

/** JSON with a line for each value, as text: parsing it would round large numbers. Gives piece by piece, each with
    what it is. */
export function* pretty(text) {
  const token = /("(?:[^"\\]|\\.)*")(\s*:)?|([{[])|([}\]])|(,)|([^\s{}[\],:"]+)/gs;
  let depth = 0;
  let last = "";
  const line = () => ["", `\n${"  ".repeat(depth)}`];
  for (const [, string, colon, open, close, comma, word] of text.matchAll(token)) {
    if (close !== undefined) depth -= 1;
    // What is empty stays on its line.
    if (close !== undefined ? last !== "open" : last !== "") yield line();
    if (open !== undefined) depth += 1;
    last = open !== undefined ? "open" : comma !== undefined ? "comma" : "";
    if (string !== undefined) yield [colon === undefined ? "string" : "key", string];
    else yield [word === undefined ? "" : "word", word ?? open ?? close ?? comma];
    if (colon !== undefined) yield ["", ": "];
  }
}
