// The client sends every value that a type accepts, and the server receives the same value: for the recorded cases of
// all types, and for all kinds of parameters.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { rulebook as client, serve, top } from "./support.mjs";

const { ArgumentError, mismatch, parseExactly: exact, rulebook } = client;

/** Serves a definition whose methods echo their arguments as the server has checked them. */
async function echo(t, definition) {
  const api = await mkdtemp(join(tmpdir(), "rulebook-api-"));
  t.after(() => rm(api, { recursive: true }));
  const text = JSON.stringify(definition, (_, value) => (typeof value === "bigint" ? `big ${value}` : value));
  await writeFile(join(api, "echo.json"), text.replace(/"big (-?\d+)"/g, "$1"));
  return (await serve(t, { api, flags: ["--unbound", "echo"] })).url;
}

/** Compares values; numbers and BigInts are equal if their values are. */
function same(one, other) {
  const plain = (_, value) => (typeof value === "bigint" ? Number(value) : Object.is(value, -0) ? 0 : value);
  return JSON.stringify(one, plain) === JSON.stringify(other, plain);
}

const shown = (value) => JSON.stringify(value, (_, one) => (typeof one === "bigint" ? `${one}n` : one));

/** Returns whether a value arrives as text in a query, since its type accepts anything. */
function isTextInQuery({ type, anyOf }) {
  return type === undefined && anyOf === undefined;
}

/** Returns whether JavaScript writes a float from 2^53 as an integer, such as 1e18: the server reads another value. */
function isWrittenAsInteger(value) {
  return Number.isInteger(value) && !Number.isSafeInteger(value) && /^-?\d+$/.test(JSON.stringify(value));
}

const cases = exact(await readFile(join(top, "crates/rulebook-model/tests/data/types/cases.json"), "utf8"));

test("the client sends exactly the values that a type accepts", async (t) => {
  const terms = cases.filter(({ error, json, term }) => !error && json && !/file/i.test(term));
  assert.ok(terms.length > 70, `${terms.length} terms`);
  const paths = terms.map(({ term, attributes = {} }, n) => [
    `c${n}`,
    {
      POST: { info: "In a body", in: { v: { info: "x", type: term, ...attributes } } },
      GET: { info: "In a query", in: { "GET@v": { info: "x", name: "v", type: term, ...attributes } } },
    },
  ]);
  const api = await rulebook(await echo(t, { "/": Object.fromEntries(paths) }), { parse: exact });
  let sent = 0;
  for (const [n, { term, attributes, json }] of terms.entries()) {
    const { get, post } = api[`c${n}`];
    const { $methods } = api;
    const { schema } = $methods.find(({ id }) => id === `c${n}.post`).parameters[0];
    const what = (value) => `${term} ${shown(attributes ?? {})}: ${shown(value)}`;
    const isText = isTextInQuery(schema);
    for (const [value, becomes] of [...(json.passes ?? []).map((one) => [one, one]), ...(json.becomes ?? [])]) {
      assert.equal(mismatch(schema, value, "v"), undefined, what(value));
      const { args } = await post({ v: value });
      assert.ok(same(args.v, becomes), `${what(value)} became ${shown(args.v)}`);
      sent += 1;
      // No text in a query is a value of the type `null`.
      if (isText || term === "null") continue;
      const { args: there } = await get({ v: value });
      assert.ok(same(there.v, becomes), `in a query, ${what(value)} became ${shown(there.v)}`);
    }
    for (const value of (json.refused ?? []).filter((one) => !isWrittenAsInteger(one))) {
      await assert.rejects(
        post({ v: value }),
        (error) => error instanceof ArgumentError || error.status === 400,
        what(value),
      );
    }
  }
  assert.ok(sent > 150, `${sent} values`);
});

test("values of parameters in every location arrive unchanged", async (t) => {
  const info = "x";
  const types = {
    text: "?string",
    whole: "?int",
    wide: "?uint",
    number: "?float",
    yes: "?bool",
    texts: "?array<string>",
    wholes: "?array<int>",
    nested: "?array<array<string>>",
    object: "?object",
  };
  const lists = Object.entries(types).map(([name, type]) => [name, { info, type, name }]);
  lists.push(["split", { info, type: "?array<string>", name: "split", format: "explode", separator: ";;" }]);
  lists.push(["json", { info, type: "?array<string>", name: "json", format: "json" }]);
  const from = (key) => Object.fromEntries(lists.map(([name, one]) => [key(name), one]));
  const method = (key) => ({ info, in: from(key) });
  const positions = Object.fromEntries(lists.map(([, one], n) => [`URL#${n}`, one]));
  const file = { info, type: "?file", name: "file" };
  const tree = {
    body: { POST: method((name) => name), GET: method((name) => name), DELETE: method((name) => `ANY@${name}`) },
    query: { GET: method((name) => `GET@${name}`), POST: method((name) => `GET@${name}`) },
    header: { GET: method((name) => `HEADER@X-${name}`) },
    cookie: { GET: method((name) => `COOKIE@${name}`) },
    path: { GET: { info, in: positions } },
    form: { POST: { info, in: { ...from((name) => name), file } } },
    "a b/{text}/ü": { GET: { info, in: { "{text}": { info, type: "string" } } } },
  };
  const api = await rulebook(await echo(t, { "/": tree }), { parse: exact });
  const unnamed = { header: { GET: { info, in: { "HEADER@X-Text": { info, type: "string" } } } } };
  const named = await rulebook(await echo(t, { "/": unnamed }));
  const odd = [
    "a",
    " a ",
    "",
    "12",
    "true",
    "null",
    "[1",
    "[1]",
    '{"a":1}',
    'a&b=c+d%20#?/\\"',
    "ü 你 😀",
    "a;;b",
    "a,b",
    ";",
  ];
  const values = [
    ...odd.map((one) => ["text", one]),
    ...[0, -1, 9007199254740993n, -9223372036854775808n].map((one) => ["whole", one]),
    ["wide", 18446744073709551615n],
    ...[0.5, -0, 1e21, 1e-7, 1.7976931348623157e308].map((one) => ["number", one]),
    ...[true, false].map((one) => ["yes", one]),
    ...["texts", "split", "json"].flatMap((name) =>
      [[], ["a", "b"], odd, ...odd.map((one) => [one])].map((one) => [name, one]),
    ),
    ...[[], [1], [1, -2, 9007199254740993n]].map((one) => ["wholes", one]),
    ...[[], [[]], [["a"], ["[b"]]].map((one) => ["nested", one]),
    ...[{}, { a: { "b c": [1, null, "ü"] } }].map((one) => ["object", one]),
  ];
  const calls = {
    "a body": api.body.post,
    "a query": api.query.get,
    "a query of POST": api.query.post,
    "query or body, GET": api.body.get,
    "query or body, DELETE": api.body.delete,
    "a header field": api.header.get,
    "a cookie": api.cookie.get,
    "the path": api.path.get,
    "a form": (args) => api.form.post({ ...args, file: new Blob(["x"]) }),
  };
  const cannot = {
    "a header field": (name, value) => name === "text" && /^[ \t]|[ \t]$/.test(value),
    "a cookie": (_, value) => /;/.test(shown(value)),
    "the path": (_, value) => value === "",
  };
  for (const [where, call] of Object.entries(calls)) {
    for (const [name, value] of values) {
      const what = `${where}: ${name} ${shown(value)}`;
      if (cannot[where]?.(name, value)) {
        await assert.rejects(call({ [name]: value }), ArgumentError, what);
        continue;
      }
      const { args } = await call({ [name]: value });
      assert.ok(same(args[name], value), `${what} became ${shown(args[name])}`);
      const others = Object.keys(args).filter((other) => ![name, "file"].includes(other) && args[other] !== null);
      assert.deepEqual(others, [], what);
    }
  }
  for (const text of odd.filter((one) => one !== "")) {
    const { args } = await api["a b"]["{text}"]["ü"].get({ text });
    assert.equal(args.text, text);
  }
  for (const text of ["", ".", ".."]) await assert.rejects(api["a b"]["{text}"]["ü"].get({ text }), ArgumentError);
  await assert.rejects(api.body.post({ text: "\ud800" }), ArgumentError);
  const bare = await api.form.post({ texts: ["a"] });
  assert.deepEqual([bare.args.texts, bare.args.file], [["a"], null], "a form without its file");
  for (const name of ["header@x-TEXT", "HEADER@X-text", "x-TEXT"]) {
    assert.equal((await named["header"].get({ [name]: "a" })).args["X-Text"], "a", name);
  }
  const { args } = await api.path.get({ number: 2.5, yes: true });
  assert.deepEqual([args.text, args.number, args.yes], [null, 2.5, true], "what is left out in front is left empty");
});

test("strings and null keep their types in unions outside of a body", async (t) => {
  const info = "x";
  const mixed = { info, type: "?union", name: "mixed", of: ["string", "int", "array<int>"] };
  const nullable = { info, type: "union", name: "nullable", of: ["null", "bool"] };
  const inputs = (prefix) => ({ [`${prefix}mixed`]: mixed, [`${prefix}nullable`]: nullable });
  const paths = { query: "GET@", header: "HEADER@X-", cookie: "COOKIE@" };
  const tree = Object.entries(paths).map(([path, prefix]) => [path, { GET: { info, in: inputs(prefix) } }]);
  const file = { info, type: "?file" };
  tree.push(["form", { POST: { info, in: { ...inputs(""), optional: { info, type: "?union", of: ["null", "bool"] }, file } } }]);
  tree.push(["path", { GET: { info, in: { "URL#0": nullable, "URL#1": mixed } } }]);
  const api = await rulebook(await echo(t, { "/": Object.fromEntries(tree) }));
  const texts = ["7", "[1]", "", " x ", "null", "true", "abc", '"', '{"a":1}', "ü"];
  for (const [path] of tree) {
    const isForm = path === "form";
    const call = isForm ? api.form.post : api[path].get;
    for (const value of [...texts, 7, [1]]) {
      const { args } = await call({ mixed: value, nullable: null, ...(isForm && { file: new Blob(["x"]) }) });
      assert.deepEqual([args.mixed, args.nullable], [value, null], `${path}: ${shown(value)}`);
    }
    const { args } = await call({ nullable: true, ...(isForm && { file: new Blob(["x"]), optional: null }) });
    assert.deepEqual([args.mixed, args.nullable, args.optional ?? null], [null, true, null], path);
  }
});

test("constraints of objects have the same message as on the server", async (t) => {
  const info = "x";
  const field = { info, type: "?int" };
  const object = { info, type: "?object", fields: { a: field, b: field } };
  const constraints = (kind) => [{ [kind]: ["a", "b"], message: `Choose ${kind}` }];
  const inputs = {
    some: { ...object, constraints: constraints("at_least_one") },
    one: { ...object, constraints: constraints("exactly_one") },
  };
  const api = await rulebook(await echo(t, { "/": { call: { POST: { info, in: inputs } } } }));
  for (const name of Object.keys(inputs)) {
    const errorOf = (options) => api.call.post({ [name]: {} }, options).then(() => assert.fail(name), (error) => error);
    const [ofClient, ofServer] = [await errorOf(), await errorOf({ check: false })];
    assert.ok(ofClient instanceof ArgumentError, name);
    const shape = ({ parameter, expected, message }) => [parameter, expected, message];
    assert.deepEqual(ofClient.errors.map(shape), ofServer.errors.map(shape), name);
    assert.ok(ofClient.message.includes("Choose") && ofServer.message.includes("Choose"), name);
  }
});

test("the tag of a union has the same error as on the server", async (t) => {
  const info = "x";
  const object = (name) => ({ info, fields: { [name]: { info, type: "int" } } });
  const schemas = { Card: object("number"), Bill: { ...object("amount"), closed: true } };
  const union = { info, type: "union", tag: "kind", of: { card: "Card", bill: "Bill" } };
  const inputs = { one: { ...union, type: "?union" }, list: { info, type: "?array<Payment>" } };
  const tree = { schemas: { ...schemas, Payment: union }, "/": { pay: { POST: { info, in: inputs } } } };
  const api = await rulebook(await echo(t, tree));
  const errorOf = async (args, options) => {
    const error = await api.pay.post(args, options).then(() => assert.fail(shown(args)), (reason) => reason);
    const [{ parameter, expected }] = error.errors;
    return [parameter, expected];
  };
  const tags = "one of card, bill";
  const cases = [
    [{ one: { kind: "cash" } }, "one.kind", tags],
    [{ one: { kind: null } }, "one.kind", tags],
    [{ one: {} }, "one.kind", tags],
    [{ list: [{ kind: "card", number: 1 }, { kind: "" }] }, "list[1].kind", tags],
    [{ list: [3] }, "list[0]", "an object"],
  ];
  for (const [args, parameter, expected] of cases) {
    assert.deepEqual(await errorOf(args), [parameter, expected], shown(args));
    assert.deepEqual(await errorOf(args, { check: false }), [parameter, expected], `${shown(args)}, on the server`);
  }
  // A known tag selects the branch whose error is reported.
  const [member] = await errorOf({ one: { kind: "bill" } });
  assert.equal(member, "one.amount");
});

test("errors inside of values have the same place and expectation as on the server", async (t) => {
  const info = "x";
  const int = { info, type: "int" };
  const fields = (all) => ({ info, fields: all });
  const constant = (value) => ({ info, type: "const", value });
  const optional = { info, type: "?int" };
  const branch = (name) => fields({ k: constant(name), n: { info, type: "?U" }, x: optional });
  const constrained = (kind) => ({ ...fields({ a: optional, b: optional }), constraints: [{ [kind]: ["a", "b"] }] });
  const schemas = {
    Closed: { ...fields({ x: int }), closed: true },
    Some: constrained("at_least_one"),
    One: constrained("exactly_one"),
    X: branch("x"),
    Y: { ...branch("y"), closed: true },
    U: { info, type: "union", of: ["X", "Y", "int", "array<int>"] },
    W: { info, type: "union", of: ["int", "array<?W>", "?enum(a|b)"] },
  };
  const types = {
    closed: "?Closed",
    part: "?partial<Closed>",
    list: "?array<Closed>",
    map: "?map<Closed>",
    keys: { type: "?map<int>", keys: "enum(a|b)" },
    five: "?const(5)",
    some: "?Some",
    one: "?One",
    u: "?U",
    v: { type: "?union", of: ["bool", "array<?int>", "const(word)"] },
    w: "?W",
  };
  const parameter = (type) => ({ info, ...(typeof type === "string" ? { type } : type) });
  const inputs = Object.fromEntries(Object.entries(types).map(([name, type]) => [name, parameter(type)]));
  const api = await rulebook(await echo(t, { schemas, "/": { call: { POST: { info, in: inputs } } } }));
  const errorOf = async (args, options) => {
    const error = await api.call.post(args, options).then(() => assert.fail(shown(args)), (reason) => reason);
    assert.equal(error.name, options?.check === false ? "ApiError" : "ArgumentError", `${shown(args)}: ${error}`);
    // The client writes words in quotes, and knows that an optional member can be null.
    const plain = (text) => text.replaceAll('"', "").replace(/ or null$/, "");
    return error.errors.map(({ parameter, expected }) => `${parameter}: ${plain(expected)}`).join("; ");
  };
  const unknown = "no member with this name";
  const cases = [
    [{ closed: { x: 1, q: 1 } }, `closed.q: ${unknown}`],
    [{ closed: { x: 1, q: { const: 1 } } }, `closed.q: ${unknown}`],
    [{ part: { q: null } }, `part.q: ${unknown}`],
    [{ list: [{ x: 1 }, { x: 1, q: 1 }] }, `list[1].q: ${unknown}`],
    [{ map: { "a b": { x: 1, q: 1 } } }, `map.a b.q: ${unknown}`],
    [{ keys: { a: 1, "c d": 1 } }, "keys.c d: a member whose name is one of a, b"],
    [{ five: 6 }, "five: 5"],
    [{ some: {} }, "some.a: at least one of a and b"],
    [{ some: { a: null } }, "some.a: at least one of a and b"],
    [{ one: { b: null, c: 1 } }, "one.a: exactly one of a and b"],
    [{ u: { k: "y", q: 1 } }, `u.q: ${unknown}`],
    [{ u: { k: "x", n: { k: "x", n: { k: "y", n: null, x: true } } } }, "u.n.n.x: a whole number of 64 bits"],
    [{ u: [1, true] }, "u[1]: a whole number of 64 bits"],
    [{ v: [1, null, 2, "x"] }, "v[3]: a whole number of 64 bits"],
    [{ v: 1 }, "v: true or false, or an array, or word"],
    [{ w: [true] }, "w[0]: a whole number of 64 bits, or an array, or one of a, b"],
  ];
  for (const [args, expected] of cases) {
    assert.equal(await errorOf(args), expected, shown(args));
    assert.equal(await errorOf(args, { check: false }), expected, `${shown(args)}, on the server`);
  }
  // The client also names the member whose constants differ.
  assert.equal(await errorOf({ u: { k: "z" } }), "u.k: one of x, y");
  assert.equal(await errorOf({ u: {} }), "u.k: one of x, y");
});

test("a value of a union that contains itself is checked in a time that grows with its size only", async (t) => {
  const info = "x";
  const branch = (name) => ({ info, fields: { k: { info, type: `const(${name})` }, n: { info, type: "?U" } } });
  const schemas = { X: branch("x"), Y: branch("y"), Z: branch("z"), U: { info, type: "union", of: ["X", "Y", "Z"] } };
  const tree = { schemas, "/": { call: { POST: { info, in: { u: { info, type: "U" } } } } } };
  const api = await rulebook(await echo(t, tree));
  const nested = (inner) => Array.from({ length: 25 }).reduce((n) => ({ k: "z", n }), inner);
  // If each level were checked for each branch, these checks would take years.
  assert.deepEqual((await api.call.post({ u: nested({ k: "y" }) })).args.u, nested({ k: "y" }));
  const place = `u${".n".repeat(25)}.k`;
  await assert.rejects(api.call.post({ u: nested({ k: "q" }) }), { name: "ArgumentError", parameter: place });
});
