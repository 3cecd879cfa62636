// The client with the demo: in Node, in a page, and in a page of another origin by JSONP.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import http from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import util from "node:util";
import {
  DOT,
  author,
  behind,
  browser,
  key,
  listen,
  modules,
  rulebook as client,
  serve,
  top,
  watched,
} from "./support.mjs";

const { ArgumentError, Json, NetworkError, ApiError, RulebookError, rulebook } = client;

/** Asserts that a call fails with an error of this class and these members. */
async function fails(promise, kind, members = {}) {
  const error = await promise.then(
    () => assert.fail("it did not fail"),
    (error) => error,
  );
  assert.ok(error instanceof kind, String(error.stack));
  for (const [name, value] of Object.entries(members)) assert.deepEqual(error[name], value, `${name} of ${error}`);
  return error;
}

test("the client in Node", async (t) => {
  const { origin, url, data } = await serve(t);
  const user = await author(origin);
  const api = await rulebook(url, { token: () => user.token });
  const nobody = await rulebook(origin);

  await t.test("has a function for each method", async () => {
    const definition = await (await fetch(url, { method: "OPTIONS" })).json();
    const count = JSON.stringify(definition).match(/"(GET|POST|PUT|DELETE|PATCH)":/g).length;
    assert.equal(api.$methods.length, count);
    for (const { id } of api.$methods) {
      const leaf = id.split(".").reduce((at, name) => at[name], api);
      assert.equal(typeof leaf, "function", id);
    }
    assert.equal((await api.article.list()).total, (await api.$call("article.list")).total);
    await fails(api.$call("article.none"), RulebookError);
  });

  await t.test("warns once about a deprecated method", async (t) => {
    const warn = t.mock.method(console, "warn", () => {});
    for (const caller of [api, nobody, api]) await caller.publication.search.post({ page: 1 });
    await api.article.list();
    const text = "is deprecated since 2026-01-01, available until 2099-01-01; use article.list instead";
    assert.deepEqual(
      warn.mock.calls.map((call) => call.arguments),
      [[`publication.search.post ${text}`]],
    );
  });

  await t.test("returns the outputs of every envelope", async () => {
    assert.deepEqual(await api.article.line.get({ article_id: 1, no_line: 1 }), {
      lines: (await (await fetch(`${url}article/line/1/1`)).json()).lines,
    });
    const { article_id } = await api.article.create({ title: "By the client", text: "ü 你\n'", tags: ["a", "b"] });
    const { article } = await nobody.article.read({ article_id });
    assert.deepEqual([article.title, article.text, article.tags], ["By the client", "ü 你\n'", ["a", "b"]]);
    assert.deepEqual(await nobody.article.read({ "{id}": article_id }), { article }, "by its written key");
    assert.equal(typeof (await nobody.author.getBaseInfo.get({ author_id: 2 })).name, "string", "phalapi");
    const found = await nobody.publication.search.post({ words: "client" });
    assert.equal(found.articles[0].article_id, article_id);
  });

  await t.test("checks arguments before it sends a request", async () => {
    let asked = 0;
    const counting = await rulebook(url, { fetch: (...all) => ((asked += 1), fetch(...all)) });
    assert.equal(asked, 1);
    const { article } = counting;
    await fails(article.read({}), ArgumentError, { parameter: "article_id", got: "nothing" });
    await fails(article.read({ article_id: -5 }), ArgumentError, { parameter: "article_id", got: "-5" });
    await fails(article.read({ article_id: "5" }), ArgumentError, { got: "a string of 1 characters" });
    await fails(article.read({ article_id: 1, other: 1 }), ArgumentError, { parameter: "other" });
    await fails(article.read({ article_id: 1, "{id}": 1 }), ArgumentError);
    await fails(article.list({ page: 0 }), ArgumentError, { expected: "a whole number from 1 to 10000" });
    await fails(article.list({ page: NaN }), ArgumentError);
    await fails(article.create({ title: "t", text: "x", tags: ["a b"] }), ArgumentError, { parameter: "tags[0]" });
    await fails(article.illustrate({ article_id: 1, alt: "x", picture: "no file" }), ArgumentError, {
      expected: "a file",
    });
    assert.equal(asked, 1);
  });

  await t.test("reports the errors of every envelope", async () => {
    await fails(nobody.article.read({ article_id: 999999 }), ApiError, {
      status: 404,
      declared: "no_such_article",
      name: "ApiError",
    });
    const { errors } = await fails(nobody.article.list({ page: 0 }, { check: false }), ApiError, { status: 400 });
    assert.equal(errors[0].parameter, "page");
    const { code, message } = await fails(nobody.article.create({ title: "t", text: "x" }), ApiError, {
      status: 401,
    });
    assert.equal(code, "unauthenticated");
    assert.match(message, /\w/);
    await fails(nobody.author.getBaseInfo.get({ author_id: 999999 }), ApiError, { status: 404 });
    await fails(nobody.iapi.file.download({ filename: "public/none" }), ApiError, { status: 401, code: null });
    const asProblem = { headers: { Accept: "application/problem+json" } };
    await fails(nobody.article.read({ article_id: 999999 }, asProblem), ApiError, {
      status: 404,
      declared: "no_such_article",
    });
  });

  await t.test("uploads with progress, and downloads", async () => {
    const { article_id } = await api.article.create({ title: "With a picture", text: "x" });
    const picture = new File([DOT.buffer], 'd"o\nt.png', { type: "image/png" });
    const progress = [];
    const onProgress = (step) => progress.push(step);
    await api.article.illustrate({ article_id, alt: "A dot ü", picture }, { onProgress });
    assert.ok(progress.length > 0);
    assert.equal(progress.at(-1).sent, progress.at(-1).total);
    // Without a name the server cannot know the extension.
    const nameless = new Uint8Array(DOT.buffer);
    await fails(api.article.illustrate({ article_id, alt: "A dot", picture: nameless }), ApiError, { status: 400 });
    const { response, filename } = await api.article.picture({ article_id });
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), DOT.buffer);
    assert.equal(filename, /filename="?([^";]+)/.exec(response.headers.get("content-disposition"))?.[1] ?? null);
    const part = await api.article.picture({ article_id }, { headers: { Range: "bytes=1-3" } });
    assert.deepEqual([part.response.status, await part.response.text()], [206, "PNG"]);
    const { link } = await api.article.picture({ article_id }, { link: true });
    assert.deepEqual(Buffer.from(await (await fetch(new URL(link, url))).arrayBuffer()), DOT.buffer);
    await fails(api.article.picture({ article_id: 999999 }), ApiError, { status: 404 });
  });

  await t.test("uploads several files with a key", async () => {
    const secret = await key(data, "iapi");
    const holder = await rulebook(url, { token: secret });
    const content = [new Blob([DOT.buffer]), new Blob([DOT.buffer])];
    const filename = ["public/图/1.png", "public/2.png"];
    // A server takes up to a second to read a new key.
    for (let known = false; !known;) {
      known = await holder.iapi.files.upload({ content, filename }).then(
        () => true,
        (error) => (error.status === 401 ? new Promise((over) => setTimeout(over, 50, false)) : Promise.reject(error)),
      );
    }
    const { response } = await holder.iapi.file.download({ filename: "public/图/1.png" });
    assert.equal((await response.arrayBuffer()).byteLength, DOT.buffer.length);
  });

  await t.test("fails on a timeout, on an aborted signal, and without a response", async (t) => {
    const silent = await listen(
      t,
      http.createServer(() => {}),
    );
    const definition = await client.definition(url);
    const waiting = await rulebook(silent, { definition });
    await fails(waiting.article.list({}, { timeout: 50 }), DOMException, { name: "TimeoutError" });
    const signal = AbortSignal.abort(new Error("enough"));
    await fails(waiting.article.list({}, { signal }), Error, { message: "enough" });
    const later = new AbortController();
    setTimeout(() => later.abort(), 50);
    await fails(waiting.article.list({}, { signal: later.signal }), DOMException, { name: "AbortError" });
    const nowhere = await rulebook("http://127.0.0.1:1/", { definition });
    const { cause } = await fails(nowhere.article.list(), NetworkError);
    assert.ok(cause);
    await fails(nobody.article.list({}, { jsonp: true }), RulebookError);
  });

  await t.test("finds the API behind a prefix", async (t) => {
    const prefixed = await behind(t, origin, "/x/y/");
    assert.equal((await (await rulebook(prefixed)).article.list()).total, (await api.article.list()).total);
  });

  await t.test("sends JSON texts unchanged", async () => {
    await fails(nobody.article.list({ page: new Json("1e400") }), ApiError, { status: 400 });
    assert.ok((await nobody.article.list({ page: new Json("1") })).total > 0);
  });
});

test("errors of the client name what is wrong and what to do", async (t) => {
  const { url } = await serve(t);
  const api = await client.rulebook(url);
  const message = async (action) => {
    try {
      await action();
    } catch (error) {
      assert.ok(error instanceof client.RulebookError, `${error}`);
      return error.message;
    }
    return "no error";
  };
  assert.equal(await message(() => api.artcle.list()), "the API has no module or method artcle. Did you mean article?");
  assert.match(await message(() => api.zzz.list()), /^the API has no module or method zzz\. The names are: .*article, .*user/);
  assert.match(await message(() => api.article.lst()), /^the API has no method article\.lst\. Did you mean article\.list\?$/);
  assert.match(await message(() => api.$call("article.lst")), /^the API has no method article\.lst\./);
  // What tools look up in any object is not an error.
  assert.equal(JSON.stringify(api.article.line), "{}");
  assert.equal(await Promise.resolve(api), api);
  assert.ok("article" in api && !("artcle" in api));
  assert.match(util.inspect(api), /article/);

  const closed = http.createServer().listen(0, "127.0.0.1");
  await once(closed, "listening");
  const { port } = closed.address();
  closed.close();
  const nowhere = await message(() => client.rulebook(`http://127.0.0.1:${port}/x?token=secret`));
  assert.match(nowhere, /^there is no response to OPTIONS http:\/\/127\.0\.0\.1:\d+\/x \(.*ECONNREFUSED.*\)\. Check that the server is running/);
  assert.doesNotMatch(nowhere, /secret/);
  const page = await listen(t, http.createServer((_, response) => response.setHeader("Content-Type", "text/html").end("<p>Not this")));
  assert.match(await message(() => client.rulebook(page)), /is not JSON but text\/html: it begins with "<p>Not this"\. Check that the URL/);
  const other = await listen(t, http.createServer((_, response) => response.end("{}")));
  assert.match(await message(() => client.rulebook(other)), /is not the definition of an API\. Check the URL\.$/);
});

test("the client in a page", async (t) => {
  const chromium = await browser(t);
  const { origin, url, data } = await serve(t);
  const user = await author(origin);
  const secret = await key(data, "iapi");
  const { page, problems } = await watched(t, chromium, url);
  await page.goto(url);
  const got = await page.evaluate(
    async ([token, dot]) => {
      const { rulebook } = await import("/docs/rulebook.js");
      const api = await rulebook("/", { token });
      const { article_id } = await api.article.create({ title: "From a page", text: "x" });
      const picture = new File([Uint8Array.from(dot)], "dot.png", { type: "image/png" });
      const progress = [];
      const onProgress = (step) => progress.push(step);
      await api.article.illustrate({ article_id, alt: "A dot", picture }, { onProgress });
      const { response, filename } = await api.article.picture({ article_id });
      const bytes = [...new Uint8Array(await response.arrayBuffer())];
      const ended = new AbortController();
      const aborted = api.article.list({}, { signal: ended.signal }).catch((error) => error.name);
      ended.abort();
      const stop = new AbortController();
      const stopped = api.article
        .illustrate({ article_id, alt: "A dot", picture }, { onProgress, signal: stop.signal })
        .catch((error) => error.name);
      stop.abort();
      const refused = await api.article.read({ article_id: 999999 }).catch(({ name, status }) => [name, status]);
      const unsent = await api.article.read({}).catch(({ name, parameter }) => [name, parameter]);
      const read = (await api.article.read({ article_id })).article.picture.alt;
      return { progress, bytes, filename, aborted: await aborted, stopped: await stopped, refused, unsent, read };
    },
    [user.token, [...DOT.buffer]],
  );
  assert.deepEqual(got.bytes, [...DOT.buffer]);
  assert.equal(got.read, "A dot");
  assert.ok(got.progress.some(({ sent, total }) => sent === total && total > DOT.buffer.length));
  assert.deepEqual([got.aborted, got.stopped], ["AbortError", "AbortError"]);
  assert.deepEqual(got.refused, ["ApiError", 404]);
  assert.deepEqual(got.unsent, ["ArgumentError", "article_id"]);

  await t.test("finds the method of a form in the whole definition if another service is at its path", async () => {
    await page.evaluate(async (token) => {
      const { form } = await import("/docs/form.js");
      const { Scheme } = await import("/docs/credential.js");
      const { h } = await import("/docs/element.js");
      sessionStorage.setItem("token", token);
      const nothing = () => undefined;
      globalThis.made = (id) => {
        const [button, status, response] = ["button", "p", "div"].map((name) => h(name, { className: name }));
        const shown = { button, status, response, onCalled: nothing, onChange: nothing, words: nothing };
        const options = { ...shown, values: {}, examples: {} };
        return form(new URL("/", location.href), id, "/", new Scheme(), options).then((element) =>
          document.body.append(h("div", { id: "tried" }, element, h("div", {}, button, status, response))),
        );
      };
      await globalThis.made("article.read");
    }, secret);
    await page.locator("#tried").getByLabel("id", { exact: true }).fill("1");
    await page.locator("#tried .button").click();
    await page.locator("#tried .status.success").waitFor();
    assert.match(await page.locator("#tried pre.json").innerText(), /"article_id": 1/);
    const none = await page.evaluate(() => globalThis.made("none").catch((error) => error.message));
    assert.equal(none, "there is no method none");
  });
  assert.deepEqual(problems, []);
});

test("a page of another origin by JSONP", async (t) => {
  const chromium = await browser(t);
  const { url } = await serve(t);
  const source = await (await fetch(`${url}docs/rulebook.js`)).text();
  const definition = await client.definition(url);
  const pages = http.createServer((request, response) => {
    const script = request.url === "/rulebook.js";
    response.setHeader("Content-Type", script ? "text/javascript" : "text/html");
    response.end(script ? source : "<!doctype html><link rel=icon href=data:,>");
  });
  const home = await listen(t, pages);
  const { page, problems } = await watched(t, chromium, home, {}, [new URL(url).origin]);
  await page.goto(home);
  const got = await page.evaluate(
    async ([url, definition]) => {
      const { rulebook } = await import("/rulebook.js");
      const api = await rulebook(url, { definition, jsonp: true, token: "not sent", timeout: 60_000 });
      const read = await api.article.read({ article_id: 1 });
      const both = await Promise.all([1, 2].map((page) => api.article.list({ page, size: 2 })));
      const refused = await api.article
        .read({ article_id: 999999 })
        .catch(({ name, status, declared }) => [name, status, declared]);
      const wrong = await api.article
        .list({ page: 0 }, { check: false })
        .catch(({ status, errors }) => [status, errors[0].parameter]);
      const closed = await api.article.line.get({ article_id: 1 }).catch(({ name }) => name);
      const nowhere = await rulebook("http://127.0.0.1:1/", { definition, jsonp: true });
      const nobody = await nowhere.article.list().catch(({ name }) => name);
      const late = await api.article.list({}, { timeout: 0 }).catch(({ name }) => name);
      return { read, lists: both.map(({ articles }) => articles.length), refused, wrong, closed, nobody, late };
    },
    [url, definition],
  );
  assert.deepEqual(Object.keys(got.read), ["article"], "the outputs alone");
  assert.deepEqual(got.lists, [2, 2]);
  assert.deepEqual(got.refused, ["ApiError", 404, "no_such_article"]);
  assert.deepEqual(got.wrong, [400, "page"]);
  assert.equal(got.closed, "RulebookError", "the demo lets no line be read so");
  assert.equal(got.nobody, "NetworkError");
  assert.equal(got.late, "TimeoutError");
  assert.deepEqual(
    problems.filter((one) => !one.includes("127.0.0.1:1/") && !one.includes("ERR_")),
    [],
  );
});

test("names and passwords are sent as UTF-8 in Base64, if there is no token", async () => {
  const method = { info: "x", id: "read" };
  const definition = { base: "/", modules: { m: { GET: method } } };
  const sent = [];
  const fetch = async (_, { headers }) => {
    sent.push(new Headers(headers).get("authorization"));
    return new Response("{}", { headers: { "Content-Type": "application/json" } });
  };
  const basic = { name: "ädä", password: "p:ß" };
  const api = await rulebook("http://h/", { definition, fetch, basic });
  await api.read();
  await api.read({}, { basic: { name: "", password: "" } });
  await api.read({}, { token: async () => "x" });
  await api.read({}, { token: () => "" });
  await api.read({}, { basic: undefined });
  const encoded = `Basic ${Buffer.from("ädä:p:ß").toString("base64")}`;
  assert.deepEqual(sent, [encoded, "Basic Og==", "Bearer x", encoded, null]);
  await fails(api.read({}, { basic: { name: "a:b", password: "c" } }), RulebookError);
  await client.describe("http://h/", { fetch, basic });
  assert.equal(sent.at(-1), encoded, "the request for the definition");
});

test("the examples in the documentation", async (t) => {
  const { origin } = await serve(t);
  const text = await readFile(join(top, "docs/client.md"), "utf8");
  const blocks = [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, block]) => block);
  assert.ok(blocks.length > 4);
  const said = run(blocks.join("").replaceAll("http://127.0.0.1:8080", origin));
  assert.match(said, /^5 of \d+$/m);
  assert.match(said, /^true$/m);
  assert.match(said, /^404 .*there is no such article$/m);
  assert.match(said, /^(\d+) of \1 bytes$/m);
});

/** Runs a module beside the client, and returns its output. */
function run(source) {
  const file = join(modules, "program.js");
  writeFileSync(file, source);
  return execFileSync(process.execPath, [file], { encoding: "utf8" });
}

/** Returns the client of a definition with one method, and the requests that it sends. `responses` is their list. */
async function recorded(method, responses, options = {}) {
  const sent = [];
  const fetch = async (url, { headers, body }) => {
    sent.push({ key: new Headers(headers).get("idempotency-key"), body });
    const next = responses[Math.min(sent.length, responses.length) - 1];
    if (next instanceof Error) throw next;
    return new Response("{}", { headers: { "Content-Type": "application/json" }, ...next });
  };
  const definition = { base: "/", modules: { m: { ...method } } };
  return { api: await rulebook("http://h/", { definition, fetch, ...options }), sent };
}

test("requests are sent again as often as the option allows, if that is safe", async () => {
  const busy = { status: 503, headers: { "Retry-After": "0" } };
  const limited = { ...busy, status: 429 };
  const lost = new TypeError("lost");
  const methods = {
    read: { GET: { info: "x", id: "call" } },
    write: { POST: { info: "x", id: "call" } },
    keyed: { POST: { info: "x", id: "call", options: { idempotent: "optional" } } },
  };
  const cases = [
    ["read", [busy, lost, {}], 3],
    ["write", [limited, limited, {}], 3],
    ["write", [busy, {}], 1],
    ["write", [lost, {}], 1],
    ["keyed", [busy, lost, {}], 3],
    ["read", [busy], 3],
    ["read", [{ ...busy, headers: { "Retry-After": "3600" } }, {}], 1],
    ["read", [{ status: 500 }, {}], 1],
  ];
  for (const [name, responses, count] of cases) {
    const { api, sent } = await recorded(methods[name], responses, { retry: 2 });
    await api.call().catch((error) => assert.ok(error instanceof RulebookError, String(error)));
    assert.equal(sent.length, count, `${name} ${JSON.stringify(responses)}`);
    const keys = new Set(sent.map(({ key }) => key));
    assert.equal(keys.size, 1, "each try has the same key");
    assert.equal(keys.has(null), name !== "keyed");
  }
  const { api, sent } = await recorded(methods.keyed, [busy]);
  await fails(api.call(), client.ApiError);
  assert.deepEqual(sent.map(({ key }) => key), [null]);
});

test("dates are sent as days or points in time, and an invalid date is an error", async () => {
  const date = { info: "x", type: "?date", $schema: { type: ["string", "null"], format: "date" } };
  const time = { info: "x", type: "?datetime", $schema: { type: ["string", "null"], format: "date-time" } };
  const list = { info: "x", type: "?array<date>", $schema: { type: "array", items: { type: "string", format: "date" } } };
  const { api, sent } = await recorded({ POST: { info: "x", id: "call", in: { date, time, list } } }, [{}]);
  const moment = new Date("2026-03-01T12:30:00Z");
  await api.call({ date: moment, time: moment, list: [moment] });
  const expected = { date: "2026-03-01", time: "2026-03-01T12:30:00.000Z", list: ["2026-03-01"] };
  assert.deepEqual(JSON.parse(sent[0].body), expected);
  // In a union, the first type that the text fits decides.
  const [day, point] = [date.$schema.format, time.$schema.format].map((format) => ({ type: "string", format }));
  const tagged = ["a", "b"].map((kind) => ({ type: "object", properties: { kind: { const: kind } }, required: ["kind"] }));
  const $schema = { oneOf: tagged.map((tag, n) => ({ allOf: [{ type: "object", properties: { at: [day, point][n] } }, tag] })) };
  const union = await recorded({ POST: { info: "x", id: "call", in: { union: { info: "x", type: "union", $schema } } } }, [{}, {}]);
  for (const kind of ["a", "b"]) await union.api.call({ union: { kind, at: moment } });
  assert.deepEqual(union.sent.map(({ body }) => JSON.parse(body).union.at), [expected.date, expected.time]);
  for (const args of [{ date: new Date("x") }, { list: [new Date("x")] }])
    await assert.rejects(api.call(args), (error) => error instanceof client.ArgumentError && /invalid Date/.test(error.message));
});

test("the methods of an API with schemas that contain themselves can be written as JSON", async () => {
  const $defs = {
    Node: { type: "object", properties: { next: { $ref: "#/$defs/Node" }, id: { type: "integer", maximum: 2n ** 64n } } },
  };
  const parameter = { info: "x", type: "?Node", $schema: { $ref: "#/$defs/Node" } };
  const definition = { base: "/", $defs, modules: { m: { POST: { info: "x", id: "call", in: { node: parameter } } } } };
  const api = await rulebook("http://h/", { definition });
  const [method] = JSON.parse(JSON.stringify(api.$methods));
  assert.deepEqual([method.id, method.module, method.parameters[0].schema], ["call", "m", { $ref: "#/$defs/Node" }]);
  assert.deepEqual(Object.keys(method.$defs), ["Node"]);
  assert.deepEqual(method.$defs.Node.properties.next, { $ref: "#/$defs/Node" });
});
