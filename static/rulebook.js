/**
 * The client of an API that rulebook serves, for browsers and Node (18 or later). It depends on nothing.
 *
 *     const api = await rulebook("//host/api");
 *     const { lines } = await api.article.line.get({ article_id: 1, no_line: 2 });
 *
 * OPTIONS tells what is there. Arguments are checked before anything is sent, and put where their parameters come
 * from; what is answered are the outputs, whatever envelope they came in. The types stand in rulebook.d.ts.
 */

const METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"];

/** Whatever ends a call; that an aborted or late one ended is told by the signal's own reason. */
export class RulebookError extends Error {
  get name() {
    return this.constructor.name;
  }
}

/** An argument is missing, unknown or not what its parameter takes. Nothing has been sent. */
export class ArgumentError extends RulebookError {
  constructor(parameter, expected, got) {
    super(`${parameter}: expected ${expected}, got ${got}`);
    Object.assign(this, { parameter, expected, got });
  }
}

/** The API has refused the call. */
export class RefusedError extends RulebookError {
  constructor(status, { message, code = null, declared = null, errors = [] }, body) {
    super(message);
    Object.assign(this, { status, code, declared, errors, body });
  }
}

/** No answer came, or none that can be read; `cause` knows more. */
export class NetworkError extends RulebookError {}

/** A text of JSON that is sent as it is: numbers of more digits than JavaScript's hold. It is not checked. */
export class Json {
  constructor(text) {
    this.text = text;
  }
}

/**
 * The functions of an API.
 *
 * @param {string | URL} url of its base, or of its server
 * @param {object} [options] of all calls, see rulebook.d.ts
 */
export async function rulebook(url, options = {}) {
  const at = new URL(url, globalThis.location?.href);
  const told = options.definition ?? (await definition(at, options));
  const end = new URL(told.base ?? "/", at).pathname.replace(/\/$/, "");
  const path = at.pathname.replace(/\/$/, "");
  return client(told, new URL(`${path.endsWith(end) ? path.slice(0, path.length - end.length) : path}/`, at), options);
}

/** What OPTIONS tells of all that is at a URL, for whom the token is. */
export async function definition(url, options = {}) {
  const told = await described(url, options);
  if (!told?.modules) throw new RulebookError("it did not answer with a definition");
  return told;
}

/** What OPTIONS tells at a URL, be it of all that is there or of one service. */
export async function described(url, options = {}) {
  const headers = [["Accept", "application/json"]];
  const token = await tokenOf(options);
  if (token) headers.push(["Authorization", `Bearer ${token}`]);
  const http = "OPTIONS";
  const { response, body } = await exchange({ http, url: String(url), headers, cookies: [] }, options);
  if (!response.ok) throw refused(response.status, response.statusText, body);
  return body;
}

/** The functions of an API that is known already: no request is sent. `root`: where its server begins. */
export function client(definition, root, options = {}) {
  const base = baseOf(definition, root);
  const methods = [...services(definition)].flatMap((service) => service.methods);
  const known = new Map(methods.map((method) => [method.id, method]));
  const call = (method, args, more) => run(base, method, args, { ...options, ...more });
  const api = Object.create(null);
  api.$methods = methods;
  api.$call = async (id, args, more) => {
    if (!known.has(id)) throw new RulebookError(`there is no method ${id}`);
    return call(known.get(id), args, more);
  };
  for (const method of methods) {
    const names = method.id.split(".");
    // What has a callable `then` is taken for a promise.
    if (["$call", "$methods"].includes(names[0]) || method.id === "then") continue;
    grow(api, names, (args, more) => call(method, args, more));
  }
  return api;
}

/** Puts a function into the tree; a function may have others below it. */
function grow(at, [name, ...more], leaf) {
  const there = Object.hasOwn(at, name) ? at[name] : undefined;
  let node = there ?? Object.create(null);
  if (more.length > 0) grow(node, more, leaf);
  else {
    // Their places are for what is below.
    delete leaf.name;
    delete leaf.length;
    node = Object.defineProperties(leaf, Object.getOwnPropertyDescriptors(node));
  }
  Object.defineProperty(at, name, { value: node, enumerable: true, configurable: true });
}

/** Where an API's own paths begin; ends in `/`. `root`: where its server begins, ending in `/`. */
export function baseOf(definition, root) {
  const base = (definition.base ?? "/").replace(/^\/|\/$/g, "");
  return new URL(base === "" ? "./" : `./${encodeURI(base)}/`, root).href;
}

/** The services of a definition as OPTIONS tells it, each with its methods. */
export function* services(definition) {
  for (const [name, tree] of Object.entries(definition.modules)) {
    const module = { name, info: tree.info, envelope: tree.envelope ?? definition.envelope ?? "aicra" };
    yield* below(module, tree, "", definition.jsonp ?? false);
  }
}

/** `/` opens the URIs below a URI, to any depth. */
function* below(module, tree, above, jsonp) {
  const path = above || "/";
  const methods = METHODS.filter((http) => tree[http]).map((http) => methodOf(module, path, http, tree[http], jsonp));
  if (methods.length > 0) yield { module, path, methods };
  for (const [key, inner] of Object.entries(tree["/"] ?? {})) yield* below(module, inner, `${above}/${key}`, jsonp);
}

function methodOf(module, path, http, written, jsonp) {
  const { info, scope, in: inputs = {}, out = {}, errors = {}, options = {} } = written;
  const segments = path.split("/").filter((segment) => segment !== "");
  const names = segments.map((segment) => (segment.startsWith("{") ? segment : segment.replaceAll(".", "%2E")));
  const id = written.id ?? [...names, http.toLowerCase()].join(".");
  const parameters = Object.entries(inputs).map(([key, one]) => parameterOf(key, one, http));
  for (const one of parameters) {
    const same = (other) => other !== one && (other.short === one.short || other.key === one.short);
    one.name = parameters.some(same) ? one.key : one.short;
  }
  const open = http === "GET" && !scope && !options.download;
  return {
    id,
    module,
    path,
    http,
    info,
    scope,
    parameters,
    out,
    errors,
    options,
    jsonp: open && (options.jsonp ?? jsonp),
  };
}

/** A parameter, by its key in the definition. `short` is its name where no other of the method is alike. */
function parameterOf(key, written, http) {
  const position = /^URL#(\d+)$/.exec(key)?.[1];
  const capture = /^\{(.+)\}$/s.exec(key)?.[1];
  const [, prefix, rest] = /^(GET|HEADER|COOKIE|ANY)@(.*)$/s.exec(key) ?? [];
  const places = { GET: "query", HEADER: "header", COOKIE: "cookie" };
  // What may be in both is described as query where a body is unusual.
  const either = http === "GET" || http === "DELETE" ? "query" : "body";
  const wire = capture ?? rest ?? key;
  return {
    ...written,
    key,
    wire,
    // Names of header fields have no case, and their keys are in small letters.
    short: written.name?.toLowerCase() === `header@${wire}` ? written.name.slice(7) : (written.name ?? wire),
    place: (position ?? capture) ? "path" : (places[prefix] ?? either),
    position: position === undefined ? undefined : Number(position),
    optional: written.type.startsWith("?") || written.default !== undefined,
    schema: written.$schema ?? {},
  };
}

/** Calls a method. */
async function run(base, method, args, options) {
  const values = given(method, args, options);
  const asked = request(base, method, values, options.jsonp ? "" : await tokenOf(options));
  if (options.jsonp) {
    if (!method.jsonp || asked.headers.length + asked.cookies.length > 0)
      throw new RulebookError(`${method.id} cannot be called by JSONP with these arguments`);
    const body = await jsonp(asked.url, options);
    return outputs(method, { ok: true, status: 200, statusText: "" }, body, true);
  }
  const download = method.options.download && !options.link;
  asked.headers.unshift(["Accept", download ? "*/*" : "application/json"]);
  if (options.link) asked.headers.push(["X-Requested-With", "XMLHttpRequest"]);
  const { response, body } = await exchange(asked, options, download);
  if (body === undefined) return { response, filename: filename(response.headers.get("Content-Disposition") ?? "") };
  return outputs(method, response, body, false);
}

/** The arguments by their parameters, checked. */
function given(method, args, { check = true }) {
  const { parameters } = method;
  const values = new Map();
  for (const [name, value] of Object.entries(args ?? {})) {
    if (value === undefined) continue;
    const small = name.toLowerCase();
    const one =
      parameters.find((other) => other.name === name || other.key === name) ??
      parameters.find(
        (other) => other.place === "header" && [other.name, other.key].some((own) => own.toLowerCase() === small),
      );
    if (!one) {
      const known = parameters.map((other) => other.name).join(", ") || "none";
      throw new ArgumentError(name, `an argument of ${method.id} (${known})`, "another name");
    }
    if (values.has(one)) throw new ArgumentError(name, "one value", "two, by both of its names");
    // Null for what may be left out is its absence, which only JSON can say.
    if (value === null && one.optional && one.place !== "body") continue;
    values.set(one, value);
  }
  for (const one of check ? parameters : []) {
    if (!values.has(one) && !one.optional) throw new ArgumentError(one.name, words(one.schema), "nothing");
    if (!values.has(one) || (values.get(one) === null && one.optional)) continue;
    const wrong = mismatch(one.schema, values.get(one), one.name) ?? unfit(one, values.get(one));
    if (wrong) throw wrong;
  }
  return values;
}

/** What is wrong with a value that its place in a request cannot hold. */
function unfit(parameter, value) {
  const [text] = texts(parameter, value, false);
  const fail = (what) => new ArgumentError(parameter.name, what, shown(value));
  // URLs have no other way to write these, and an empty segment is none.
  if (parameter.place === "path" && /^\.{0,2}$/.test(text))
    return fail("a text that a path can hold, not empty, . or ..");
  if (parameter.place === "header" && /[\0\r\n]|^[ \t]|[ \t]$/.test(text))
    return fail("a text that a header field can hold");
  if (parameter.place === "cookie" && /[\0-\x1f\x7f;]/.test(text)) return fail("a text that a cookie can hold");
  return undefined;
}

/**
 * The request of a call.
 *
 * @param {string} base where the API's own paths begin
 * @param {object} method one of `$methods`
 * @param {Map<object, unknown>} values by the method's parameters, those left out not among them
 * @param {string} token empty for nobody
 */
export function request(base, method, values, token) {
  const { http } = method;
  const at = (place) => [...values].filter(([parameter]) => parameter.place === place);
  const segments = method.path.split("/").filter((segment) => segment !== "");
  const one = (parameter, value) => texts(parameter, value, false)[0];
  const many = (parameter, value) => texts(parameter, value, true).map((text) => [parameter.wire, text]);
  const inPath = new Map(
    at("path").map(([parameter, value]) => [parameter.position ?? parameter.key, one(parameter, value)]),
  );
  const path = segments.map((segment) => (segment.startsWith("{") ? (inPath.get(segment) ?? "") : segment));
  // A position that is left out before another one is an empty segment.
  const last = Math.max(-1, ...[...inPath.keys()].filter(Number.isInteger));
  for (let n = 0; n <= last; n++) path.push(inPath.get(n) ?? "");
  const query = at("query").flatMap(([parameter, value]) => many(parameter, value));
  const written = query.map((pair) => pair.map(encodeURIComponent).join("=")).join("&");
  const url = base + path.map(encodeURIComponent).join("/") + (written && `?${written}`);

  const headers = at("header").map(([parameter, value]) => [parameter.wire, one(parameter, value)]);
  if (token) headers.unshift(["Authorization", `Bearer ${token}`]);
  const cookies = at("cookie").map(([parameter, value]) => [parameter.wire, one(parameter, value)]);
  const body = at("body");
  if (body.some(([, value]) => [value].flat().some(isFile))) {
    const files = (parameter, value) => [value].flat().map((file) => [parameter.wire, file]);
    const filled = body.filter(([, value]) => value !== null);
    const parts = filled.flatMap(([parameter, value]) =>
      ([value].flat().some(isFile) ? files : many)(parameter, value),
    );
    return { http, url, headers, cookies, parts };
  }
  if (body.length === 0) return { http, url, headers, cookies };
  headers.push(["Content-Type", "application/json"]);
  const text = json(Object.fromEntries(body.map(([parameter, value]) => [parameter.wire, value])));
  return { http, url, headers, cookies, text };
}

const isFile = (value) =>
  (typeof Blob !== "undefined" && value instanceof Blob) || value instanceof ArrayBuffer || ArrayBuffer.isView(value);

/** The texts of a value. A list is repeated or joined where that says the same, else it is JSON, which always does. */
function texts({ schema, format, separator = "," }, value, repeats) {
  const text = (one) => (typeof one === "string" ? one : json(one).replace(/^"(.*)"$/s, (all) => JSON.parse(all)));
  const scalar = ["string", "integer", "number", "boolean"].includes(schema.items?.type);
  if (!Array.isArray(value) || value.length === 0 || !scalar || format === "json") return [text(value)];
  const all = value.map(text);
  const split = format === "explode";
  if (repeats && !split && all.length > 1) return all;
  const joined = all.join(separator);
  const same = split ? joined.split(separator).every((part, n) => part === all[n]) : all.length === 1;
  // What begins like JSON is taken for it; blanks at the ends and dots do not outlast every place.
  return same && !/^\.{0,2}$|^[\s\u0085[{]|[\s\u0085]$/.test(joined) ? [joined] : [json(value)];
}

/** JSON of a value, in which whole numbers keep all of their digits. */
function json(value) {
  if (value instanceof Json) return value.text;
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return `[${value.map((item) => json(item)).join(", ")}]`;
  if (value === null || typeof value !== "object" || typeof value.toJSON === "function")
    return JSON.stringify(value) ?? "null";
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}: ${json(member)}`).join(", ")}}`;
}

/**
 * Why a value does not pass a JSON Schema, as an ArgumentError; undefined where it does. Knows the keywords that
 * types make, but formats: what it does not know lets everything pass, for the server to judge.
 */
export function mismatch(schema, value, at) {
  if (value instanceof Json) return undefined;
  if (typeof value?.toJSON === "function") return mismatch(schema, value.toJSON(), at);
  const kind = kindOf(value);
  const fail = (what) => new ArgumentError(at, what ?? words(schema), shown(value));
  if (kind === undefined) return fail("a value of JSON, or a file");
  if (schema.format === "binary") return kind === "file" ? undefined : fail("a file");
  const types = [schema.type ?? []].flat();
  if (types.length > 0 && !types.includes(kind) && !(kind === "integer" && types.includes("number"))) return fail();
  if (kind === "file") return fail("no file");
  const same = (one) =>
    one === value || (typeof value === "bigint" && one === Number(value)) || typeof one === "object";
  if (schema.enum && !schema.enum.some(same)) return fail();
  if ("const" in schema && !same(schema.const)) return fail();
  if (schema.anyOf && !schema.anyOf.some((inner) => !mismatch(inner, value, at))) return fail();
  for (const inner of schema.allOf ?? []) {
    const wrong = mismatch(inner, value, at);
    if (wrong) return wrong;
  }
  const out = (least, most, count) => count < schema[least] || count > schema[most];
  if (kind === "integer" || kind === "number") {
    if (value < rounded(schema.minimum, -1) || value > rounded(schema.maximum, 1)) return fail();
  } else if (kind === "string") {
    if (/\p{Cs}/u.test(value)) return fail("whole characters");
    if (out("minLength", "maxLength", [...value].length) || !matches(schema.pattern, value)) return fail();
  } else if (kind === "array") {
    if (out("minItems", "maxItems", value.length)) return fail();
    return first(value, (item, n) => mismatch(schema.items ?? {}, item, `${at}[${n}]`));
  } else if (kind === "object") {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    const missing = (schema.required ?? []).find((name) => !members.some(([own]) => own === name));
    if (missing !== undefined)
      return new ArgumentError(`${at}.${missing}`, words(schema.properties?.[missing] ?? {}), "nothing");
    if (out("minProperties", "maxProperties", members.length)) return fail();
    const known = new Map(Object.entries(schema.properties ?? {}));
    const { additionalProperties: other = {} } = schema;
    return first(members, ([name, member]) => mismatch(known.get(name) ?? other, member, `${at}.${name}`));
  }
  return undefined;
}

function first(all, find) {
  for (const [n, one] of all.entries()) {
    const found = find(one, n);
    if (found) return found;
  }
  return undefined;
}

/** A bound as it may have been before it was read as a number of 53 bits. */
function rounded(bound, way) {
  return Number.isInteger(bound) && !Number.isSafeInteger(bound)
    ? bound + way * Math.abs(bound) * Number.EPSILON
    : bound;
}

function matches(pattern, text) {
  try {
    return pattern === undefined || new RegExp(pattern, "u").test(text);
  } catch {
    return true;
  }
}

/** What JSON Schema calls a value; undefined for what JSON has no word for. */
function kindOf(value) {
  if (value === null) return "null";
  if (isFile(value)) return "file";
  if (Array.isArray(value)) return "array";
  if (typeof value === "bigint" || Number.isInteger(value)) return "integer";
  if (typeof value === "number") return Number.isFinite(value) ? "number" : undefined;
  return ["string", "boolean", "object"].includes(typeof value) ? typeof value : undefined;
}

/** What came, without its text, which may be a secret. */
function shown(value) {
  if (typeof value === "string") return `a string of ${[...value].length} characters`;
  if (Array.isArray(value)) return `an array of ${value.length} items`;
  if (isFile(value)) return "a file";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

/** What passes a schema, to be read behind "expected". */
function words(schema) {
  if (schema.enum) return `one of ${schema.enum.map((one) => JSON.stringify(one)).join(", ")}`;
  if (schema.anyOf) return schema.anyOf.map(words).join(" or ");
  if (schema.format === "binary") return "a file";
  const named = { integer: "a whole number", number: "a number", boolean: "true or false", string: "a string" };
  const called = { ...named, array: "an array", object: "an object", null: "null" };
  const what = [schema.type ?? []].flat().map((type) => called[type] ?? type);
  const range = (least, most, unit) => {
    const [min, max] = [schema[least], schema[most]];
    if (min === undefined && max === undefined) return "";
    return min === undefined
      ? ` up to ${max}${unit}`
      : max === undefined
        ? ` from ${min}${unit} on`
        : ` from ${min} to ${max}${unit}`;
  };
  const counts = [
    ["minimum", "maximum", ""],
    ["minLength", "maxLength", " characters"],
  ];
  counts.push(["minItems", "maxItems", " items"], ["minProperties", "maxProperties", " members"]);
  const pattern = schema.format ? ` (${schema.format})` : schema.pattern ? ` that matches ${schema.pattern}` : "";
  return (what.join(" or ") || "a value") + counts.map((count) => range(...count)).join("") + pattern;
}

async function tokenOf({ token }) {
  return (typeof token === "function" ? await token() : token) || "";
}

/**
 * Sends a request and reads its answer as JSON; of one that is a file and no refusal the body is left to be read.
 * Ends as the signal says, or when the time is over.
 */
async function exchange(asked, options, download = false) {
  const { signal, timeout, parse = JSON.parse } = options;
  const ended = new AbortController();
  const stop = () => ended.abort(signal.reason);
  const late = () => ended.abort(new DOMException(`no answer within ${timeout} ms`, "TimeoutError"));
  const timer = timeout === undefined ? undefined : setTimeout(late, timeout);
  if (signal?.aborted) stop();
  else signal?.addEventListener("abort", stop, { once: true });
  let left = false;
  try {
    const response = await send(asked, { ...options, signal: ended.signal });
    left = download && (response.ok || response.status === 304);
    return { response, body: left ? undefined : read(await response.text(), response, parse) };
  } catch (error) {
    if (ended.signal.aborted) throw ended.signal.reason;
    throw error instanceof RulebookError ? error : new NetworkError("no answer came", { cause: error });
  } finally {
    clearTimeout(timer);
    if (!left) signal?.removeEventListener("abort", stop);
  }
}

/** An answer's JSON; the text of a refusal that is none, such as a proxy's. */
function read(text, response, parse) {
  if (text === "") return null;
  try {
    return parse(text);
  } catch (cause) {
    if (!response.ok) return text;
    throw new NetworkError("the answer is no JSON", { cause });
  }
}

/** Sends a request. `onProgress` is told how much of its body has gone. */
export function send({ http, url, headers, cookies, parts, text }, { signal, onProgress, credentials, ...own } = {}) {
  const more =
    cookies.length > 0 ? [["Cookie", cookies.map(([name, value]) => `${name}=${quoted(value)}`).join("; ")]] : [];
  const all = new Headers([...headers, ...more].map(([name, value]) => [name, bytes(value)]));
  new Headers(own.headers).forEach((value, name) => all.set(name, value));
  let body = text;
  if (parts) {
    const boundary = `rulebook${[1, 2, 3].map(() => Math.random().toString(36).slice(2)).join("")}`;
    all.set("Content-Type", `multipart/form-data; boundary=${boundary}`);
    body = multipart(parts, boundary);
  }
  const options = { method: http, headers: all, body, signal, credentials };
  if (body === undefined || !onProgress) return (own.fetch ?? fetch)(url, options);
  if (typeof XMLHttpRequest !== "undefined") return watched(url, options, onProgress);
  let sent = 0;
  const whole = new Blob([body]);
  const transform = (chunk, to) => {
    to.enqueue(chunk);
    onProgress({ sent: (sent += chunk.byteLength), total: whole.size });
  };
  const stream = whole.stream().pipeThrough(new TransformStream({ transform }));
  return (own.fetch ?? fetch)(url, { ...options, body: stream, duplex: "half" });
}

/** The body of a form with files: the parts of a Blob are not read before they are sent. */
function multipart(parts, boundary) {
  const escaped = (name) => name.replace(/["\r\n]/g, (one) => ({ '"': "%22", "\r": "%0D", "\n": "%0A" })[one]);
  const pieces = parts.flatMap(([name, value]) => {
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${escaped(name)}"`;
    if (!isFile(value)) return [`${head}\r\n\r\n`, value, "\r\n"];
    const type = value.type || "application/octet-stream";
    return [`${head}; filename="${escaped(value.name ?? "file")}"\r\nContent-Type: ${type}\r\n\r\n`, value, "\r\n"];
  });
  return new Blob([...pieces, `--${boundary}--\r\n`]);
}

/** The same as fetch, which cannot tell a page how much has gone. */
function watched(url, { method, headers, body, signal, credentials }, onProgress) {
  return new Promise((done, fail) => {
    const asked = new XMLHttpRequest();
    asked.open(method, url);
    headers.forEach((value, name) => asked.setRequestHeader(name, value));
    asked.withCredentials = credentials === "include";
    asked.responseType = "blob";
    asked.upload.onprogress = ({ loaded, total }) => onProgress({ sent: loaded, total });
    asked.onload = () => {
      const { status, statusText, response } = asked;
      const fields = asked
        .getAllResponseHeaders()
        .trim()
        .split("\r\n")
        .map((line) => line.split(/: ?(.*)/s, 2));
      const empty = [204, 205, 304].includes(status);
      done(new Response(empty ? null : response, { status, statusText, headers: fields }));
    };
    asked.onerror = () => fail(new TypeError("the request failed"));
    asked.onabort = () => fail(signal.reason);
    if (signal.aborted) return fail(signal.reason);
    signal.addEventListener("abort", () => asked.abort(), { once: true });
    asked.send(body);
  });
}

/** A text as header fields carry it: the bytes of its UTF-8. */
function bytes(text) {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

/** A cookie's value; quotes keep blanks at its ends, and quotes. */
function quoted(text) {
  return /^["\s]|["\s]$/.test(text) ? `"${text}"` : text;
}

/** Asks by a script, as a page of another origin may; gives what it is called with. */
function jsonp(url, { signal, timeout }) {
  if (typeof document === "undefined") throw new RulebookError("JSONP is for pages");
  const waiting = (globalThis.rulebookAnswers ??= Object.create(null));
  const name = `n${Math.random().toString(36).slice(2)}`;
  return new Promise((done, fail) => {
    const script = document.createElement("script");
    const end = (settle, value) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
      delete waiting[name];
      script.remove();
      settle(value);
    };
    const stop = () => end(fail, signal.reason);
    const late = () => end(fail, new DOMException(`no answer within ${timeout} ms`, "TimeoutError"));
    const timer = timeout === undefined ? undefined : setTimeout(late, timeout);
    waiting[name] = (answer) => end(done, answer);
    script.onerror = () => end(fail, new NetworkError("no answer came"));
    // It has run before this is told.
    script.onload = () => end(fail, new NetworkError("the answer is no JSONP"));
    script.src = `${url}${url.includes("?") ? "&" : "?"}callback=rulebookAnswers.${name}`;
    script.referrerPolicy = "no-referrer";
    if (signal?.aborted) return stop();
    signal?.addEventListener("abort", stop, { once: true });
    document.head.append(script);
  });
}

/** Whether an answer whose HTTP status says nothing is a refusal, in each envelope. */
const REFUSES = {
  aicra: (body) => body?.error !== 0,
  phalapi: (body) => body?.ret !== 200,
  iapi: (body) => body?.status === "error" && typeof body.message === "string",
  plain: (body) => body?.type === "about:blank" && typeof body.title === "string" && body.status >= 400,
};

/** The outputs in an answer, out of their envelope. */
function outputs({ module: { envelope }, out }, { ok, status, statusText }, body, inScript) {
  const says = inScript || envelope === "phalapi";
  if (!ok || (says && REFUSES[envelope]?.(body))) throw refused(status, statusText, body);
  const whole = "*" in out;
  if (envelope === "aicra") {
    if (whole) return body?.result;
    const { error: _, ErrorDescription: __, ...rest } = body ?? {};
    if (inScript) delete rest.status;
    return rest;
  }
  // PHP writes what is empty as a list.
  if (envelope === "phalapi") return !whole && Array.isArray(body?.data) ? {} : body?.data;
  return body ?? (whole ? body : {});
}

/** A refusal, in whatever envelope it came. */
function refused(status, statusText, body) {
  const said = typeof body === "object" && body !== null ? body : {};
  const { errors = [] } = said;
  if ("ErrorDescription" in said) {
    const { error: code, ErrorDescription: message, name: declared } = said;
    return new RefusedError(
      status === 200 ? (said.status ?? status) : status,
      { code, declared, message, errors },
      body,
    );
  }
  if (typeof said.ret === "number")
    return new RefusedError(status === 200 ? said.ret : status, { code: said.ret, message: said.msg }, body);
  if (typeof said.title === "string") {
    const { code, detail: message = said.title } = said;
    return new RefusedError(status === 200 ? said.status : status, { code, declared: code, message, errors }, body);
  }
  return new RefusedError(status, { message: said.message ?? `${status} ${statusText}`, errors }, body);
}

/** The name that a file has been given (RFC 6266); null where it has none. */
function filename(disposition) {
  const [, encoded] = /;\s*filename\*=UTF-8''([^;\s]+)/i.exec(disposition) ?? [];
  try {
    if (encoded) return decodeURIComponent(encoded);
  } catch {
    // The other name will do.
  }
  const [, quotedName, token] = /;\s*filename=(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/i.exec(disposition) ?? [];
  return quotedName?.replace(/\\(.)/g, "$1") ?? token ?? null;
}
