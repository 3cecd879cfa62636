// Pages of other origins in a browser: they may call what `cors` in app.json lets them, and nothing else.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { browser, listen, serve } from "./support.mjs";

const MODULE = {
  "/": {
    article: {
      GET: {
        info: "Articles",
        in: { "HEADER@X-Language": { info: "Which language", type: "?string", name: "language" } },
      },
      POST: { info: "A new one", in: { title: { info: "Its title", type: "string" } } },
    },
  },
};

test("pages of other origins", async (t) => {
  const chromium = await browser(t);
  const pages = () =>
    listen(
      t,
      http.createServer((_, response) => response.setHeader("Content-Type", "text/html").end("<!doctype html>")),
    );
  const [friend, stranger] = [await pages(), await pages()];
  const opened = await served(t, { cors: { origins: [friend] } });
  const everyone = await served(t, { cors: { origins: ["*"] } });
  const closed = await served(t, {});
  const json = { "Content-Type": "application/json" };

  /** What a page of an origin gets: a status, or that the browser keeps the answer from it. */
  const asked = async (origin, url, options) => {
    const page = await chromium.newPage();
    await page.goto(origin);
    const got = await page.evaluate(
      async ([url, options]) => {
        try {
          const response = await fetch(url, options);
          return { status: response.status, etag: response.headers.get("etag"), text: await response.text() };
        } catch (error) {
          return { kept: error.name };
        }
      },
      [url, options],
    );
    await page.close();
    return got;
  };
  const KEPT = { kept: "TypeError" };

  await t.test("a friend calls like a page of the server's own", async () => {
    const article = `${opened}article`;
    assert.equal((await asked(friend, article)).status, 200);
    const posted = await asked(friend, article, { method: "POST", headers: json, body: '{"title":"x"}' });
    assert.deepEqual([posted.status, JSON.parse(posted.text).args], [200, { title: "x" }]);
    assert.equal(
      (await asked(friend, article, { headers: { "X-Language": "fr" } })).status,
      200,
      "a parameter of the method",
    );
    assert.equal(
      (await asked(friend, article, { headers: { Authorization: "Bearer nobody" } })).status,
      401,
      "refusals can be read",
    );
    assert.equal((await asked(friend, article, { method: "POST", headers: json, body: "{}" })).status, 400);
    assert.equal((await asked(friend, `${opened}nowhere`)).status, 404);
    assert.equal((await asked(friend, article, { method: "OPTIONS" })).status, 200);
    const document = await asked(friend, `${opened}openapi.json`);
    assert.equal(document.status, 200);
    assert.match(document.etag, /^"/);
  });

  await t.test("a friend may not do what nobody may", async () => {
    const article = `${opened}article`;
    assert.deepEqual(await asked(friend, article, { headers: { "X-Other": "x" } }), KEPT);
    assert.deepEqual(await asked(friend, article, { method: "DELETE" }), KEPT);
    assert.deepEqual(await asked(friend, article, { credentials: "include" }), KEPT);
  });

  await t.test("a stranger may not call", async () => {
    for (const url of [`${opened}article`, `${closed}article`, `${closed}openapi.json`, `${closed}nowhere`]) {
      assert.deepEqual(await asked(stranger, url), KEPT, url);
      assert.deepEqual(await asked(stranger, url, { method: "POST", headers: json, body: '{"title":"x"}' }), KEPT, url);
    }
    assert.deepEqual(await asked(friend, `${closed}article`), KEPT);
  });

  await t.test("where all may call, a stranger may", async () => {
    assert.equal((await asked(stranger, `${everyone}article`)).status, 200);
    assert.deepEqual(await asked(stranger, `${everyone}article`, { credentials: "include" }), KEPT);
  });
});

/** Serves an API with these settings, whose methods echo. */
async function served(t, settings) {
  const api = await mkdtemp(join(tmpdir(), "rulebook-api-"));
  t.after(() => rm(api, { recursive: true }));
  await writeFile(join(api, "app.json"), JSON.stringify(settings));
  await writeFile(join(api, "article.json"), JSON.stringify(MODULE));
  return (await serve(t, { api, flags: ["--unbound", "echo"] })).url;
}
