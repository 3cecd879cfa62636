// The pages of an API in a browser: three columns with the tree, the description and the panel that calls the method.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { DOT, author, behind, browser, codeOf, copied, picture, serve, watched } from "./support.mjs";

/** The maximum distance from the top of a method's page to its form, in heights of the screen of a phone. */
const MAX_SCREENS_TO_FORM = 1.5;

test("the pages of an API", async (t) => {
  const chromium = await browser(t);
  const { origin, url: direct } = await serve(t);
  const user = await author(origin);
  const homes = {
    "at the root": direct,
    "under static": `${direct}static/`,
    "behind a prefix": await behind(t, origin, "/x/y/"),
  };

  for (const [where, home] of Object.entries(homes)) {
    await t.test(`list and call methods, ${where}`, async (t) => {
      const { page, problems } = await watched(t, chromium, home);
      await page.goto(home);
      assert.equal(page.url(), `${home.replace("static/", "")}docs/`, "there is one set of pages");
      const api = await (await fetch(direct, { method: "OPTIONS" })).json();
      assert.deepEqual(await page.locator(".tree .modules summary").allInnerTexts(), Object.keys(api.modules));
      assert.match(await page.locator("h1").innerText(), new RegExp(`^${api.title}`));

      await choose(page, "GET /article/{id}");
      await fill(page, "id", "1");
      const { status, json } = await called(page);
      assert.equal(status, 200);
      assert.deepEqual(json, await (await fetch(`${origin}/article/1`)).json());
      await page.getByRole("tab", { name: "curl" }).click();
      await page.locator(".panel[data-code]").waitFor();
      assert.match(await page.locator(".tabs [data-language=sh]").textContent(), /^curl '.*\/article\/1'$/);
      await page.getByRole("tab", { name: "Try it" }).click();

      await choose(page, "POST /article");
      await page.locator("#token").fill(user.token);
      const text = "Two lines,\nboth kept: ü 你 '";
      await fill(page, "title", "From the page");
      await fill(page, "text", text);
      await page.getByRole("button", { name: "Add to tags" }).click();
      await fill(page, "tags 1", "a");
      await page.getByRole("button", { name: "Add to tags" }).click();
      await fill(page, "tags 2", "b");
      const written = await called(page);
      assert.equal(written.status, 201);
      const id = written.json.article_id;
      const stored = (await (await fetch(`${origin}/article/${id}`)).json()).article;
      assert.deepEqual([stored.title, stored.text, stored.tags], ["From the page", text, ["a", "b"]]);

      await choose(page, "POST /article/{id}/picture");
      await fill(page, "id", String(id));
      await fill(page, "alt", "A dot");
      await page.getByLabel("picture", { exact: true }).setInputFiles(DOT);
      assert.equal((await called(page)).status, 201);
      assert.match(await (await fetch(`${origin}/article/${id}`)).text(), /A dot/);

      await choose(page, "GET /article/{id}/picture");
      await fill(page, "id", String(id));
      await page.getByRole("button", { name: "Call" }).click();
      await page.locator(".response img").waitFor();
      assert.equal(await page.locator(".response img").evaluate((image) => image.decode().then(() => image.naturalWidth)), 1);
      assert.deepEqual(problems, []);
    });
  }

  await t.test("show the responses of calls, in the panel", async (t) => {
    const { page, problems } = await watched(t, chromium, direct);
    await page.goto(`${direct}docs/methods/article.read`);
    await fill(page, "id", "-5");
    const { status, json } = await called(page);
    assert.equal(status, 400);
    assert.equal(json.errors[0].parameter, "id");
    assert.ok(await page.locator(".status.error").isVisible());
    assert.match(await page.locator(".status").innerText(), /^400 Bad Request in \d+ ms, \d+ bytes$/);
    await page.getByRole("tab", { name: /^Headers/ }).click();
    assert.match(await page.locator(".header-fields pre").innerText(), /content-type: application\/problem\+json/);

    await fill(page, "id", "1");
    await called(page);
    const fold = page.locator(".response .fold").nth(1);
    await fold.click();
    assert.doesNotMatch(await page.locator(".response pre.json").innerText(), /article_id/);
    await fold.click();
    assert.match(await page.locator(".response pre.json").innerText(), /article_id/);
    assert.ok((await page.locator(".response pre .string").count()) > 3, "JSON is highlighted");
    await page.getByRole("button", { name: "Edit" }).click();
    await page.getByRole("button", { name: "Clear" }).click();
    await page.waitForFunction(() => document.querySelector(".response").childElementCount === 0);
    assert.deepEqual(problems, []);
  });

  await t.test("have tabs with highlighted code that can be copied", async (t) => {
    const options = { permissions: ["clipboard-read", "clipboard-write"] };
    const { page, problems } = await watched(t, chromium, direct, options);
    await page.goto(`${direct}docs/methods/article.create`);
    const tabs = page.getByRole("tab");
    await codeOf(page);
    assert.deepEqual(await tabs.allInnerTexts(), ["Try it", "curl", "rulebook.js", "fetch", "Python", "PHP", "Go"]);
    await tabs.first().focus();
    for (const name of ["curl", "rulebook.js", "fetch", "Python", "PHP", "Go"]) {
      await page.keyboard.press("ArrowRight");
      const panel = page.getByRole("tabpanel", { name, exact: true });
      assert.equal(await page.getByRole("tabpanel").count(), 1);
      const text = await panel.locator("code").textContent();
      assert.ok(text.includes(direct.replace(/\/$/, "")), `${name} calls this server: ${text}`);
      assert.ok((await panel.locator("code .string").count()) > 0, `${name} is highlighted`);
      assert.equal(await copied(panel.getByRole("button", { name: "Copy" })), text);
      await page.getByRole("tab", { name, exact: true }).focus();
    }
    await page.reload();
    assert.equal(await page.getByRole("tab", { selected: true }).innerText(), "Go", "the tab is remembered");
    assert.deepEqual(problems, []);
  });

  await t.test("describe methods in words that consumers know", async (t) => {
    const { page } = await watched(t, chromium, direct);
    await page.goto(`${direct}docs/methods/article.list`);
    const text = await page.locator("body").innerText();
    assert.match(text, /1 to 30 letters or digits/);
    for (const word of ["varchar", "alphanumeric", "in code", "envelope", "aicra", "Diagnostics", "regex"])
      assert.ok(!text.includes(word), word);
    assert.equal(await page.locator("#server-errors").getAttribute("open"), null, "errors of the server are folded");
    await page.locator("#definition summary").click();
    assert.match(await page.locator("#definition").innerText(), /varchar\(1,30,alphanumeric\)/);
    await page.goto(`${direct}docs/methods/article.list#definition`);
    assert.ok(await page.locator("#definition table").isVisible(), "a link to a folded section unfolds it");
  });

  await t.test("keep the token while the tab is open", async (t) => {
    const { page } = await watched(t, chromium, direct);
    const url = `${direct}docs/methods/article.read`;
    await page.goto(url);
    await page.locator("#token").fill("secret");
    await page.reload();
    assert.equal(await page.locator("#token").inputValue(), "secret");
    assert.equal(await page.locator("#token").getAttribute("type"), "password");
    const other = await page.context().newPage();
    await other.goto(url);
    assert.equal(await other.locator("#token").inputValue(), "");
  });

  await t.test("have the color scheme that the reader chooses", async (t) => {
    const { page, problems } = await watched(t, chromium, direct, { colorScheme: "light" });
    const dark = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await page.goto(direct);
    const light = await dark();
    await page.getByRole("button", { name: "Dark" }).click();
    const chosen = await dark();
    assert.notEqual(chosen, light);
    await page.goto(`${direct}docs/errors`);
    assert.equal(await dark(), chosen, "the choice is kept");
    await page.goto(`${direct}docs/swagger/`);
    assert.ok(await page.locator("html.dark-mode").count(), "Swagger UI has the same color scheme");
    await page.getByRole("link", { name: "Documentation" }).click();
    await page.waitForURL(`${direct}docs/`);
    assert.deepEqual(problems, []);
  });

  await t.test("have the form near on a phone", async (t) => {
    const height = 844;
    const { page, problems } = await watched(t, chromium, direct, { viewport: { width: 390, height } });
    for (const id of ["article.create", "article.illustrate", "article.list", "user.register"]) {
      await page.goto(`${direct}docs/methods/${id}`);
      await page.locator(".form form.call").waitFor({ state: "attached" });
      const button = page.getByRole("button", { name: "Try it" });
      const toButton = (await button.boundingBox()).y;
      await button.click();
      const input = page.locator(".form form.call .field").first();
      await input.waitFor();
      const screens = (toButton + (await input.boundingBox()).y) / height;
      console.log(`${id}: the form is ${screens.toFixed(2)} screens from the top of the page`);
      assert.ok(screens <= MAX_SCREENS_TO_FORM, `${id}: ${screens}`);
      assert.ok(await page.getByRole("tab", { name: "curl" }).isVisible());
      await page.getByRole("button", { name: "Close" }).click();
      assert.equal(await input.isVisible(), false);
    }
    assert.deepEqual(problems, []);
  });

  await t.test("work with the keyboard alone", async (t) => {
    const { page, problems } = await watched(t, chromium, direct);
    await page.goto(direct);
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
    const focused = () => page.evaluate(() => document.activeElement.getAttribute("href") ?? "");
    for (let n = 0; n < 30 && !(await focused()).startsWith("methods/"); n++) await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForURL(/methods\//);
    await page.locator(".form form.call").waitFor();
    const unnamed = await page.$$eval(
      "input, select, textarea",
      (all) => all.filter((one) => one.type !== "hidden" && one.labels.length === 0 && one.ariaLabel === null).length,
    );
    assert.equal(unnamed, 0, "every input has its label");
    assert.deepEqual(problems, []);
  });
});

test("text of a definition stays text", async (t) => {
  const mean = '<img src=x onerror="document.title=\'run\'"><script>document.title="run"</script>';
  const api = await mkdtemp(join(tmpdir(), "rulebook-api-"));
  t.after(() => rm(api, { recursive: true }));
  const parameter = { info: mean, type: "?string", name: "x", default: mean };
  const name = mean.replaceAll(" ", "/");
  const get = {
    info: mean,
    in: { [`GET@${mean}`]: parameter },
    out: { [name]: { info: mean, type: "any" } },
    errors: { [name]: { status: 404, info: mean } },
  };
  await writeFile(join(api, "app.json"), JSON.stringify({ title: mean, info: `${mean}\n \nMore`, base: "/a b/ü" }));
  await writeFile(
    join(api, "mean.json"),
    JSON.stringify({
      info: mean,
      GET: { info: "The root", in: { "GET@q": { info: "Which", type: "string" } } },
      "/": {
        "x<b>y": { GET: get },
        "100% & more/{id}": { GET: { info: "Odd", in: { "{id}": { info: "Which", type: "string" } } } },
      },
    }),
  );
  const { url } = await serve(t, { api, flags: ["--unbound", "echo"] });
  const { page, problems } = await watched(t, await browser(t), url);
  await page.goto(url);
  await choose(page, "GET /a%20b/%C3%BC/x%3Cb%3Ey");
  const { json } = await called(page);
  assert.equal(json.args.x, mean);
  assert.equal(await page.locator("body img, main script, main b").count(), 0);
  await choose(page, "GET /a%20b/%C3%BC/100%25%20&%20more/{id}");
  await fill(page, "id", "a/b c?#ü");
  assert.equal((await called(page)).json.args.id, "a/b c?#ü");
  await choose(page, "GET /a%20b/%C3%BC");
  await fill(page, "q", "x");
  assert.equal((await called(page)).json.args.q, "x");
  assert.notEqual(await page.title(), "run");
  assert.deepEqual(problems, []);
});

/** Opens the page of the method with this address by the tree. */
async function choose(page, address) {
  const place = page.getByText(address, { exact: true });
  const link = page.locator(".method").filter({ has: place });
  const module = page.locator(".tree details").filter({ has: link });
  if ((await module.getAttribute("open")) === null) await module.locator("summary").click();
  await link.click();
}

/** Fills the input of a parameter in the form, which is folded after a call. */
async function fill(page, name, value) {
  await page.locator("form.call").waitFor({ state: "attached" });
  if (await page.locator("form.call").isHidden()) await page.getByRole("button", { name: "Edit" }).click();
  await page.locator(".form").getByLabel(name, { exact: true }).fill(value);
}

/** Submits the form, and returns what the page shows of the response. */
async function called(page) {
  await page.locator("form.call").waitFor({ state: "attached" });
  await page.getByRole("button", { name: "Call" }).click();
  await page.locator(".send:not([data-waiting])").waitFor();
  await page.locator(".status strong").waitFor();
  const status = Number.parseInt(await page.locator(".status strong").innerText(), 10);
  return { status, json: JSON.parse(await page.locator(".response pre.json").textContent()) };
}
