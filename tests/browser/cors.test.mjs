// Pages of other origins in a browser: they can only call what `cors` in app.json allows.

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

  /** Returns the status that a page of an origin receives, or that the browser blocks the response. */
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

  await t.test("an allowed origin can call like a page of the server", async () => {
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
      (await asked(friend, article, { headers: { Authorization: "Bearer invalid" } })).status,
      401,
      "error responses can be read",
    );
    assert.equal((await asked(friend, article, { method: "POST", headers: json, body: "{}" })).status, 400);
    assert.equal((await asked(friend, `${opened}nowhere`)).status, 404);
    assert.equal((await asked(friend, article, { method: "OPTIONS" })).status, 200);
    const document = await asked(friend, `${opened}openapi.json`);
    assert.equal(document.status, 200);
    assert.match(document.etag, /^"/);
  });

  await t.test("an allowed origin needs the same permissions", async () => {
    const article = `${opened}article`;
    assert.deepEqual(await asked(friend, article, { headers: { "X-Other": "x" } }), KEPT);
    assert.deepEqual(await asked(friend, article, { method: "DELETE" }), KEPT);
    assert.deepEqual(await asked(friend, article, { credentials: "include" }), KEPT);
  });

  await t.test("other origins cannot call", async () => {
    for (const url of [`${opened}article`, `${closed}article`, `${closed}openapi.json`, `${closed}nowhere`]) {
      assert.deepEqual(await asked(stranger, url), KEPT, url);
      assert.deepEqual(await asked(stranger, url, { method: "POST", headers: json, body: '{"title":"x"}' }), KEPT, url);
    }
    assert.deepEqual(await asked(friend, `${closed}article`), KEPT);
  });

  await t.test("the client explains why there is no response", async () => {
    const source = await (await fetch(`${opened}docs/rulebook.js`)).text();
    const page = await chromium.newPage();
    await page.goto(stranger);
    const error = await page.evaluate(
      async ([source, url]) => {
        const file = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
        const { rulebook } = await import(file);
        return rulebook(`${url}?secret=1`).catch(({ name, message, url }) => ({ name, message, url }));
      },
      [source, closed],
    );
    await page.close();
    assert.equal(error.name, "NetworkError");
    assert.equal(error.url, `${closed}?secret=1`);
    assert.ok(error.message.startsWith(`there is no response to OPTIONS ${closed} (Failed to fetch).`), error.message);
    assert.ok(error.message.includes(`add "${new URL(stranger).origin}" to "origins" of "cors" in app.json`), error.message);
    assert.ok(!error.message.includes("secret"), error.message);
  });

  await t.test("any origin can call if all are allowed", async () => {
    assert.equal((await asked(stranger, `${everyone}article`)).status, 200);
    assert.deepEqual(await asked(stranger, `${everyone}article`, { credentials: "include" }), KEPT);
  });
});

/** Serves an API with these settings, whose methods echo their arguments. */
async function served(t, settings) {
  const api = await mkdtemp(join(tmpdir(), "rulebook-api-"));
  t.after(() => rm(api, { recursive: true }));
  await writeFile(join(api, "app.json"), JSON.stringify(settings));
  await writeFile(join(api, "article.json"), JSON.stringify(MODULE));
  return (await serve(t, { api, flags: ["--unbound", "echo"] })).url;
}
