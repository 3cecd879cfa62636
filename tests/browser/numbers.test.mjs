// No digit of a number is lost: in the parser of the client, in the definition that it reads, in the documents of the
// server, and in a form, which shows and sends the numbers of the definition, and shows those of responses.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { browser, rulebook as client, serve, watched } from "./support.mjs";

const { ArgumentError, Json, json, parseExactly, rulebook } = client;

/** Numbers as JSON texts that the server writes in the same way, with a type that accepts them. */
const NUMBERS = [
  ["int", "9007199254740993"],
  ["int", "-9223372036854775808"],
  ["uint", "18446744073709551615"],
  ["int", "7"],
  ["float", "0.1234567890123456"],
  ["float", "-0.0"],
  ["float", "2.0"],
  ["float", "1e+18"],
  ["float", "1e+22"],
  ["float", "1.7976931348623157e+308"],
  ["float", "5e-324"],
];

/** The types of values that contain a number of a type, each with the JSON text of such a value. */
const SHAPES = {
  number: (type, text) => [{ type }, text],
  array: (type, text) => [{ type: `array<${type}>` }, `[${text},1]`],
  rows: (type, text) => [{ type: `array<array<${type}>>` }, `[[${text}],[]]`],
  map: (type, text) => [{ type: `map<${type}>` }, `{"a b":${text}}`],
  object: (type, text) => [{ type: "object", fields: { n: { info: "x", type } } }, `{"n":${text}}`],
  any: (_, text) => [{ type: "any" }, text],
  inner: (_, text) => [{ type: "any" }, `{"a":[${text},{"b":${text}}]}`],
  union: (type, text) => [{ type: "union", of: ["bool", type] }, text],
  branches: (type, text) => [{ type: "union", of: ["string", `array<${type}>`] }, `[${text}]`],
};

/** The methods whose parameter is in one part of the request. */
const PLACES = {
  path: (own) => ["GET", { "{v}": { ...own, name: "v" } }, "/{v}"],
  query: (own) => ["GET", { "GET@v": { ...own, name: "v" } }],
  header: (own) => ["GET", { "HEADER@V": { ...own, name: "v" } }],
  body: (own) => ["POST", { v: own }],
  whole: (own) => ["POST", { "*": { ...own, name: "v" } }],
  form: (own) => ["POST", { v: own, file: { info: "x", type: "?file" } }],
};

/** Serves a definition, which is a JSON text, so that it contains numbers as they are written. */
async function served(t, text) {
  const api = await mkdtemp(join(tmpdir(), "rulebook-api-"));
  t.after(() => rm(api, { recursive: true }));
  await writeFile(join(api, "numbers.json"), text);
  return (await serve(t, { api, flags: ["--unbound", "echo"] })).url;
}

/** Returns a method for each number, shape and part of a request. The number is in the example of its parameter, or in
    the default if the parameter is not in the path. */
function methods(key) {
  return NUMBERS.flatMap(([type, text], n) =>
    Object.entries(SHAPES).flatMap(([shape, of]) =>
      Object.entries(PLACES).map(([place, at]) => {
        const [own, value] = of(type, text);
        const isOptional = key === "default" && place !== "path";
        const [http, inputs, more = ""] = at({ info: "x", ...own, [isOptional ? key : "example"]: "VALUE" });
        const id = `${place}.${shape}.${n}`;
        const path = `${place}-${shape}-${n}${more}`;
        const method = JSON.stringify({ id, info: "x", in: inputs }).replace('"VALUE"', value);
        return { id, path, isOptional, value, definition: `${JSON.stringify(path)}:{"${http}":${method}}` };
      }),
    ),
  );
}

const tree = (all) => `{"module":"m","/":{${all.map(({ definition }) => definition).join(",")}}}`;

test("parsed numbers keep all of their digits", () => {
  const cases = [
    ["0", 0],
    ["-0", -0],
    ["-0.0", -0],
    ["1.50", 1.5],
    ["1e3", 1000],
    ["0.1", 0.1],
    ["9007199254740991", 9007199254740991],
    ["9007199254740993", 9007199254740993n],
    ["-18446744073709551615", -18446744073709551615n],
    ["9223372036854775808", 9223372036854775808n],
    ["1e22", 1e22],
    ["0.12345678901234567890", new Json("0.12345678901234567890")],
    ["9007199254740993.0", new Json("9007199254740993.0")],
    ["1e400", new Json("1e400")],
    ["1e-400", new Json("1e-400")],
    ["-1.00000000000000000001E-5", new Json("-1.00000000000000000001E-5")],
  ];
  for (const [text, value] of cases) {
    assert.deepEqual(parseExactly(text), value, text);
    const inside = `{"1e400":"${text}","s\\"${text}":[${text},"\\\\",${text}],"__proto__":null}`;
    const parsed = parseExactly(inside);
    assert.deepEqual([parsed["1e400"], parsed[`s"${text}`]], [text, [value, "\\", value]]);
    assert.ok(Object.hasOwn(parsed, "__proto__"));
    assert.equal(json(parseExactly(inside, () => false)), inside);
  }
  for (const text of ["01", "1.", "-", "+1", ".5", "1e", "0x1", "1e400 1", "[1e400,]", '"1e400', "9007199254740993n"])
    assert.throws(() => parseExactly(text), SyntaxError, text);
  const long = "1".repeat(100_000);
  assert.equal(parseExactly(`[${long}.${long}]`)[0].text, `${long}.${long}`);
  const [string] = parseExactly(`["${"\\u00e9x".repeat(2_000_000)}"]`);
  assert.equal(string.length, 4_000_000);
});

test("arguments that are large numbers are sent with all digits", () => {
  const written = "[9223372036854775808,-18446744073709551616,100000000000000000000,1e+21,-0,0.1]";
  assert.equal(json([2 ** 63, -(2 ** 64), 1e20, 1e21, -0, 0.1]), written);
});

test("the client knows the exact bounds, defaults and examples of the definition", async (t) => {
  const values = '"min":9007199254740993,"max":9007199254740995,"default":9007199254740993,"example":9007199254740995';
  const others = '"u":{"info":"x","type":"?uint"},"f":{"info":"x","type":"?int","min":5}';
  const inputs = `{"v":{"info":"x","type":"?int",${values}},${others}}`;
  const url = await served(t, `{"module":"m","/":{"a":{"POST":{"id":"a","info":"x","in":${inputs}}}}}`);
  const api = await rulebook(url, { parse: parseExactly });
  const [{ parameters }] = api.$methods;
  const { schema, default: preset, example } = parameters[0];
  assert.deepEqual([schema.minimum, schema.maximum], [9007199254740993n, 9007199254740995n]);
  assert.deepEqual([preset, example], [9007199254740993n, 9007199254740995n]);
  assert.equal((await api.a({ v: 9007199254740994n })).args.v, 9007199254740994);
  assert.equal((await api.a({ v: 9007199254740995n })).args.v, 9007199254740995n);
  for (const args of [{ v: 9007199254740992n }, { v: 9007199254740996 }, { u: -1 }, { u: 1.5 }, { f: 4 }]) {
    const ofClient = await api.a(args).catch((error) => error);
    const ofServer = await api.a(args, { check: false }).catch((error) => error);
    assert.ok(ofClient instanceof ArgumentError);
    assert.equal(ofClient.expected, ofServer.errors[0].expected);
  }
  // A stored definition can be rounded, and then the server decides about the values at the bounds.
  const stored = await rulebook(url, { definition: JSON.parse(JSON.stringify(await client.definition(url))) });
  assert.equal((await stored.a({ v: 9007199254740995n })).args.v, Number("9007199254740995"));
});

test("forms show, send and return the numbers of the definition", async (t) => {
  const chromium = await browser(t);
  for (const key of ["example", "default"]) {
    const all = methods(key);
    const url = await served(t, tree(all));
    const { page, problems } = await watched(t, chromium, url);
    await page.goto(`${url}docs/`);
    const results = await page.evaluate(callAll, all.map(({ id, path }) => [id, `/${path}`]));
    for (const [n, { id, isOptional, value }] of all.entries()) {
      const { shown, placeholder, message, status, received, response } = results[n];
      if (isOptional) assert.ok([placeholder, shown].some((one) => one.includes(`${value} (default)`)), `${id}: ${shown}`);
      else for (const number of value.match(/-?\d[\d.eE+-]*/g)) assert.ok(shown.includes(number), `${id}: ${shown}`);
      assert.equal(status, "200 OK", `${id}: ${received}`);
      assert.equal(response.replace(/\n *|(?<=:) /g, ""), received, id);
      if (isOptional) continue;
      for (const number of value.match(/-?\d[\d.eE+-]*/g)) assert.ok(message.includes(number), `${id}: ${message}`);
    }
    assert.deepEqual(problems, []);
    for (const { id, value } of all.filter(({ id }) => id.startsWith("query.number"))) {
      const text = await (await fetch(`${url}docs/methods/${id}`)).text();
      assert.ok(text.includes(`<bdi>${value}</bdi>`), `${id}: ${text}`);
    }
    const described = [fetch(`${url}openapi.json`), fetch(url, { method: "OPTIONS" })];
    for (const response of await Promise.all(described)) {
      const text = await response.text();
      const numbers = text.replace(/"(?:[^"\\]|\\.)*"/g, "").split(/[^\d.eE+-]+/);
      for (const [, number] of NUMBERS) assert.ok(numbers.includes(number), number);
    }
  }
});

/** Sends the forms of methods as they are, in the page: returns what each shows, sends and receives. */
async function callAll(methods) {
  const { form } = await import("./form.js");
  const { Scheme } = await import("./credential.js");
  const { h } = await import("./element.js");
  const { fetch } = globalThis;
  const results = [];
  for (const [id, path] of methods) {
    let message;
    const onChange = (call) => ({ message } = call());
    const [button, status, response] = ["button", "p", "div"].map((name) => h(name));
    // The form of a method that changes nothing begins with all examples, and a key can send it.
    const nothing = { words: () => undefined, values: {}, examples: {}, onCalled: () => {}, isSafe: true };
    const options = { ...nothing, button, status, response, onChange };
    const element = await form(new URL("../", location.href), id, path, new Scheme(), options);
    const inputs = [...element.querySelectorAll("input, textarea, select")];
    const [input] = inputs;
    const file = inputs.find(({ type }) => type === "file");
    if (file) {
      const files = new DataTransfer();
      files.items.add(new File(["x"], "x"));
      file.files = files.files;
    }
    let received;
    globalThis.fetch = async (...request) => {
      const response = await fetch(...request);
      received = await response.clone().text();
      return response;
    };
    document.body.append(element);
    element.requestSubmit();
    const refused = element.querySelector("[aria-invalid=true]");
    if (refused) throw new Error(`${id}: the form refuses ${refused.value}`);
    await new Promise((done) => {
      const isShown = () => status.querySelector("strong") && response.querySelector("pre.json");
      const observer = new MutationObserver(() => isShown() && done(observer.disconnect()));
      for (const place of [status, response]) observer.observe(place, { childList: true, subtree: true });
    });
    globalThis.fetch = fetch;
    const { url, headers, text = "", parts = [] } = message;
    const all = [decodeURIComponent(url), ...[...headers, ...parts].map(([, value]) => value), text];
    results.push({
      shown: [...inputs.map((one) => one.value), element.textContent].join("\n"),
      placeholder: input?.placeholder ?? "",
      message: all.join("\n"),
      status: status.querySelector("strong").textContent,
      received,
      response: response.querySelector("pre.json").textContent,
    });
    element.remove();
  }
  return results;
}
