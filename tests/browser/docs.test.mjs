// The documentation pages in a browser, checked by html-validate, and by axe in light and dark mode on small and large
// screens.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { HtmlValidate } from "html-validate";
import { SCREENS, accessible, author, behind, browser, picture, serve, watched } from "./support.mjs";

/** Names and texts that are special in HTML or in paths, or run from right to left. */
const MEAN = `"><script>document.title='run'</script><b>'&amp;{{x}} \u202eabc\u0007 שלום ${"long".repeat(40)}`;
const NAMES = [".", "..", "a/b", "%41", "x.md", "größe", "<b>\"'&", "very".repeat(30)];

/** A definition with these names and texts wherever it can have them. */
async function mean(t) {
  const api = await mkdtemp(join(tmpdir(), "rulebook-api-"));
  t.after(() => rm(api, { recursive: true, force: true }));
  const about = { contact: { name: MEAN, url: MEAN }, license: { name: MEAN }, servers: [{ url: MEAN, info: MEAN }] };
  await writeFile(join(api, "app.json"), JSON.stringify({ title: MEAN, version: MEAN, info: MEAN, ...about }));
  const member = { info: MEAN, type: "?array<string>", example: [MEAN] };
  const method = (id) => ({
    id,
    info: `${MEAN}\n${MEAN}`,
    scope: [[NAMES[7]], ["<b>"]],
    in: {
      "GET@x<b>": { info: MEAN, type: "?string", name: "x", default: MEAN },
      y: { info: MEAN, type: "object", name: "y", fields: { "z<b>": member } },
    },
    out: { "o<b>": { info: MEAN, type: "object", fields: { z: member } } },
    errors: { "e<b>": { status: 409, info: MEAN } },
    options: { deprecated: true },
  });
  const modules = NAMES.map((name, n) => [name, { info: MEAN, "/": { [`x<b>${n}`]: { POST: method(name) } } }]);
  await writeFile(join(api, "mean.json"), JSON.stringify({ modules: Object.fromEntries(modules) }));
  return api;
}

/** Returns every HTML page that links from the start page lead to, by URL. */
async function crawl(url) {
  const open = [`${url}docs/`, `${url}docs/search?q=a`];
  const pages = new Map();
  while (open.length > 0) {
    const at = open.pop();
    if (pages.has(at)) continue;
    const response = await fetch(at);
    assert.equal(response.status, 200, at);
    if (!response.headers.get("content-type").startsWith("text/html")) continue;
    const html = await response.text();
    pages.set(at, html);
    for (const [, href] of html.matchAll(/<a href="([^"]*)"/g)) {
      const target = new URL(href, at);
      target.hash = "";
      if (target.href.startsWith(`${url}docs/`) && !target.href.includes("/swagger/")) open.push(target.href);
    }
  }
  return pages;
}

test("every page is valid HTML", async (t) => {
  const validator = new HtmlValidate({
    extends: ["html-validate:recommended"],
    rules: {
      // Rules of style: the doctype, character references, and the length of titles.
      "doctype-style": "off",
      "long-title": "off",
      "no-raw-characters": "off",
      // Browsers should not store a token.
      "autocomplete-password": "off",
    },
  });
  for (const api of [undefined, await mean(t)]) {
    const { url } = await serve(t, { api, flags: ["--unbound", "echo"] });
    const pages = await crawl(url);
    const nowhere = `${url}docs/nowhere/article`;
    pages.set(nowhere, await (await fetch(nowhere, { headers: { accept: "text/html" } })).text());
    assert.ok(pages.size > 15, `${pages.size} pages`);
    for (const [at, html] of pages) {
      const { results } = await validator.validateString(html, at);
      const errors = results.flatMap((result) =>
        result.messages.map((one) => `${at}:${one.line}:${one.column}: ${one.ruleId}: ${one.message}`),
      );
      assert.deepEqual(errors, [], html.slice(0, 3000));
    }
  }
});

test("the pages are accessible", async (t) => {
  const chromium = await browser(t);
  const sites = [
    [await serve(t), "demo", ["docs/", "docs/modules/article", "docs/methods/article.create", "docs/methods/article.line.get",
      "docs/methods/article.illustrate", "docs/errors", "docs/diagnostics", "docs/search?q=line", "docs/nowhere/article"]],
    [await serve(t, { api: await mean(t), flags: ["--unbound", "echo"] }), "mean", ["docs/", "docs/methods/a~2Fb"]],
  ];
  for (const [{ url }, what, paths] of sites) {
    for (const { device, width, colorScheme } of SCREENS) {
      await t.test(`${what}, ${device}`, async (t) => {
        const { page, problems } = await watched(t, chromium, url, { colorScheme, viewport: { width, height: 900 } });
        for (const path of paths) {
          await page.goto(url + path);
          if (path.includes("methods/")) await page.locator(".form form.token").waitFor({ state: "attached" });
          // Folded sections are checked too.
          await page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
          await accessible(page, path);
          if (path.includes("methods/") && width < 1280) {
            await page.getByRole("button", { name: "Try it" }).click();
            await accessible(page, `${path}, with the form`);
          }
          assert.doesNotMatch(await page.locator("body").innerText(), /\u202e/, path);
          const wide = await page.evaluate(() => document.documentElement.scrollWidth);
          assert.ok(wide <= width, `${path} is ${wide} wide on ${width}`);
          await picture(page, `${what}-${path.replaceAll(/[^a-z]+/g, "-")}-${device}`);
        }
        assert.deepEqual(problems, []);
      });
    }
  }
});

test("search, keyboard and form work", async (t) => {
  const chromium = await browser(t);
  const { origin, url: direct } = await serve(t);
  const user = await author(origin);
  for (const home of [direct, await behind(t, origin, "/x/y/")]) {
    const { page, problems } = await watched(t, chromium, home);
    const asked = [];
    page.on("request", (request) => request.method() === "OPTIONS" && asked.push(request.url()));
    await page.goto(`${home}docs`);
    assert.equal(page.url(), `${home}docs/`);

    // With the keyboard alone: past the header.
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to content");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.tagName), "MAIN");

    await page.keyboard.press("Control+k");
    await page.getByRole("searchbox").fill("create article");
    await page.keyboard.press("Enter");
    await page.waitForURL(`${home}docs/methods/article.create`);
    assert.equal(await page.locator("h1").innerText(), "Create an article");
    assert.equal(await page.locator(".address").textContent(), "POST /articleCopy for an assistant");
    await page.goto(`${home}docs/search?q=create+article`);
    asked.length = 0;
    await page.locator(".methods a", { hasText: "Create an article" }).first().click();
    await page.waitForURL(`${home}docs/methods/article.create`);

    const command = await page.locator("[data-server]").first().textContent();
    assert.ok(command.includes(`${home}article`), command);

    const form = page.locator(".form");
    await form.locator("form.token").waitFor();
    assert.deepEqual(asked, [`${home}article`], "of thousands of services, only the page's own is asked for");
    await form.locator(".token input").fill(user.token);
    await form.getByLabel("title").fill("From the pages");
    await form.getByLabel("text").fill("One line");
    await page.getByRole("button", { name: "Call" }).click();
    await page.locator(".panel .status strong").waitFor();
    assert.match(await page.locator(".panel .status strong").innerText(), /201/);
    assert.deepEqual(problems, []);
  }
});

test("the pages can be read without JavaScript", async (t) => {
  const chromium = await browser(t);
  const { url } = await serve(t);
  const { page, problems } = await watched(t, chromium, url, { javaScriptEnabled: false });
  await page.goto(`${url}docs/methods/article.create`);
  assert.match(await page.locator(".form").innerText(), /use the curl command below/);
  for (const language of ["sh", "js", "python", "php", "go"])
    assert.ok(await page.locator(`.panel [data-language=${language}]`).first().isVisible(), language);
  assert.ok(await page.locator("#parameter-title").isVisible());
  await page.locator("#server-errors summary").click();
  assert.ok(await page.locator("#server-errors table").isVisible(), "folded sections open without JavaScript");
  await page.getByRole("searchbox").fill("line");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${url}docs/search?q=line`);
  assert.ok((await page.locator(".methods li").count()) > 0);
  assert.deepEqual(problems, []);
});
