// What a filled form becomes: an HTTP request, and the same for curl. Knows nothing of the page.

/** Where a parameter comes from, by its key in the definition and the HTTP method. */
export function origin(key, http) {
  const [, position] = /^URL#(\d+)$/.exec(key) ?? [];
  if (position !== undefined)
    return { place: "path", position: Number(position), wire: `segment ${Number(position) + 1}` };
  const [, capture] = /^\{(.+)\}$/.exec(key) ?? [];
  if (capture !== undefined) return { place: "path", capture, wire: capture };
  const [, prefix, rest] = /^(GET|HEADER|COOKIE|ANY)@(.*)$/s.exec(key) ?? [];
  const places = { GET: "query", HEADER: "header", COOKIE: "cookie" };
  // What may be in both is described as query where a body is unusual.
  const either = http === "GET" || http === "DELETE" ? "query" : "body";
  return { place: places[prefix] ?? either, wire: rest ?? key };
}

/** What kind of input a type wants. The JSON Schema tells most; a term alone must do where there is none. */
export function kind({ type, $schema: schema = {}, max }) {
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

/** A typed text as JSON. Numbers stay as they were typed, so that none loses digits; what is no number is sent as
    text, for the server to judge. */
export function json({ name, bare }, text) {
  const number = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
  if (name === "number" && number.test(text)) return text;
  if (bare) return text;
  if ((name === "json" || name === "any") && parses(text)) return text;
  return JSON.stringify(text);
}

function parses(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * The request of filled parameters, those left empty not among them.
 *
 * @param {string} root where the API's base is, ending in `/`
 * @param {string} path of the service, as in the definition
 * @param {string} http its method
 * @param {Array<{origin: object, kind: object, text?: string, files?: File[]}>} filled
 * @param {string} token empty for nobody
 */
export function request(root, path, http, filled, token) {
  const at = (place) => filled.filter(({ origin }) => origin.place === place);
  const captures = new Map(at("path").map(({ origin, text }) => [origin.capture ?? origin.position, text]));
  const segments = path
    .split("/")
    .slice(1)
    .filter((segment) => segment !== "");
  const named = segments.map((segment) => {
    const [, capture] = /^\{(.+)\}$/.exec(segment) ?? [];
    return encodeURIComponent(capture === undefined ? segment : (captures.get(capture) ?? ""));
  });
  const positions = at("path").map(({ origin }) => origin.position ?? -1);
  // A position that is left out before another one is an empty segment.
  for (let n = 0; n <= Math.max(-1, ...positions); n++) named.push(encodeURIComponent(captures.get(n) ?? ""));
  const query = at("query").map(({ origin, text }) => `${encodeURIComponent(origin.wire)}=${encodeURIComponent(text)}`);
  const url = root + named.join("/") + (query.length > 0 ? `?${query.join("&")}` : "");

  const headers = at("header").map(({ origin, text }) => [origin.wire, text]);
  if (token !== "") headers.unshift(["Authorization", `Bearer ${token}`]);
  const cookies = at("cookie").map(({ origin, text }) => `${origin.wire}=${text}`);
  const body = at("body");
  const multipart = body.some(({ kind }) => kind.name === "file");
  const text = multipart || body.length === 0 ? undefined : object(body);
  if (text !== undefined) headers.push(["Content-Type", "application/json"]);
  return { http, url, headers, cookies, parts: multipart ? parts(body) : undefined, text };
}

function object(body) {
  const members = body.map(({ origin, kind, text }) => `${JSON.stringify(origin.wire)}: ${json(kind, text)}`);
  return `{ ${members.join(", ")} }`;
}

function parts(body) {
  return body.flatMap(({ origin, files, text }) => (files ?? [text]).map((value) => [origin.wire, value]));
}

/** Sends it. */
export function send({ http, url, headers, parts, text }) {
  let body = text;
  if (parts !== undefined) {
    body = new FormData();
    for (const [name, value] of parts) body.append(name, value);
  }
  return fetch(url, { method: http, headers, body, redirect: "follow" });
}

/** The same for curl, in the words of a POSIX shell. */
export function curl({ http, url, headers, cookies, parts, text }) {
  const words = [];
  if (http !== "GET" && !(http === "POST" && (parts ?? text) !== undefined)) words.push(`-X ${http}`);
  words.push(quote(url));
  for (const [name, value] of headers) words.push(`-H ${quote(`${name}: ${value}`)}`);
  for (const cookie of cookies) words.push(`-b ${quote(cookie)}`);
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
