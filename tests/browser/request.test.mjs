// The requests that forms make, without a browser. A shell parses the curl command.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { Scheme, kinds, pretty, rulebook, snippets } from "./support.mjs";

const { inputKind, typed } = kinds;
const { request, services } = rulebook;

/** Returns the parameter with this key of a method. */
function parameter(key, http, type = "string", path = "/") {
  const tree = { [http]: { info: "x", in: { [key]: { info: "x", type } } } };
  const [{ methods }] = services({ modules: { m: path === "/" ? tree : { "/": { [path.slice(1)]: tree } } } });
  return methods[0].parameters[0];
}

/** Returns the parameter with the value of a typed text. */
function filled(key, http, text, type) {
  const one = parameter(key, http, type);
  return [one, typed(inputKind(one), text)];
}

const asked = (path, http, all, token = "") =>
  request("http://h/v1/", { path, http }, new Map(all), token && `Bearer ${token}`);

/** Returns the curl command for a request with a bearer token. */
function curl(message, token) {
  const call = { method: { id: "x", options: {} }, values: new Map(), message };
  return snippets("http://h", call, token === "" ? undefined : new Scheme().sample(token)).curl;
}

test("parameters are sent in the locations of their keys", () => {
  const cases = [
    ["{id}", "GET", "path", "id"],
    ["URL#0", "GET", "path", "URL#0"],
    ["URL#1", "GET", "path", "URL#1"],
    ["GET@q", "POST", "query", "q"],
    ["HEADER@X-A", "GET", "header", "X-A"],
    ["COOKIE@c", "GET", "cookie", "c"],
    ["title", "POST", "body", "title"],
    ["title", "GET", "query", "title"],
    ["ANY@t", "DELETE", "query", "t"],
    ["ANY@t", "PATCH", "body", "t"],
    ["GET@ANY@x", "GET", "query", "ANY@x"],
  ];
  for (const [key, http, place, wire] of cases) {
    const { place: in_, wire: as } = parameter(key, http);
    assert.deepEqual([in_, as], [place, wire], key);
  }
});

test("a file that is the whole body is sent with its name and its media type", async () => {
  const whole = parameter("*", "PUT", "file");
  const put = (file) => asked("/image", "PUT", [[whole, file]]);
  for (const [name, type, disposition] of [
    ["a b.png", "image/png", 'attachment; filename="a b.png"'],
    ['ü".png', "", "attachment; filename*=UTF-8''%C3%BC%22.png"],
  ]) {
    const file = new File(["x"], name, { type });
    const message = put(file);
    const headers = [["Content-Disposition", disposition], ["Content-Type", type || "application/octet-stream"]];
    assert.deepEqual([message.headers, message.file, message.text], [headers, file, undefined]);
    assert.match(curl(message, ""), /-X PUT 'http:.*--data-binary '@/s);
  }
  assert.deepEqual(put(new Uint8Array(2)).headers, [["Content-Type", "application/octet-stream"]]);
});

test("captures and positions are filled into the path", () => {
  const url = (path, ...all) => asked(path, "GET", all).url;
  assert.equal(url("/"), "http://h/v1/");
  assert.equal(url("/a b/{x}/c", filled("{x}", "GET", "1/2 ü")), "http://h/v1/a%20b/1%2F2%20%C3%BC/c");
  assert.equal(url("/line", filled("URL#1", "GET", "1")), "http://h/v1/line//1");
  assert.equal(
    url("/line", filled("URL#0", "GET", "7"), filled("GET@q", "GET", "a&b=c"), filled("GET@r", "GET", "+")),
    "http://h/v1/line/7?q=a%26b%3Dc&r=%2B",
  );
});

test("JSON bodies keep all digits of numbers", () => {
  const all = [
    filled("a", "POST", "9007199254740993", "int"),
    filled("b", "POST", "1e400", "float"),
    filled("c", "POST", "seven", "int"),
    filled("e", "POST", "[1,{}]", "array<any>"),
    filled("f", "POST", "[1", "array"),
    filled("g", "POST", "12", "string"),
    filled("h", "POST", "x", "any"),
  ];
  assert.equal(
    asked("/a", "POST", all).text,
    '{"a":9007199254740993,"b":1e400,"c":"seven","e":[1,{}],"f":"[1","g":"12","h":"x"}',
  );
});

test("the kind of input follows from the schema before the type", () => {
  const of = (type, schema) => inputKind({ type, schema });
  assert.equal(of("own", { type: "integer" }).name, "number");
  assert.equal(of("?own", { type: ["number", "null"] }).name, "number");
  assert.deepEqual(of("bool", { type: "boolean" }).options, [true, false]);
  assert.deepEqual(of("own", { enum: ["a", "b"] }).options, ["a", "b"]);
  assert.equal(of("own", { type: "array" }).name, "json");
  assert.equal(of("loose_int", { type: ["integer", "string"] }).name, "text");
  const union = { oneOf: [{ type: "string" }, { type: "integer" }, { type: "array" }] };
  assert.equal(of("union", union).name, "union");
  assert.equal(of("?own", { anyOf: [union, { type: "null" }] }).name, "union");
  assert.equal(of("?file").name, "file");
  assert.equal(of("?array<file>").multiple, true);
  assert.equal(of("string(0,1000)").long, true);
  assert.equal(of("string(1,40)").long, false);
});

test("a shell parses the command to the same words", () => {
  const mean = 'it\'s $HOME `id` \\ "x"\n@end';
  const all = [
    filled("{x}", "PATCH", "'"),
    filled("HEADER@X-A", "PATCH", mean),
    filled("COOKIE@c", "PATCH", "1"),
    filled("t", "PATCH", mean),
  ];
  const command = curl(asked("/a/{x}", "PATCH", all), "to'ken");
  const words = execFileSync("sh", ["-c", `curl() { printf '%s\\0' "$@"; }; ${command}`], { encoding: "utf8" })
    .split("\0")
    .slice(0, -1);
  assert.deepEqual(words, [
    "-X",
    "PATCH",
    "http://h/v1/a/%27",
    "-H",
    "Authorization: Bearer to'ken",
    "-H",
    `X-A: ${mean}`,
    "-H",
    "Cookie: c=1",
    "-H",
    "Content-Type: application/json",
    "--data-raw",
    `{"t":${JSON.stringify(mean)}}`,
  ]);
});

test("typed lists of texts and numbers are sent item by item, with all digits", () => {
  const all = [
    filled("GET@a", "GET", '["a", "\\u0062,\\"]", 9007199254740993, true]', "array<any>"),
    filled("GET@b", "GET", "[ ]", "array<int>"),
    filled("GET@c", "GET", "[[1], null]", "array<any>"),
  ];
  all[0][0].schema = { items: { type: "string" } };
  const query = new URL(asked("/a", "GET", all).url).searchParams;
  assert.deepEqual(query.getAll("a"), ["a", 'b,"]', "9007199254740993", "true"]);
  assert.deepEqual([query.getAll("b"), query.getAll("c")], [["[]"], ["[[1], null]"]]);
});

test("file names are quoted in the command", () => {
  const file = Object.assign(new Blob(["x"]), { name: 'a";type=text/html\\' });
  const command = curl(asked("/a", "POST", [[parameter("picture", "POST", "file"), file]]), "");
  assert.match(command, /-F 'picture=@"a\\";type=text\/html\\\\"'$/);
});

test("JSON is formatted like JSON.stringify does, without losing digits", () => {
  const laid = (text) => [...pretty(text)].map(([, piece]) => piece).join("");
  for (const value of [{}, [], { a: [1, { b: null }, []], 'c"}': "x:,[", d: {} }, [[[]]], "text", 5, [true, "\\"]]) {
    assert.equal(laid(JSON.stringify(value)), JSON.stringify(value, null, 2));
    assert.equal(laid(JSON.stringify(value, null, 3)), JSON.stringify(value, null, 2));
  }
  assert.equal(laid("[12345678901234567890.10]"), "[\n  12345678901234567890.10\n]");
});
