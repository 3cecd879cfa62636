// JSONP in a browser: the page for phones reads articles of another origin, and callbacks cannot run code in a page.

import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import { browser, listen, picture, serve, watched } from "./support.mjs";

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

test("the page for phones", async (t) => {
  const chromium = await browser(t);
  const { origins } = await serve(t, { flags: ["--bind", "127.0.0.1:0"] });
  const [own, api] = origins;
  assert.notEqual(own, api);
  const home = `${own}/static/h5.html?api=${encodeURIComponent(api)}`;
  const { articles, total } = await (await fetch(`${api}/article?size=100`)).json();

  const opened = async (t, url, options = {}) => {
    const { page, problems } = await watched(t, chromium, own, { ...PHONE, ...options }, [api]);
    await page.goto(url);
    await page.waitForSelector("main[aria-busy=false] > *");
    return { page, problems };
  };
  const titles = (page) => page.locator("ol h2").allTextContents();
  const settled = (page) => page.waitForSelector("main[aria-busy=false]");

  await t.test("shows the articles of another origin in pages", async (t) => {
    const { page, problems } = await opened(t, home);
    const asked = [];
    page.on("request", (request) => asked.push(request.url()));
    assert.ok(total > 5, "there is more than a page");
    assert.deepEqual(await titles(page), articles.slice(0, 5).map((own) => own.title));
    await picture(page, "h5-list");
    await page.getByRole("link", { name: "Older" }).click();
    await page.getByRole("link", { name: "Newer" }).waitFor();
    await settled(page);
    assert.deepEqual(await titles(page), articles.slice(5, 10).map((own) => own.title));
    assert.ok(asked.length > 0 && asked.every((url) => url.startsWith(`${api}/article?`)), asked.join());
    await page.goBack();
    await page.waitForFunction((title) => document.querySelector("ol h2")?.textContent === title, articles[0].title);
    assert.equal(await page.evaluate(() => document.scrollingElement.scrollWidth), 390, "nothing is cut off");
    assert.deepEqual(problems, []);
  });

  await t.test("shows an article", async (t) => {
    for (const colorScheme of ["light", "dark"]) {
      const { page, problems } = await opened(t, home, { colorScheme });
      await picture(page, `h5-list-${colorScheme}`);
      await page.getByRole("link", { name: articles[1].title }).click();
      await page.locator("article h2").waitFor();
      assert.equal(await page.title(), articles[1].title);
      assert.equal(await page.locator("article h2").textContent(), articles[1].title);
      assert.equal(await page.evaluate(() => document.activeElement.localName), "h2");
      await picture(page, `h5-article-${colorScheme}`);
      await page.getByRole("link", { name: "All articles" }).click();
      await page.locator("ol").waitFor();
      assert.deepEqual(problems, []);
    }
  });

  await t.test("shows the error messages of the API", async (t) => {
    for (const [hash, words] of [
      ["article=999999", "there is no such article"],
      ["article=x", "a whole number"],
      ["page=0", "from 1 to 10000"],
    ]) {
      const { page, problems } = await opened(t, `${home}#${hash}`);
      const alert = page.getByRole("alert");
      assert.ok((await alert.textContent()).includes(words), await alert.textContent());
      if (hash === "article=999999") {
        for (const colorScheme of ["light", "dark"]) {
          await page.emulateMedia({ colorScheme });
          await picture(page, `h5-error-${colorScheme}`);
        }
      }
      await page.getByRole("link", { name: "All articles" }).click();
      await page.locator("ol").waitFor();
      assert.deepEqual(problems, []);
    }
  });

  await t.test("uses its own origin by default, at both of its paths", async (t) => {
    for (const path of ["/h5.html", "/static/h5.html"]) {
      const { page, problems } = await opened(t, own + path);
      assert.deepEqual(await titles(page), articles.slice(0, 5).map((own) => own.title));
      assert.deepEqual(problems, []);
    }
  });

  await t.test("does not load APIs that are not allowed", async (t) => {
    const elsewhere = await listen(t, script("globalThis.pwned = true"));
    const { port } = new URL(elsewhere);
    for (const wanted of [
      `http://localhost:${port}`,
      `http://user@127.0.0.1:${port}`,
      `${elsewhere}/path`,
      `${elsewhere}/?query`,
      "javascript:alert(1)",
      "data:text/javascript,alert(1)",
      "//localhost",
      "ftp://127.0.0.1",
      "x",
    ]) {
      const { page, problems } = await opened(t, `${own}/h5.html?api=${encodeURIComponent(wanted)}`);
      assert.match(await page.getByRole("alert").textContent(), /may not load/, wanted);
      assert.deepEqual(problems, [], wanted);
    }
  });

  await t.test("is sandboxed", async (t) => {
    const { page } = await opened(t, `${own}/h5.html`);
    await page.context().addCookies([{ name: "session", value: "mine", url: own }]);
    const can = await page.evaluate(async () => {
      const tried = async (what) => {
        try {
          return (await what()) ?? null;
        } catch (error) {
          return error.name;
        }
      };
      return {
        origin: globalThis.origin,
        cookie: await tried(() => document.cookie),
        storage: await tried(() => localStorage.length),
        call: await tried(async () => (await fetch("/article")).status),
      };
    });
    assert.deepEqual(can, { origin: "null", cookie: "SecurityError", storage: "SecurityError", call: "TypeError" });
  });

  await t.test("shows a message without JavaScript", async (t) => {
    const { page } = await watched(t, chromium, own, { ...PHONE, javaScriptEnabled: false });
    await page.goto(home);
    assert.match(await page.locator("main").textContent(), /needs JavaScript/);
    await picture(page, "h5-unscripted");
  });

  await t.test("shows a message if the API does not respond", async (t) => {
    const silent = await listen(t, script("1"));
    const { page } = await opened(t, `${own}/h5.html?api=${encodeURIComponent(silent)}`);
    assert.match(await page.getByRole("alert").textContent(), /not JSONP/);
    const closed = await listen(t, http.createServer((_, response) => response.destroy()));
    await page.goto(`${own}/h5.html?api=${encodeURIComponent(closed)}`);
    assert.match(await page.getByRole("alert").textContent(), /cannot be reached/);
  });
});

test("callbacks cannot run code in a page", async (t) => {
  const chromium = await browser(t);
  const { origin } = await serve(t);
  // A page of another origin without a policy, so that any script can run in it.
  const stranger = await listen(
    t,
    http.createServer((_, response) => response.setHeader("Content-Type", "text/html").end("<!doctype html>")),
  );
  const page = await (await chromium.newContext()).newPage();
  const dialogs = [];
  page.on("dialog", (dialog) => {
    dialogs.push(dialog.message());
    dialog.dismiss();
  });
  await page.goto(stranger);
  /** Loads a response as a script. Returns the calls of the callback, and whether other code has run. */
  const loaded = (callback) =>
    page.evaluate(
      async ([origin, callback]) => {
        globalThis.handed = [];
        globalThis.cb = globalThis.$ = (answer) => globalThis.handed.push(answer);
        globalThis.app = { show: globalThis.cb };
        delete globalThis.pwned;
        const script = document.createElement("script");
        const ended = new Promise((end) => (script.onload = script.onerror = (event) => end(event.type)));
        script.src = `${origin}/article?callback=${encodeURIComponent(callback)}`;
        document.head.append(script);
        return { ended: await ended, called: globalThis.handed.map((answer) => typeof answer.total), pwned: "pwned" in globalThis };
      },
      [origin, callback],
    );

  await t.test("functions are called by their names", async () => {
    for (const callback of ["cb", "$", "app.show"])
      assert.deepEqual(await loaded(callback), { ended: "load", called: ["number"], pwned: false }, callback);
    for (const callback of ["nothing", "__proto__", "constructor.prototype", "location.href", "a".repeat(64)])
      assert.deepEqual(await loaded(callback), { ended: "load", called: [], pwned: false }, callback);
  });

  await t.test("other texts are refused", async () => {
    for (const callback of [
      "alert(1)",
      "pwned=1;cb",
      "a;b",
      "cb;alert(1)//",
      "</script><script>alert(1)</script>",
      "(function(){pwned=1})",
      "pwned=cb",
      "cb\u2028pwned=1",
      "cb\npwned=1;cb",
      "/*",
      "*/pwned=1;/*",
      "eval`pwned=1`",
      "cb[0]",
      "import('data:text/javascript,pwned=1')",
      "a".repeat(65),
    ])
      assert.deepEqual(await loaded(callback), { ended: "error", called: [], pwned: false }, callback);
    assert.deepEqual(dialogs, []);
  });
});

/** A server that responds to every request with this script. */
function script(text) {
  return http.createServer((_, response) => response.setHeader("Content-Type", "text/javascript").end(text));
}
