/**
 * The client of an API that rulebook serves, for browsers and Node (18 or later), without dependencies.
 *
 *     const api = await rulebook("//host/api");
 *     const { lines } = await api.article.line.get({ article_id: 1, no_line: 2 });
 *
 * The client reads the definition of the API with OPTIONS. It checks the arguments of a call, sends each in the
 * location of its parameter, and returns the outputs without their envelope. rulebook.d.ts has the types.
 */

const METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"];

/** The base class of the errors of this client. A call that is aborted fails with the reason of its signal instead. */
export class RulebookError extends Error {
  get name() {
    return this.constructor.name;
  }
}

/** An argument is missing, unknown or not valid, or arguments break a constraint. No request has been sent. */
export class ArgumentError extends RulebookError {
  constructor(parameter, expected, got, { message, errors = [{ parameter, expected, got }] } = {}) {
    super(message ?? `${parameter}: expected ${expected}, got ${got}`);
    Object.assign(this, { parameter, expected, got, errors });
  }
}

/** The API has responded with an error. */
export class ApiError extends RulebookError {
  constructor(status, { message, code = null, declared = null, errors = [] }, body) {
    super(message);
    Object.assign(this, { status, code, declared, errors, body });
  }
}

/** There was no response, or it could not be read. `url` is the URL of the request, and `cause` is the reason. */
export class NetworkError extends RulebookError {
  constructor(message, { cause, url } = {}) {
    super(message, { cause });
    this.url = url;
  }
}

/** A JSON text that is sent unchanged and not checked, for numbers with more digits than a JavaScript number has. */
export class Json {
  constructor(text) {
    this.text = text;
  }

  toString() {
    return this.text;
  }
}

/** Returns the significant digits of a decimal number without its sign, and the power of ten of the last of them. */
function digitsOf(text) {
  const [, whole, fraction = "", exponent = "0"] = /^-?(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text);
  const [, digits = "", zeros] = /^0*([1-9](?:\d*[1-9])?)?(0*)$/.exec(whole + fraction);
  return digits === "" ? "0" : `${digits}e${Number(exponent) - fraction.length + zeros.length}`;
}

/** Returns whether a JavaScript number has all digits of a JSON number. */
export function hasAllDigits(text) {
  const number = Number(text);
  return Number.isFinite(number) && digitsOf(text) === digitsOf(String(number));
}

/**
 * Parses JSON without rounding: an integer with more digits than a JavaScript number becomes a `BigInt`, and another
 * such number a `Json` with its text. `isNumber` decides by the text whether a number becomes a JavaScript number.
 */
export function parseExactly(text, isNumber = hasAllDigits) {
  // A string in the text cannot begin with a random key.
  const mark = randomKey();
  const marked = text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/gs, (token) =>
    /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(token) && !isNumber(token) ? `"${mark}${token}"` : token,
  );
  if (marked === text) return JSON.parse(text);
  return JSON.parse(marked, (_, value) => {
    if (typeof value !== "string" || !value.startsWith(mark)) return value;
    const number = value.slice(mark.length);
    return /^-?\d+$/.test(number) && number !== "-0" ? BigInt(number) : new Json(number);
  });
}

/**
 * Reads the definition of an API and returns its functions.
 *
 * @param {string | URL} url the base path of the API, or its server
 * @param {object} [options] the options of all calls, see rulebook.d.ts
 */
export async function rulebook(url, options = {}) {
  const start = new URL(url, globalThis.location?.href);
  const api = options.definition ?? (await definition(start, { ...options, parse: parseExactly }));
  const base = new URL(api.base ?? "/", start).pathname.replace(/\/$/, "");
  const path = start.pathname.replace(/\/$/, "");
  const root = path.endsWith(base) ? path.slice(0, path.length - base.length) : path;
  return client(api, new URL(`${root}/`, start), options);
}

/** Returns the response to OPTIONS on the base path of an API: the definition of the API. */
export async function definition(url, options = {}) {
  const api = await describe(url, options);
  if (!api?.modules)
    throw new RulebookError(`the response of ${withoutQuery(url)} to OPTIONS is not the definition of an API. Check the URL.`);
  return api;
}

/** Returns the response to OPTIONS on a URL: the definition of the API or of one service. */
export async function describe(url, options = {}) {
  // A definition is JSON in any case, and errors are then problem documents, whatever the envelope of the API.
  const headers = [["Accept", "application/problem+json"]];
  const authorization = await authorizationOf(options);
  if (authorization) headers.push(["Authorization", authorization]);
  const http = "OPTIONS";
  const { response, body } = await sendAndRead({ http, url: String(url), headers, cookies: [] }, options);
  if (!response.ok) throw apiError(response, body, []);
  return body;
}

/** Returns the functions of an API without a request. `root` is the URL of its server. */
export function client(definition, root, options = {}) {
  const base = baseOf(definition, root);
  const methods = [...services(definition)].flatMap((service) => service.methods);
  const known = new Map(methods.map((method) => [method.id, method]));
  const call = (method, args, more) => callMethod(base, method, args, { ...options, ...more });
  const api = Object.create(null);
  api.$methods = methods;
  api.$call = async (id, args, more) => {
    if (!known.has(id)) throw unknownName(id, [...known.keys()], "method");
    return call(known.get(id), args, more);
  };
  for (const method of methods) {
    const names = method.id.split(".");
    // JavaScript takes an object with a function `then` for a promise.
    if (["$call", "$methods"].includes(names[0]) || method.id === "then") continue;
    addFunction(api, names, (args, more) => call(method, args, more));
  }
  return reportingUnknownNames(api, "");
}

/** Names that JavaScript, browsers and tools look up in any object, whether it has them or not. */
const PROBED = /^(then|catch|finally|toJSON|toString|valueOf|constructor|prototype|inspect|length|name|nodeType|tagName|default|arguments|caller|apply|call|bind|\$\$typeof|asymmetricMatch|__\w+|@@.*)$/;

/** Returns a view of a tree of functions, in which the name of a module or method that does not exist is an error that
    lists the existing names, instead of `undefined`. `path` is the path of the tree. */
function reportingUnknownNames(tree, path) {
  const views = new Map();
  return new Proxy(tree, {
    get(target, name, receiver) {
      const member = Object.getOwnPropertyDescriptor(target, name);
      if (member === undefined) {
        if (typeof name === "symbol" || name in target || PROBED.test(name)) return Reflect.get(target, name, receiver);
        const known = Object.keys(target).filter((key) => !key.startsWith("$"));
        throw unknownName(path + name, known.map((key) => path + key), path === "" ? "module or method" : "method");
      }
      const inner = member.value;
      const isTree = !name.startsWith?.("$") && (typeof inner === "function" || typeof inner === "object");
      // A property that cannot be changed must be returned as it is (ECMA-262, 10.5.8).
      if (!isTree || inner === null || !member.configurable) return inner;
      if (!views.has(name)) views.set(name, reportingUnknownNames(inner, `${path}${name}.`));
      return views.get(name);
    },
  });
}

/** Returns the error for a name that does not exist, with the most similar names, or all names if there are few. */
function unknownName(name, known, what) {
  const similar = known.filter((other) => isSimilar(name.toLowerCase(), other.toLowerCase()));
  const few = known.length <= 12 ? known : [];
  const help = similar.length > 0 ? `Did you mean ${similar.slice(0, 3).join(" or ")}?` : `The names are: ${few.join(", ")}.`;
  const text = similar.length > 0 || few.length > 0 ? ` ${help}` : "";
  return new RulebookError(`the API has no ${what} ${name}.${text}`);
}

/** Returns whether a word differs from another one in at most two characters that are inserted, removed or replaced. */
function isSimilar(word, other) {
  if (Math.abs(word.length - other.length) > 2 || Math.max(word.length, other.length) > 100) return false;
  let row = [...other, ""].map((_, n) => n);
  for (const [n, character] of [...word].entries()) {
    const next = [n + 1];
    for (const [m, there] of [...other].entries())
      next.push(Math.min(row[m + 1] + 1, next[m] + 1, row[m] + (character === there ? 0 : 1)));
    row = next;
  }
  return row.at(-1) <= Math.min(2, Math.floor(word.length / 3));
}

/** Adds a function to the tree. A function can have other functions as its members. */
function addFunction(tree, [name, ...more], leaf) {
  const existing = Object.hasOwn(tree, name) ? tree[name] : undefined;
  let node = existing ?? Object.create(null);
  if (more.length > 0) addFunction(node, more, leaf);
  else {
    // A function below may have one of these names.
    delete leaf.name;
    delete leaf.length;
    node = Object.defineProperties(leaf, Object.getOwnPropertyDescriptors(node));
  }
  Object.defineProperty(tree, name, { value: node, enumerable: true, configurable: true });
}

/** Returns the URL of the base path of an API. `root` is the URL of its server, with a slash at the end. */
export function baseOf(definition, root) {
  const base = (definition.base ?? "/").replace(/^\/|\/$/g, "");
  return new URL(`./${encodeURI(base)}`, root).href;
}

/** Yields the services of a definition that OPTIONS responded with, each with its methods. */
export function* services(definition) {
  const defs = definition.$defs ?? {};
  for (const [name, tree] of Object.entries(definition.modules)) {
    const ofApi = definition.$envelope ?? UNKNOWN;
    const decodings = [tree.$envelope ?? (tree.envelope === undefined ? ofApi : UNKNOWN), ofApi];
    const module = { name, info: tree.info, envelope: tree.envelope ?? definition.envelope ?? "aicra", decodings, defs };
    yield* below(module, tree, "", definition.jsonp ?? false);
  }
}

/** Yields the service of a URI and those below it: the member `/` of a URI has the URIs below. */
function* below(module, tree, above, jsonp) {
  const path = above || "/";
  const methods = METHODS.filter((http) => tree[http]).map((http) => methodOf(module, path, http, tree[http], jsonp));
  if (methods.length > 0) yield { module, path, methods };
  for (const [key, inner] of Object.entries(tree["/"] ?? {})) yield* below(module, inner, `${above}/${key}`, jsonp);
}

const segmentsOf = (path) => path.split("/").filter((segment) => segment !== "");

function methodOf(module, path, http, written, jsonp) {
  const { info, scope, in: inputs = {}, out = {}, errors = {}, constraints = [], options = {} } = written;
  const names = segmentsOf(path).map((segment) => (segment.startsWith("{") ? segment : segment.replaceAll(".", "%2E")));
  const id = written.id ?? [...names, http.toLowerCase()].join(".");
  const parameters = Object.entries(inputs).map(([key, one]) => parameterOf(key, one, http, module.defs));
  for (const one of parameters) {
    const same = (other) => other !== one && (other.short === one.short || other.key === one.short);
    one.name = parameters.some(same) ? one.key : one.short;
  }
  const open = http === "GET" && !scope && !options.download;
  const described = { info, scope, parameters, out, errors, constraints, options };
  const method = { id, module, path, http, ...described, jsonp: open && (options.jsonp ?? jsonp) };
  return Object.defineProperty(method, "toJSON", { value: () => serializable(method) });
}

/** Returns a method as JSON can express it: a schema that has replaced a reference is the reference again, and `$defs`
    has the schemas to which references lead. Numbers with many digits are rounded. */
function serializable({ module, ...method }) {
  const $defs = Object.create(null);
  const write = (value) => {
    if (typeof value === "bigint" || value instanceof Json) return Number(value);
    if (Array.isArray(value)) return value.map(write);
    if (value === null || typeof value !== "object") return value;
    const $ref = value[REFERENCE];
    if ($ref === undefined)
      return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, write(member)]));
    const name = $ref.replace("#/$defs/", "");
    if (!(name in $defs)) {
      $defs[name] = {};
      $defs[name] = write(module.defs[name]);
    }
    return { $ref };
  };
  const parameters = method.parameters.map(({ $schema, ...parameter }) => parameter);
  return { ...write({ ...method, parameters }), module: module.name, $defs };
}

/** Returns a parameter, by its key in the definition. `short` is its name unless another parameter has the same. */
function parameterOf(key, written, http, defs) {
  const position = /^URL#(\d+)$/.exec(key)?.[1];
  const capture = /^\{(.+)\}$/s.exec(key)?.[1];
  const [, prefix, rest] = /^(GET|HEADER|COOKIE|ANY)@(.*)$/s.exec(key) ?? [];
  const places = { GET: "query", HEADER: "header", COOKIE: "cookie" };
  // A parameter of query or body is sent in the query of methods that have no body.
  const either = http === "GET" || http === "DELETE" ? "query" : "body";
  const isWholeBody = key === "*";
  const wire = isWholeBody ? (written.name ?? "body") : (capture ?? rest ?? key);
  return {
    ...written,
    key,
    wire,
    isWholeBody,
    // Header names have no case, and their keys are in lower case.
    short: written.name ?? wire,
    place: (position ?? capture) ? "path" : (places[prefix] ?? either),
    source: prefix === "ANY" ? "query or body" : undefined,
    position: position === undefined ? undefined : Number(position),
    optional: written.type.startsWith("?") || written.default !== undefined,
    schema: withoutReferences(written.$schema ?? {}, defs),
  };
}

/** The key under which a schema has the reference that it has replaced. */
const REFERENCE = Symbol("reference");

/** The maximum number of references that lead from one schema to the next. */
const MAX_REFERENCES = 64;

/**
 * Replaces the references in a JSON Schema by the schemas in `defs` (`$defs`). A schema that contains itself then
 * contains the same object again.
 */
function withoutReferences(schema, defs, seen = new Set()) {
  if (schema === null || typeof schema !== "object" || seen.has(schema)) return schema;
  seen.add(schema);
  for (let n = 0; typeof schema.$ref === "string" && n < MAX_REFERENCES; n += 1) {
    const { $ref, ...beside } = schema;
    if (n === 0) Object.defineProperty(schema, REFERENCE, { value: $ref });
    delete schema.$ref;
    Object.assign(schema, defs[$ref.replace("#/$defs/", "")], beside);
  }
  const { properties = {}, items, additionalProperties, propertyNames, not, anyOf = [], oneOf = [], allOf = [] } = schema;
  const inner = [...Object.values(properties), items, additionalProperties, propertyNames, not];
  for (const one of [...inner, ...anyOf, ...oneOf, ...allOf]) withoutReferences(one, defs, seen);
  return schema;
}

/** Calls a method and returns its outputs, or its response if that is a file. */
async function callMethod(base, method, args, options) {
  const values = valuesOf(method, args, options);
  const message = request(base, method, values, options.jsonp ? "" : await authorizationOf(options));
  if (options.jsonp) {
    if (!method.jsonp || message.headers.length + message.cookies.length > 0)
      throw new RulebookError(`${method.id} cannot be called by JSONP with these arguments`);
    const body = await jsonp(message.url, options);
    return outputs(method, { ok: true, status: 200, statusText: "" }, body, true);
  }
  const download = method.options.download && !options.link;
  message.headers.unshift(["Accept", download ? "*/*" : "application/json"]);
  if (options.link) message.headers.push(["X-Requested-With", "XMLHttpRequest"]);
  if (globalThis.document !== undefined && message.cookies.length > 0)
    throw new ArgumentError(message.cookies[0][0], "no value, because a page cannot choose the cookies of a request", "one");
  const isRetried = options.retry > 0 && method.options.idempotent !== undefined;
  const key = options.idempotencyKey ?? (isRetried || needsKey(method, message) ? randomKey() : undefined);
  if (key !== undefined) message.headers.push([KEY_HEADER, JSON.stringify(key)]);
  const { response, body } = await sendAndRetry(message, options, download, key !== undefined);
  warnIfDeprecated(base, method, response);
  if (body === undefined) return { response, filename: fileName(response.headers.get("Content-Disposition") ?? "") };
  return outputs(method, response, body, false);
}

/** The methods about which a warning has been written. */
const warned = new Set();

/** Writes a warning to the console if the response of a method says that it is deprecated, once for each method. */
function warnIfDeprecated(base, { id, options }, { headers }) {
  const until = options.sunset ?? headers.get("Sunset");
  if (warned.has(`${base} ${id}`) || (until === null && !headers.has("Deprecation"))) return;
  warned.add(`${base} ${id}`);
  const since = typeof options.deprecated === "string" ? ` since ${options.deprecated}` : "";
  const end = until === null ? "" : `, available until ${until}`;
  const successor = options.successor === undefined ? "" : `; use ${options.successor} instead`;
  console.warn(`${id} is deprecated${since}${end}${successor}`);
}

/** The header field with which a request can be sent again without running the method again. */
export const KEY_HEADER = "Idempotency-Key";

/** Returns true if a request has no idempotency key, and the method requires one. */
export function needsKey(method, { headers }) {
  const isKey = ([name]) => name.toLowerCase() === KEY_HEADER.toLowerCase();
  return method.options.idempotent === "required" && !headers.some(isKey);
}

/** Returns a new idempotency key. `crypto.randomUUID` is missing on pages without TLS. */
export function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Checks the arguments of a call, and returns their values by parameter. */
function valuesOf(method, args, { check = true }) {
  const { parameters } = method;
  const values = new Map();
  for (const [name, value] of Object.entries(args ?? {})) {
    if (value === undefined) continue;
    const small = name.toLowerCase();
    const isField = (other) =>
      other.place === "header" && [other.name, other.key].some((known) => known.toLowerCase() === small);
    const one = parameters.find((other) => other.name === name || other.key === name) ?? parameters.find(isField);
    if (!one) {
      const known = parameters.map((other) => other.name).join(", ") || "none";
      throw new ArgumentError(name, `an argument of ${method.id} (${known})`, "another name");
    }
    if (values.has(one)) throw new ArgumentError(name, "one value", "two values, by both of its names");
    // Null means that an optional parameter is missing. Only JSON can express it.
    if (value === null && one.optional && one.place !== "body") continue;
    values.set(one, withoutDates(one.schema, value, one.name));
  }
  for (const one of check ? parameters : []) {
    if (!values.has(one) && !one.optional) throw new ArgumentError(one.name, expected(one.schema), "nothing");
    if (!values.has(one) || (values.get(one) === null && one.optional)) continue;
    const wrong = mismatch(one.schema, values.get(one), one.name) ?? unsendable(one, values.get(one));
    if (wrong) throw wrong;
  }
  const broken = check ? constraintErrors(method, values) : [];
  if (broken.length > 0) {
    const [{ parameter, expected, got, message }] = broken;
    throw new ArgumentError(parameter, expected, got ?? "nothing", { message, errors: broken });
  }
  return values;
}

const isInvalidDate = (value) => value instanceof Date && Number.isNaN(value.getTime());

/** Replaces each valid `Date` in an argument by a text: by a day in UTC if the schema is that of a date, otherwise by a
    point in time. */
function withoutDates(schema, value, at) {
  if (isInvalidDate(value)) return value;
  // In a union, the first type that fits decides, as for texts.
  const possible = (schema.anyOf ?? schema.oneOf) ? possibleBranches(schema, value) : [];
  if (possible.length === 1) return withoutDates(possible[0].schema, value, at);
  for (const { schema: one } of possible) {
    const text = withoutDates(one, value, at);
    if (!mismatch(one, text, at)) return text;
  }
  if (value instanceof Date) return value.toISOString().slice(0, schema.format === "date" ? 10 : undefined);
  if (Array.isArray(value)) return value.map((item, n) => withoutDates(schema.items ?? {}, item, `${at}[${n}]`));
  if (value === null || typeof value !== "object" || Object.getPrototypeOf(value) !== Object.prototype) return value;
  const properties = Object.assign({}, ...[...(schema.allOf ?? []), schema].map((one) => one.properties));
  const schemaOf = (name) => (Object.hasOwn(properties, name) ? properties[name] : schema.additionalProperties || {});
  const textOf = ([name, member]) => [name, withoutDates(schemaOf(name), member, `${at}.${name}`)];
  return Object.fromEntries(Object.entries(value).map(textOf));
}

/**
 * Returns the errors of the constraints between parameters, in the form in which the server reports them. A constraint
 * that only the server can check has none.
 */
function constraintErrors({ parameters, constraints }, values) {
  // A parameter without a value has its default, and null is the same as no value.
  const valueOf = (parameter) => {
    const value = values.get(parameter) ?? parameter.default;
    const written = typeof value?.toJSON === "function" ? value.toJSON() : value;
    return written ?? undefined;
  };
  const errors = [];
  for (const { message, ...constraint } of constraints) {
    for (const [kind, written] of Object.entries(constraint)) {
      // `requires` has a list of names for each name.
      const lists = kind === "requires" ? Object.entries(written).map((names) => names.flat()) : [written];
      for (const names of lists) {
        const named = names.map((name) => parameters.find(({ short }) => short === name));
        if (named.some((one) => one === undefined || isUnclear(one, valueOf(one)))) continue;
        const [parameter, expected] = brokenConstraint(kind, named, valueOf) ?? [];
        if (parameter === undefined) continue;
        const got = valueOf(parameter) === undefined ? null : summary(valueOf(parameter));
        const place = parameter.source ?? parameter.place;
        errors.push({ parameter: parameter.name, in: place, expected, got, ...(message && { message }) });
      }
    }
  }
  return errors;
}

/** Returns whether only the server knows if a value is null. Some types read the text `null` as JSON. */
function isUnclear({ type, schema }, value) {
  const isText = /^\??(any|enum|string)(\(|$)/.test(type) || readsJsonStrings(schema);
  return value instanceof Json || (value === "null" && !isText);
}

/** Returns the parameter that breaks a constraint, and what is expected of it; undefined if none is known to. */
function brokenConstraint(kind, all, valueOf) {
  const isGiven = (parameter) => valueOf(parameter) !== undefined;
  const given = all.filter(isGiven);
  const [first, second] = all;
  const missing = all.find((parameter) => !isGiven(parameter));
  const names = all.map(({ name }) => name);
  const list = `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
  switch (kind) {
    case "exactly_one":
      return given.length === 1 ? undefined : [given[1] ?? first, `exactly one of ${list}`];
    case "at_least_one":
      return given.length > 0 ? undefined : [first, `at least one of ${list}`];
    case "at_most_one":
      return given.length <= 1 ? undefined : [given[1], `at most one of ${list}`];
    case "together":
      return given.length === 0 || !missing ? undefined : [missing, `${list} together, or none of them`];
    case "requires":
      return isGiven(first) && missing ? [missing, `a value, because ${first.name} is given`] : undefined;
    case "less":
    case "at_most": {
      const order = given.length === 2 ? compare(ordered(first, valueOf(first)), ordered(second, valueOf(second))) : -1;
      const isBroken = kind === "less" ? order >= 0 : order > 0;
      return isBroken ? [first, `${kind === "less" ? "less than" : "at most"} ${second.name}`] : undefined;
    }
    case "equal": {
      const [known] = given;
      const other = given.find((parameter) => differ(known, valueOf(known), parameter, valueOf(parameter)));
      return other && [other, `the same value as ${known.name}`];
    }
    default:
      return undefined;
  }
}

/** Returns -1, 0 or 1 for two values of the function `ordered`; NaN if only the server can compare them. */
function compare(one, other) {
  if (one === undefined || other === undefined || one.length !== other.length) return NaN;
  // A bigint and a number can be equal.
  const n = one.findIndex((part, at) => part < other[at] || part > other[at]);
  return n < 0 ? 0 : one[n] < other[n] ? -1 : 1;
}

/** Returns the parts by which a value is ordered; undefined if only the server knows them. */
function ordered({ type, format, after }, value) {
  if (after !== undefined) return undefined;
  if (isExactNumber(type, value)) return [value];
  if (typeof value !== "string") return undefined;
  if (/^\??date$/.test(type) && /^\d{4}-\d\d-\d\d$/.test(value)) return [value, ""];
  // Without an offset, the time zone of the server counts.
  const moment = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/.exec(value);
  if (!/^\??datetime$/.test(type) || moment === null) return undefined;
  const [, date, time, fraction = "", offset] = moment;
  const seconds = Date.parse(`${date}T${time}${offset.toUpperCase()}`);
  return Number.isNaN(seconds) ? undefined : [seconds, format === "timestamp" ? "" : fraction.padEnd(9, "0")];
}

/** Returns whether a value is a number that the server reads with the same digits. */
function isExactNumber(type, value) {
  if (!/^\??(int|uint|float|id)(\(|$)/.test(type)) return false;
  if (typeof value === "bigint") return BigInt.asIntN(64, value) === value || BigInt.asUintN(64, value) === value;
  return typeof value === "number" && (Number.isSafeInteger(value) || !Number.isInteger(value));
}

/** Returns whether two values are different for the server, too. */
function differ(one, value, other, otherValue) {
  if ([one, other].some(({ after }) => after !== undefined)) return false;
  // A bigint and a number can be equal.
  if (isExactNumber(one.type, value) && isExactNumber(other.type, otherValue))
    return value < otherValue || value > otherValue;
  const isText = ({ type }, text) => typeof text === "string" && /^\??(string|enum|date)(\(|$)/.test(type);
  if (isText(one, value) && isText(other, otherValue)) return value !== otherValue;
  return typeof value === "boolean" && typeof otherValue === "boolean" && value !== otherValue;
}

/** Returns the error for a value that cannot be sent in the location of its parameter; undefined if it can be. */
export function unsendable(parameter, value) {
  const [text] = texts(parameter, value, false);
  const fail = (what) => new ArgumentError(parameter.name, what, summary(value));
  // URLs cannot express these as segments, and an empty segment means that the parameter is missing.
  if (parameter.place === "path" && /^\.{0,2}$/.test(text))
    return fail("a text that a path segment can be: not empty, . or ..");
  if (parameter.place === "header" && /[\0\r\n]|^[ \t]|[ \t]$/.test(text))
    return fail("a text that a header field can contain");
  if (parameter.place === "cookie" && /[\0-\x1f\x7f;]/.test(text)) return fail("a text that a cookie can contain");
  return undefined;
}

/**
 * Returns the request of a call.
 *
 * @param {string} base the URL of the base path of the API
 * @param {object} method one of `$methods`
 * @param {Map<object, unknown>} values the values by parameter, without the missing ones
 * @param {string} authorization the value of the header field `Authorization`; empty for an anonymous call
 */
export function request(base, method, values, authorization) {
  const { http } = method;
  const valuesIn = (place) => [...values].filter(([parameter]) => parameter.place === place);
  const one = (parameter, value) => texts(parameter, value, false)[0];
  const many = (parameter, value) => texts(parameter, value, true).map((text) => [parameter.wire, text]);
  const pair = ([parameter, value]) => [parameter.position ?? parameter.key, one(parameter, value)];
  const inPath = new Map(valuesIn("path").map(pair));
  const encode = (segment) => (segment.startsWith("{") ? percentEncode(inPath.get(segment) ?? "") : encodeSegment(segment));
  const path = segmentsOf(method.path).map(encode);
  // A missing position before another one is an empty segment.
  const last = Math.max(-1, ...[...inPath.keys()].filter(Number.isInteger));
  for (let n = 0; n <= last; n++) path.push(percentEncode(inPath.get(n) ?? ""));
  const query = valuesIn("query").flatMap(([parameter, value]) => many(parameter, value));
  const written = query.map((pair) => pair.map(percentEncode).join("=")).join("&");
  const start = path.length > 0 ? base.replace(/\/$/, "") : base;
  const url = [start, ...path].join("/") + (written && `?${written}`);

  const fieldsIn = (place) => valuesIn(place).map(([parameter, value]) => [parameter.wire, one(parameter, value)]);
  const [headers, cookies] = [fieldsIn("header"), fieldsIn("cookie")];
  if (authorization) headers.unshift(["Authorization", authorization]);
  const body = valuesIn("body");
  const [whole] = body.filter(([parameter]) => parameter.isWholeBody);
  if (whole && isFile(whole[1])) {
    const [, file] = whole;
    const isNamed = headers.some(([name]) => name.toLowerCase() === "content-disposition");
    if (file.name && !isNamed) headers.push(["Content-Disposition", disposition(file.name)]);
    headers.push(["Content-Type", file.type || "application/octet-stream"]);
    return { http, url, headers, cookies, file };
  }
  if (!whole && body.some(([, value]) => [value].flat().some(isFile))) {
    const files = (parameter, value) => [value].flat().map((file) => [parameter.wire, file]);
    // Null is the text `null` of a required parameter. Of an optional one, it means that the parameter is missing.
    const filled = body.filter(([parameter, value]) => value !== null || !parameter.optional);
    const parts = filled.flatMap(([one, value]) => ([value].flat().some(isFile) ? files : many)(one, value));
    return { http, url, headers, cookies, parts };
  }
  if (body.length === 0) return { http, url, headers, cookies };
  headers.push(["Content-Type", "application/json"]);
  const text = json(whole ? whole[1] : Object.fromEntries(body.map(([parameter, value]) => [parameter.wire, value])));
  return { http, url, headers, cookies, text };
}

/** Returns the value of `Content-Disposition` for a file that is the whole body (RFC 6266). */
function disposition(name) {
  const isPlain = /^[ !#-[\]-~]+$/.test(name);
  return `attachment; ${isPlain ? `filename="${name}"` : `filename*=UTF-8''${percentEncode(name)}`}`;
}

/** Percent-encodes all characters except those that RFC 3986 section 2.3 calls unreserved, as the server does. */
const percentEncode = (text) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);

/** Percent-encodes a segment of the definition, as the server does: without the characters that segments can contain.
    */
const encodeSegment = (text) => encodeURIComponent(text).replace(/%(24|26|2B|2C|3A|3B|3D|40)/g, decodeURIComponent);

const isFile = (value) =>
  (typeof Blob !== "undefined" && value instanceof Blob) || value instanceof ArrayBuffer || ArrayBuffer.isView(value);

/** Serializes a value as texts, as the OpenAPI document describes it. A list is repeated or joined by commas if the
    server then reads the same list, otherwise JSON. */
function texts({ schema, format, separator = "," }, value, repeats) {
  if (readsJsonStrings(schema)) return [json(value)];
  const text = (one) => (typeof one === "string" ? one : json(one).replace(/^"(.*)"$/s, (all) => JSON.parse(all)));
  // Items that can be null have two types. A list that contains null is sent as JSON.
  const types = [schema.items?.type].flat().filter((type) => type !== "null");
  const scalar = types.length === 1 && ["string", "integer", "number", "boolean"].includes(types[0]);
  const plain = Array.isArray(value) && value.length > 0 && scalar && !value.includes(null);
  if (!plain || format === "json") return [text(value)];
  const all = value.map(text);
  const split = format === "explode" || format === "list";
  const commas = split && separator === ",";
  if (repeats && !commas && all.length > 1) return all;
  if (!repeats && !commas) return [json(value)];
  const joined = all.join(separator);
  // The format `list` removes blanks around the items.
  const read = (part) => (format === "list" ? part.replace(/^[ \t]+|[ \t]+$/g, "") : part);
  const same = split ? joined.split(separator).every((part, n) => read(part) === all[n]) : all.length === 1;
  // The server reads texts that begin like JSON as JSON; spaces at the ends and dots would be lost in some locations.
  return same && !/^\.{0,2}$|^[\s\u0085[{]|[\s\u0085]$/.test(joined) ? [joined] : [json(value)];
}

/** Returns whether the server reads a string in JSON as this string: in a union of strings with arrays or objects. A
    string without quotes could there become a value of another type. */
export function readsJsonStrings({ oneOf, anyOf = [] }) {
  if (oneOf === undefined) return anyOf.some(readsJsonStrings);
  const kinds = oneOf.flatMap(kindsOf);
  return kinds.includes("string") && (kinds.includes("array") || kinds.includes("object"));
}

/** Returns a value as JSON. Numbers keep all of their digits, and -0 its sign. */
export function json(value) {
  if (value instanceof Json) return value.text;
  if (Object.is(value, -0)) return "-0";
  if (typeof value === "bigint") return String(value);
  // JSON.stringify replaces the last digits by zeros.
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return String(BigInt(value));
  if (Array.isArray(value)) return `[${value.map((item) => json(item)).join(",")}]`;
  if (value === null || typeof value !== "object" || typeof value.toJSON === "function")
    return JSON.stringify(value) ?? "null";
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${json(member)}`).join(",")}}`;
}

/**
 * Returns the reason why a value does not match a JSON Schema, as an ArgumentError; undefined if it matches. Supports
 * the keywords that the schemas of types have, except `format`: other keywords are left to the server.
 */
export function mismatch(schema, value, at) {
  if (value instanceof Json) return undefined;
  if (isInvalidDate(value)) return new ArgumentError(at, expected(schema), "an invalid Date");
  if (typeof value?.toJSON === "function") return mismatch(schema, value.toJSON(), at);
  const kind = jsonType(value);
  const fail = (what) => new ArgumentError(at, what ?? expected(schema), summary(value));
  if (kind === undefined) return fail("a JSON value or a file");
  if (schema.format === "binary") return kind === "file" ? undefined : fail("a file");
  const types = [schema.type ?? []].flat();
  if (types.length > 0 && !types.includes(kind) && !(kind === "integer" && types.includes("number"))) return fail();
  if (kind === "file") return fail("no file");
  const same = (one) => isSame(one, value) || typeof one === "object";
  if (schema.enum && !schema.enum.some(same)) return fail();
  if ("const" in schema && !same(schema.const)) return fail();
  if (schema.anyOf ?? schema.oneOf) {
    const wrong = unionMismatch(schema, value, kind, at);
    if (wrong) return wrong;
  }
  for (const inner of schema.allOf ?? []) {
    const wrong = missingOneOf(inner, value, kind, at) ?? mismatch(inner, value, at);
    if (wrong) return withMessage(wrong, inner["x-message"]);
  }
  const outside = (min, max, count) => count < schema[min] || count > schema[max];
  if (kind === "integer" || kind === "number") {
    if (value < rounded(schema.minimum, -1) || value > rounded(schema.maximum, 1)) return fail();
  } else if (kind === "string") {
    if (/\p{Cs}/u.test(value)) return fail("a string without lone surrogates");
    if (outside("minLength", "maxLength", [...value].length) || !matches(schema.pattern, value)) return fail();
  } else if (kind === "array") {
    if (outside("minItems", "maxItems", value.length)) return fail();
    return first(value, (item, n) => mismatch(schema.items ?? {}, item, `${at}[${n}]`));
  } else if (kind === "object") {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    const missing = (schema.required ?? []).find((name) => !members.some(([known]) => known === name));
    if (missing !== undefined)
      return new ArgumentError(`${at}.${missing}`, expected(schema.properties?.[missing] ?? {}), "nothing");
    if (outside("minProperties", "maxProperties", members.length)) return fail();
    const known = new Map(Object.entries(schema.properties ?? {}));
    const { additionalProperties: other = {}, propertyNames } = schema;
    return first(members, ([name, member]) => {
      const inside = `${at}.${name}`;
      if (other === false && !known.has(name))
        return new ArgumentError(inside, "no member with this name", summary(member));
      if (propertyNames && mismatch(propertyNames, name, inside))
        return new ArgumentError(inside, `a member whose name is ${expected(propertyNames)}`, summary(member));
      return mismatch(known.get(name) ?? other, member, inside);
    });
  }
  return undefined;
}

/** Returns whether a value is a constant of a schema. A bigint and a number can be equal. */
const isSame = (constant, value) =>
  constant === value || ([constant, value].every(isNumeric) && constant == value);

const isNumeric = (value) => typeof value === "number" || typeof value === "bigint";

/** Returns the value of the member by which the objects of a union are distinguished. */
function tagOf(value, member) {
  const written = Object.hasOwn(value, member) ? value[member] : undefined;
  return typeof written?.toJSON === "function" ? written.toJSON() : written;
}

/** Returns the branches of a union that a value can match, by its kind and by the tag of an object. */
function possibleBranches(schema, value) {
  const { branches, member } = unionOf(schema);
  const kind = value instanceof Date ? "string" : jsonType(value);
  if (kind !== "object" || member === undefined)
    return branches.filter(({ kinds }) => kinds.includes(kind === "integer" ? "number" : kind));
  return branches.filter(({ tags = [] }) => tags.some((tag) => isSame(tag, tagOf(value, member))));
}

/** Returns the error for a value that matches no branch of a union; undefined if it matches one. */
function unionMismatch(schema, value, kind, at) {
  const { branches, member } = unionOf(schema);
  const possible = possibleBranches(schema, value);
  if (kind === "object" && member !== undefined) {
    const constant = tagOf(value, member);
    // Only the server knows the value of a JSON text.
    if (constant instanceof Json) return undefined;
    if (possible.length === 0) {
      const known = branches.flatMap(({ tags = [] }) => tags).join(", ");
      const got = constant === undefined ? "nothing" : summary(constant);
      return new ArgumentError(`${at}.${member}`, `one of ${known}`, got);
    }
  }
  const fail = () => new ArgumentError(at, expected(schema), summary(value));
  if (possible.length !== 1) return possible.some((one) => !mismatch(one.schema, value, at)) ? undefined : fail();
  const wrong = mismatch(possible[0].schema, value, at);
  // The value as a whole could also be one of the other branches.
  return wrong?.parameter === at ? fail() : wrong;
}

/** The branches of each union that has been used. They are found once, because a union can contain itself. */
const UNIONS = new WeakMap();

/**
 * Returns the branches of a union, each with the kinds of its values, and the member by which objects of several
 * branches are distinguished: `tags` are its values in the objects of a branch.
 */
export function unionOf(schema) {
  if (!UNIONS.has(schema)) {
    const branches = (schema.anyOf ?? schema.oneOf).map((one) => ({ schema: one, ...valuesOfSchema(one) }));
    const objects = branches.filter(({ kinds }) => kinds.includes("object"));
    const tag = schema.discriminator?.propertyName;
    const names = tag === undefined ? Object.keys(objects[0]?.schema.properties ?? {}) : [tag];
    const member = objects.length > 1 ? names.find((name) => differsIn(name, objects)) : undefined;
    for (const one of member === undefined ? [] : objects) one.tags = constantsOf(one.schema, member);
    UNIONS.set(schema, { branches, member });
  }
  return UNIONS.get(schema);
}

/** Returns whether the objects of all branches have a member with constants that differ from those of the others. */
function differsIn(name, branches) {
  const lists = branches.map(({ schema }) => constantsOf(schema, name));
  return lists.every((list) => list !== undefined) && new Set(lists.flat()).size === lists.flat().length;
}

/** Returns the values of a required member in the objects of a schema; undefined if they are not constants. */
function constantsOf({ properties = {}, required = [], allOf = [] }, name) {
  const isRequired = Object.hasOwn(properties, name) && required.includes(name);
  const own = isRequired ? valuesOfSchema(properties[name]).constants : undefined;
  // The last schema adds the tag to a branch.
  return own ?? (allOf.length > 0 ? constantsOf(allOf.at(-1), name) : undefined);
}

/** The kinds of JSON values, which are the types of JSON Schema without `integer`. */
const KINDS = ["null", "boolean", "number", "string", "array", "object"];

/** Returns the kinds of the values that match a schema. */
export const kindsOf = (schema) => valuesOfSchema(schema).kinds;

/** Returns the kinds of the values that match a schema, and all values if they are constants. */
export function valuesOfSchema(schema) {
  const branches = (schema.anyOf ?? schema.oneOf)?.map(valuesOfSchema);
  if (branches) {
    const areConstants = branches.every(({ constants }) => constants !== undefined);
    const constants = areConstants ? branches.flatMap((one) => one.constants) : undefined;
    return { kinds: branches.flatMap(({ kinds }) => kinds), constants };
  }
  const kindOf = (type) => (type === "integer" ? "number" : type);
  const constants = "const" in schema ? [schema.const] : schema.enum;
  if (constants) return { kinds: constants.map((one) => kindOf(jsonType(one))), constants };
  // The parts of `allOf` describe objects with a tag.
  if (schema.type === undefined) return { kinds: schema.allOf ? ["object"] : KINDS };
  return { kinds: [schema.type].flat().map(kindOf) };
}

/** Returns the error for an object that has none of the members of which a constraint requires one. */
function missingOneOf({ anyOf, oneOf }, value, kind, at) {
  // Each branch requires one member that is not null.
  const names = (anyOf ?? oneOf ?? []).map(({ required = [], properties = {} }) =>
    required.length === 1 && properties[required[0]]?.not ? required[0] : undefined,
  );
  if (kind !== "object" || names.length === 0 || names.includes(undefined)) return undefined;
  if (names.some((name) => value[name] !== undefined && value[name] !== null)) return undefined;
  const list = `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
  return new ArgumentError(`${at}.${names[0]}`, `${anyOf ? "at least" : "exactly"} one of ${list}`, "nothing");
}

/** Returns the error with the message that the definition sets for a constraint. */
function withMessage(error, message) {
  if (message === undefined) return error;
  const { parameter, expected, got } = error;
  return new ArgumentError(parameter, expected, got, { message, errors: [{ parameter, expected, got, message }] });
}

function first(all, find) {
  for (const [n, one] of all.entries()) {
    const found = find(one, n);
    if (found) return found;
  }
  return undefined;
}

/** Widens a bound that the `JSON.parse` of a program may have rounded. `sign` is -1 for a minimum and 1 for a maximum.
    */
function rounded(bound, sign) {
  return Number.isInteger(bound) && !Number.isSafeInteger(bound)
    ? bound + sign * Math.abs(bound) * Number.EPSILON
    : bound;
}

function matches(pattern, text) {
  try {
    return pattern === undefined || new RegExp(pattern, "u").test(text);
  } catch {
    return true;
  }
}

/** Returns the JSON Schema type of a value, or "file"; undefined for a value that JSON does not have. */
function jsonType(value) {
  if (value === null) return "null";
  if (value instanceof Json) return jsonType(JSON.parse(value.text));
  if (isFile(value)) return "file";
  if (Array.isArray(value)) return "array";
  if (typeof value === "bigint" || Number.isInteger(value)) return "integer";
  if (typeof value === "number") return Number.isFinite(value) ? "number" : undefined;
  return ["string", "boolean", "object"].includes(typeof value) ? typeof value : undefined;
}

/** Describes a value without its text, which may be a secret. Dates and points in time have their text. */
function summary(value) {
  const isMoment = typeof value === "string" && /^\d{4}-\d\d-\d\d(T[\d:.]+Z)?$/.test(value);
  if (typeof value === "string") return isMoment ? value : `a string of ${[...value].length} characters`;
  if (Array.isArray(value)) return `an array of ${value.length} items`;
  if (isFile(value)) return "a file";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

/** Returns the words in which the schema of a date or a point in time describes its values, with its bounds; undefined
    for other schemas and without these words. */
export function momentWords({ pattern, description = "" }) {
  const [paragraph, words] = (pattern && /(?:^|\n\n)A (date(?: and time)? \(.*?)\.?$/.exec(description)) || [];
  if (words === undefined) return undefined;
  const [, min = words.match(/not before (\S+)/)?.[1], max = words.match(/not after (\S+)/)?.[1]] =
    /from (\S+) to (\S+)$/.exec(words) ?? [];
  return { words: `a ${words}`, paragraph, min, max };
}

/** Describes the values that match a schema, for a sentence such as "expected a string". */
export function expected(schema) {
  if (schema.enum) return `one of ${schema.enum.map(json).join(", ")}`;
  if ("const" in schema) return json(schema.const);
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches) {
    // A branch that accepts null besides other values says so itself.
    const acceptsNull = (one) => one.type !== "null" && kindsOf(one).includes("null");
    const others = branches.some(acceptsNull) ? branches.filter(({ type }) => type !== "null") : branches;
    const all = [...new Set(others.map(expected))];
    return all.length === 2 && all[1] === "null" ? all.join(" or ") : all.join(", or ");
  }
  if (schema.allOf && schema.type === undefined) return expected(schema.allOf[0]);
  if (schema.format === "binary") return "a file";
  const scalars = { integer: "a whole number", number: "a number", boolean: "true or false", string: "a string" };
  const names = { ...scalars, array: "an array", object: "an object", null: "null" };
  const types = [schema.type ?? []].flat();
  const what = types.filter((type) => type !== "null" || types.length === 1).map((type) => names[type] ?? type);
  const orNull = types.length > what.length ? " or null" : "";
  const range = (minKeyword, maxKeyword, unit) => {
    // As on the server, the bounds of 64 bits are only named if there are no others. A program may have rounded them.
    const shown = (name, ...bounds) => (bounds.includes(Number(schema[name])) ? undefined : schema[name]);
    const [min, max] = [shown(minKeyword, -(2 ** 63)), shown(maxKeyword, 2 ** 63, 2 ** 64)];
    if (min === undefined && max === undefined) return schema[minKeyword] === undefined ? "" : " of 64 bits";
    const counted = (number) => (unit ? `${number} ${unit}${Number(number) === 1 ? "" : "s"}` : number);
    if (min === undefined) return ` of at most ${counted(max)}`;
    if (max === undefined) return ` of at least ${counted(min)}`;
    if (!unit) return ` from ${min} to ${max}`;
    return Number(min) === Number(max) ? ` of ${counted(min)}` : ` of ${min} to ${counted(max)}`;
  };
  const sizes = [["minLength", "maxLength", "character"], ["minItems", "maxItems", "item"]];
  const counts = [["minimum", "maximum"], ...sizes, ["minProperties", "maxProperties", "member"]];
  const moment = momentWords(schema)?.words;
  if (moment) return moment + orNull;
  const readable = schema.pattern?.length <= 80 ? ` that matches ${schema.pattern}` : "";
  const described = schema.pattern && schema.description ? ` (${schema.description})` : "";
  const pattern = schema.format ? ` (${schema.format})` : readable || described;
  return (what.join(" or ") || "a value") + counts.map((count) => range(...count)).join("") + pattern + orNull;
}

/** Returns the value of the header field `Authorization`; empty for an anonymous call. */
async function authorizationOf({ token, basic }) {
  const bearer = typeof token === "function" ? await token() : token;
  if (bearer) return `Bearer ${bearer}`;
  if (!basic) return "";
  // The server would take what follows the first colon for the password (RFC 7617 section 2).
  if (basic.name.includes(":")) throw new RulebookError("the name in the option basic contains a colon");
  return basicCredentials(`${basic.name}:${basic.password}`);
}

/** Returns the value of `Authorization` for a name and a password, which a colon separates (RFC 7617). */
export function basicCredentials(text) {
  return `Basic ${btoa(utf8(text))}`;
}

/** The maximum time in milliseconds between a response and the next try. A server that asks for more gets no other try.
    */
const MAX_PAUSE = 60_000;

/** Sends a request like `sendAndRead`. If there is no response, or if the status is 429 or 503, sends it again, at most
    `retry` times. A request that may have run the method is sent again only if the method does not then run again: with
    an idempotency key, or if its HTTP method is idempotent (RFC 9110 section 9.2.2). */
async function sendAndRetry(message, options, download, hasKey) {
  const isIdempotent = hasKey || ["GET", "PUT", "DELETE"].includes(message.http);
  for (let tries = 0; ; tries += 1) {
    const isLast = tries >= (options.retry ?? 0);
    let pause = 250 * 2 ** tries * (1 + Math.random());
    try {
      const result = await sendAndRead(message, options, download);
      const { status, headers } = result.response;
      const isBusy = status === 429 || (status === 503 && isIdempotent);
      const after = headers.get("Retry-After");
      if (after !== null) pause = /^\d+$/.test(after) ? after * 1000 : Math.max(Date.parse(after) - Date.now(), 0);
      if (isLast || !isBusy || !(pause <= MAX_PAUSE)) return result;
    } catch (error) {
      if (isLast || !isIdempotent || !(error instanceof NetworkError)) throw error;
    }
    await waitFor(pause, options.signal);
  }
}

/** Waits for a number of milliseconds. Fails if the signal is aborted. */
function waitFor(time, signal) {
  return new Promise((done, fail) => {
    const stop = () => {
      clearTimeout(timer);
      fail(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      done();
    }, time);
    onAbort(signal, stop);
  });
}

/** Calls a function when a signal is aborted: at once if it already is. */
function onAbort(signal, stop) {
  if (signal?.aborted) stop();
  else signal?.addEventListener("abort", stop, { once: true });
}

/**
 * Sends a request and reads the response as JSON. If the response is a file (`download`), its body is not read.
 * Fails if the signal is aborted or the timeout has passed.
 */
async function sendAndRead(message, options, download = false) {
  const { signal, timeout, parse = JSON.parse } = options;
  const ended = new AbortController();
  const stop = () => ended.abort(signal.reason);
  const late = () => ended.abort(new DOMException(`no response within ${timeout} ms`, "TimeoutError"));
  const timer = timeout === undefined ? undefined : setTimeout(late, timeout);
  onAbort(signal, stop);
  let left = false;
  try {
    const response = await send(message, { ...options, signal: ended.signal });
    left = download && (response.ok || response.status === 304);
    return { response, body: left ? undefined : parseBody(await response.text(), response, message.url, parse) };
  } catch (error) {
    if (ended.signal.aborted) throw ended.signal.reason;
    throw error instanceof RulebookError ? error : noResponse(message, error);
  } finally {
    clearTimeout(timer);
    if (!left) signal?.removeEventListener("abort", stop);
  }
}

/** Returns the error of a request without a response: its URL, the reason, and what the caller can do. */
function noResponse({ http, url }, cause) {
  const reason = [cause?.cause?.code, cause?.cause?.message ?? cause?.message].filter(Boolean).join(" ");
  const page = globalThis.location?.origin;
  // Browsers hide the reason from pages of other origins.
  const isOtherOrigin = page !== undefined && page !== "null" && new URL(url).origin !== page;
  const help = isOtherOrigin
    ? `If the server is running, it does not allow pages of ${page} to call it: add "${page}" to "origins" of "cors" in app.json.`
    : "Check that the server is running and that the URL is correct.";
  return new NetworkError(`there is no response to ${http} ${withoutQuery(url)} (${reason || "unknown reason"}). ${help}`, {
    cause,
    url: String(url),
  });
}

/** Returns a URL for a message. Its query may contain secrets. */
function withoutQuery(url) {
  return String(url).split(/[?#]/)[0];
}

/** Parses the body of a response. An error that is not JSON, such as that of a proxy, is returned as text. */
function parseBody(text, response, url, parse) {
  if (text === "") return null;
  try {
    return parse(text);
  } catch (cause) {
    if (!response.ok) return text;
    const type = response.headers.get("Content-Type") ?? "no type";
    const what = `the response of ${withoutQuery(url)} is not JSON but ${type}: it begins with ${JSON.stringify(text.slice(0, 40))}`;
    throw new NetworkError(`${what}. Check that the URL is that of the API.`, { cause, url: String(url) });
  }
}

/** Sends a request. `onProgress` is called with the number of bytes that have been sent. */
export function send({ http, url, headers, cookies, parts, text, file }, { signal, onProgress, credentials, ...more } = {}) {
  const cookie =
    cookies.length > 0 ? [["Cookie", cookies.map(([name, value]) => `${name}=${cookieValue(value)}`).join("; ")]] : [];
  const all = new Headers([...headers, ...cookie].map(([name, value]) => [name, utf8(value)]));
  new Headers(more.headers).forEach((value, name) => all.set(name, value));
  let body = text ?? file;
  if (parts) {
    const boundary = `rulebook${[1, 2, 3].map(() => Math.random().toString(36).slice(2)).join("")}`;
    all.set("Content-Type", `multipart/form-data; boundary=${boundary}`);
    body = multipart(parts, boundary);
  }
  const options = { method: http, headers: all, body, signal, credentials };
  if (body === undefined || !onProgress) return (more.fetch ?? fetch)(url, options);
  if (typeof XMLHttpRequest !== "undefined") return sendWithProgress(url, options, onProgress);
  let sent = 0;
  const whole = new Blob([body]);
  const transform = (chunk, to) => {
    to.enqueue(chunk);
    onProgress({ sent: (sent += chunk.byteLength), total: whole.size });
  };
  const stream = whole.stream().pipeThrough(new TransformStream({ transform }));
  return (more.fetch ?? fetch)(url, { ...options, body: stream, duplex: "half" });
}

/** Returns a multipart body. Files are only read while it is sent. */
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

/** Works like fetch, which does not report the progress of uploads in browsers. */
function sendWithProgress(url, { method, headers, body, signal, credentials }, onProgress) {
  return new Promise((done, fail) => {
    const xhr = new XMLHttpRequest();
    xhr.open(method, url);
    headers.forEach((value, name) => xhr.setRequestHeader(name, value));
    xhr.withCredentials = credentials === "include";
    xhr.responseType = "blob";
    xhr.upload.onprogress = ({ loaded, total }) => onProgress({ sent: loaded, total });
    xhr.onload = () => {
      const { status, statusText, response } = xhr;
      const lines = xhr.getAllResponseHeaders().trim().split("\r\n");
      const fields = lines.map((line) => line.split(/: ?(.*)/s, 2));
      const empty = [204, 205, 304].includes(status);
      done(new Response(empty ? null : response, { status, statusText, headers: fields }));
    };
    xhr.onerror = () => fail(new TypeError("the request failed"));
    xhr.onabort = () => fail(signal.reason);
    if (signal.aborted) return fail(signal.reason);
    signal.addEventListener("abort", () => xhr.abort(), { once: true });
    xhr.send(body);
  });
}

/** Returns a text as a string with a character for each byte of its UTF-8, as header values need it. */
export function utf8(text) {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

/** Returns the value of a cookie, in quotes if it would otherwise lose quotes or spaces at its ends. */
export function cookieValue(text) {
  return /^["\s]|["\s]$/.test(text) ? `"${text}"` : text;
}

/** Requests a URL as a JSONP script, which a page of any origin may do. Returns the body. */
function jsonp(url, { signal, timeout }) {
  if (typeof document === "undefined") throw new RulebookError("JSONP only works in a page");
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
    const late = () => end(fail, new DOMException(`no response within ${timeout} ms`, "TimeoutError"));
    const timer = timeout === undefined ? undefined : setTimeout(late, timeout);
    waiting[name] = (body) => end(done, body);
    script.onerror = () => end(fail, noResponse({ http: "GET", url }, new Error("the script cannot be loaded")));
    // The script runs before its load event.
    script.onload = () =>
      end(fail, new NetworkError(`the response of ${withoutQuery(url)} is not JSONP`, { url: String(url) }));
    script.src = `${url}${url.includes("?") ? "&" : "?"}callback=rulebookAnswers.${name}`;
    script.referrerPolicy = "no-referrer";
    if (signal?.aborted) return stop();
    signal?.addEventListener("abort", stop, { once: true });
    document.head.append(script);
  });
}

/** The decoding of an envelope that does not describe its bodies. */
const UNKNOWN = { outputs: { in: "unknown" }, hides_errors: false, error: { message: ["message"], parameters: "errors" } };

/** The decoding of problem documents (RFC 9457), which every envelope sends to clients that only accept them. */
const PROBLEM = {
  ...UNKNOWN,
  error: { code: "code", name: "code", message: ["detail", "title"], parameters: "errors", status: "status" },
};

/** Returns the outputs in a response, or throws the error in it. `inScript` is true for JSONP. */
export function outputs({ module: { decodings }, out }, response, body, inScript) {
  const [decoding] = decodings;
  if (!response.ok || isHiddenError(decoding, body, inScript)) throw apiError(response, body, decodings);
  const whole = "*" in out;
  const location = decoding.outputs;
  if (location.in === "members") {
    if (whole) return body?.[location.whole];
    // In a script, the body also has the HTTP status.
    const others = [...location.except, ...(inScript ? [decoding.error.status] : [])];
    return Object.fromEntries(Object.entries(body ?? {}).filter(([name]) => !others.includes(name)));
  }
  if (location.in === "member") {
    const value = body?.[location.member];
    // PHP writes an empty object as a list.
    return !whole && Array.isArray(value) ? {} : value;
  }
  return body ?? (whole ? body : {});
}

/** Returns whether a response with the status of a success is an error: in a script, or if the envelope hides errors.
    */
function isHiddenError({ success, hides_errors, error }, body, inScript) {
  if (!inScript && !hides_errors) return false;
  if (success) return mismatch(success.schema, body, "body") !== undefined;
  return error.schema !== undefined && mismatch(error.schema, body, "body") === undefined;
}

/** Returns the error in a response. An error may be in the envelope of the method or in that of the API. */
export function apiError(response, body, decodings) {
  const members = typeof body === "object" && body !== null ? body : {};
  const isProblem = response.headers?.get("Content-Type")?.startsWith("application/problem+json");
  const isIn = ({ error }) => error.schema && mismatch(error.schema, members, "body") === undefined;
  const undescribed = () => decodings.find(({ error }) => !error.schema) ?? UNKNOWN;
  const { error } = isProblem ? PROBLEM : (decodings.find(isIn) ?? undescribed());
  const member = (name) => (name === undefined ? undefined : members[name]);
  const status = (response.ok ? member(error.status) : undefined) ?? response.status;
  const message = error.message.map(member).find((text) => typeof text === "string");
  const code = member(error.code ?? error.status);
  const [declared, errors] = [member(error.name), member(error.parameters)];
  const text = message ?? `${response.status} ${response.statusText}`;
  return new ApiError(status, { message: text, code, declared, errors }, body);
}

/** Returns the file name in a Content-Disposition field (RFC 6266); null without one. */
export function fileName(disposition) {
  const [, encoded] = /;\s*filename\*=UTF-8''([^;\s]+)/i.exec(disposition) ?? [];
  try {
    if (encoded) return decodeURIComponent(encoded);
  } catch {
    // Falls back to the other parameter.
  }
  const [, quotedName, token] = /;\s*filename=(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/i.exec(disposition) ?? [];
  return quotedName?.replace(/\\(.)/g, "$1") ?? token ?? null;
}
