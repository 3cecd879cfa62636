// The documentation pages: the tree of modules and methods, the dialog of the search, the pages of unions, and the layout
// of the content.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { SCREENS, accessible, browser, key, picture, serve, watched } from "./support.mjs";

/** The maximum size of a page with all files that it loads, in bytes as transferred, with header fields. */
const MAX_PAGE_BYTES = 60_000;
/** The maximum size of the scripts of a page, in bytes as transferred, without header fields. */
const MAX_SCRIPT_BYTES = 40_000;
/** The maximum number of times that a reader presses Tab from the start of a page to the first input of the form. */
const MAX_TABS_TO_FORM = 12;

const field = (type, info = "Its value") => ({ info, type });

/** A definition with unions, markdown in descriptions, and long names of errors. */
async function shop(t) {
  const api = await mkdtemp(join(tmpdir(), "rulebook-api-"));
  t.after(() => rm(api, { recursive: true, force: true }));
  const create = {
    id: "order.create",
    info: "Place an order. It is **paid** at once.\n\n- Send the `lines`\n- See [the guide](https://example.org/guide)",
    in: { payment: { info: "How it is *paid*", type: "Payment" }, note: field("?string", "A `note`\n\n1. short\n2. plain") },
    errors: {
      out_of_stock: { status: 409, info: "A product is **out of stock**" },
      payment_refused_by_the_bank: { status: 402, info: "The bank refused" },
    },
  };
  const definition = {
    info: "Orders and **payments**",
    schemas: {
      Card: { info: "A card", fields: { number: field("string(16,16)") } },
      Cash: { info: "Cash", fields: { coins: field("?int") } },
      Payment: { info: "One of **two** ways", type: "union", tag: "by", of: { card: "Card", cash: "Cash" } },
    },
    "/": { orders: { GET: { info: "List orders" }, POST: create } },
  };
  await writeFile(join(api, "app.json"), JSON.stringify({ title: "Shop", timezone: "Europe/Paris" }));
  await writeFile(join(api, "orders.json"), JSON.stringify(definition));
  return api;
}

test("the tree of modules and methods", async (t) => {
  const chromium = await browser(t);
  const { url, data } = await serve(t);
  const author = await key(data, "author");

  await t.test("shows titles, and keeps which modules are unfolded", async (t) => {
    const { page, problems } = await watched(t, chromium, url);
    await page.goto(`${url}docs/methods/article.read`);
    const open = page.locator(".tree details[open] > summary");
    assert.deepEqual(await open.allInnerTexts(), ["article"]);
    const current = page.locator(".tree [aria-current=page]");
    assert.match(await current.innerText(), /^Return an article\s+GET\s*\/article\/\{id\}$/);
    await page.locator(".tree summary", { hasText: /^user$/ }).click();
    await page.getByRole("link", { name: "Errors", exact: true }).click();
    await page.waitForURL(/errors$/);
    assert.deepEqual(await open.allInnerTexts(), ["article", "user"].filter((name) => name === "user"));
    assert.equal(await page.locator("h1").innerText(), "Errors");
    assert.deepEqual(problems, []);
  });

  await t.test("is one tab stop, with keys that move between its entries", async (t) => {
    const { page, problems } = await watched(t, chromium, url);
    await page.goto(`${url}docs/methods/article.read`);
    const stops = page.locator(".tree :is(a, summary):not([tabindex='-1'])");
    const text = async () => (await page.locator(".tree :focus").innerText()).split("\n")[0].trim();
    assert.equal(await stops.count(), 1);
    await stops.focus();
    assert.equal(await text(), "Return an article");
    for (const [key, expected] of [
      ["Home", "Overview"],
      ["ArrowUp", "Overview"],
      ["ArrowDown", "Errors"],
      ["p", "publication"],
      ["ArrowRight", "publication"],
      ["ArrowRight", "About this module"],
      ["ArrowLeft", "publication"],
      ["ArrowLeft", "publication"],
      ["a", "Author"],
      ["a", "article"],
      ["a", "About this module"],
      ["ArrowUp", "article"],
      ["Enter", "article"],
      ["ArrowDown", "iapi"],
      ["End", "user"],
    ]) {
      await page.keyboard.press(key);
      assert.equal(await text(), expected, key);
    }
    assert.equal(await page.locator(".tree details[open]").count(), 0);
    assert.ok(await page.locator(".tree .keys").isVisible());
    // A module that is folded with the mouse does not hide the only tab stop.
    await page.locator(".tree summary", { hasText: "article" }).click();
    await page.locator(".tree details[open] .method").first().focus();
    await page.locator(".tree summary", { hasText: "article" }).dispatchEvent("click");
    await page.locator(".tree details:not([open]) summary[tabindex='0']", { hasText: "article" }).waitFor();
    await page.keyboard.press("Home");
    await page.locator(".tree summary", { hasText: "article" }).focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("r");
    const title = await text();
    await page.keyboard.press("Enter");
    await page.waitForFunction((title) => document.querySelector("h1")?.innerText === title, title);
    assert.deepEqual(problems, []);
  });

  await t.test("marks methods that require permissions, and dims those that the caller may not call", async (t) => {
    const { page, problems } = await watched(t, chromium, url);
    const asked = [];
    page.on("request", (request) => request.url().includes("as=me") && asked.push(request.url()));
    const entry = (id) => page.locator(`.tree .method[href$="methods/${id}"]`);
    await page.goto(`${url}docs/methods/article.create`);
    assert.ok(await entry("article.create").getByRole("img", { name: "requires permissions" }).isVisible());
    assert.equal(await entry("article.read").getByRole("img").count(), 0);
    assert.deepEqual(asked, []);
    await page.locator("#token").fill(author);
    await page.locator("#token").blur();
    await page.locator(".tree .denied").first().waitFor();
    assert.equal(await entry("article.create").getByRole("img").count(), 0, "the caller may create articles");
    assert.ok(await entry("article.remove").getByRole("img", { name: "you may not call it" }).isVisible());
    await accessible(page, "with marks of the permissions", ".tree");
    await page.reload();
    await page.locator(".tree .denied").first().waitFor();
    assert.equal(asked.length, 1, "the response is kept while the credential is the same");
    assert.deepEqual(problems, []);
  });
});

test("the dialog of the search", async (t) => {
  const chromium = await browser(t);
  const { url } = await serve(t);
  const { page, problems } = await watched(t, chromium, url);
  const dialog = page.getByRole("dialog", { name: "Search" });
  const input = dialog.getByRole("searchbox");
  const status = dialog.getByRole("status");
  const first = dialog.locator("li a").first();
  /** Searches for words, and waits for the results. */
  const find = async (words) => {
    const answered = page.waitForResponse((response) => response.url().includes("/search/results?"));
    await input.fill(words);
    await answered;
    await dialog.locator(".chosen, .results :is(p, li)").first().waitFor();
  };

  for (const [words, href] of [
    ["create article", "methods/article.create"],
    ["GET /article/3/picture", "methods/article.picture"],
    ["artcle", "methods/article.list"],
    ["rate limit", "errors#too-many-requests"],
    ["pagination", "methods/article.list"],
    ["invalid-parameter", "errors#invalid-parameter"],
    ["ListedArticle", "schemas/ListedArticle"],
    ["no_such_line", "methods/article.line.get"],
    ["union-overlap", "diagnostics#union-overlap"],
    ["license", "#settings"],
    ["cors", "#settings"],
    ["max_body", "errors#limit-body"],
    ["sign in", "methods/user.login"],
    ["typescript", "api.d.ts"],
  ]) {
    await page.goto(`${url}docs/methods/article.read`);
    await page.keyboard.press("Control+k");
    await find(words);
    assert.ok((await first.getAttribute("href")).endsWith(href), `${words}: ${await first.getAttribute("href")}`);
  }

  // The arrow keys select, Enter opens, and the reader can continue to type.
  await page.goto(`${url}docs/errors`);
  await page.locator("#content").focus();
  await page.keyboard.press("/");
  await find("article");
  const links = await dialog.locator("li a").evaluateAll((all) => all.map((one) => one.href));
  assert.ok(links.length > 10, `${links}`);
  const focused = () => page.evaluate(() => document.activeElement.href);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  assert.equal(await focused(), links[1]);
  await page.keyboard.press("ArrowUp");
  assert.equal(await focused(), links[0]);
  await page.keyboard.press("ArrowUp");
  assert.equal(await page.evaluate(() => document.activeElement.id), "search");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.type("s");
  assert.equal(await input.inputValue(), "articles");
  await accessible(page, "the search");
  await picture(page, "find-1280");
  await page.keyboard.press("Escape");
  assert.equal(await dialog.count(), 0);
  await page.keyboard.press("Control+k");
  assert.equal(await input.inputValue(), "articles", "the words are kept, and selected");
  await find("lines article");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${url}docs/methods/article.line.get`);

  // A parameter is an entry of its own.
  await page.keyboard.press("Control+k");
  await find("no_line");
  await dialog.locator("li a", { hasText: "no_line" }).first().click();
  await page.waitForURL(/article\.line\.get#(parameter|output)-no_line$/);
  assert.equal(await dialog.count(), 0, "the dialog is closed on the page of the parameter");

  // Suggestions, if nothing is found.
  await page.keyboard.press("Control+k");
  await find("pictograph");
  assert.match(await status.innerText(), /^Nothing contains pictograph\./);
  await dialog.getByRole("link", { name: "picture", exact: true }).click();
  await page.waitForFunction(() => /Found/.test(document.querySelector("dialog [role=status]").textContent));
  assert.equal(await input.inputValue(), "picture");
  await find("xyzzy qqqq");
  assert.ok(await dialog.getByRole("link", { name: "All methods and modules" }).isVisible());
  const before = page.url();
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement.id === "search");
  assert.equal(page.url(), before, "Enter opens no suggestion");

  // Enter waits for the results of the text that was typed, also while the server responds slowly.
  await find("license");
  let respond;
  const isHeld = new Promise((resolve) => (respond = resolve));
  await page.route(/search\/results.*picture/, async (route) => {
    await isHeld;
    await route.continue();
  });
  const asked = page.waitForRequest(/search\/results.*picture/);
  await input.fill("article/3/picture");
  await asked;
  await page.keyboard.press("Enter");
  assert.equal(page.url(), before);
  respond();
  await page.waitForURL(`${url}docs/methods/article.picture`);
  assert.deepEqual(problems, []);
});

test("a page that does not exist has a search on a phone", async (t) => {
  const chromium = await browser(t);
  const { url } = await serve(t);
  for (const javaScriptEnabled of [true, false]) {
    const { page } = await watched(t, chromium, url, { viewport: { width: 390, height: 844 }, javaScriptEnabled });
    await page.goto(`${url}docs/nowhere/pictur`);
    const search = javaScriptEnabled ? page.getByRole("button", { name: "Search" }) : page.getByRole("searchbox");
    assert.ok(await search.isVisible());
    assert.ok((await page.locator("main .methods li").count()) > 0, "the words of the path are searched");
  }
});

test("unions and markdown on pages", async (t) => {
  const chromium = await browser(t);
  const { url } = await serve(t, { api: await shop(t), flags: ["--unbound", "echo"] });

  await t.test("the types of a union are tabs", async (t) => {
    const { page, problems } = await watched(t, chromium, url);
    for (const path of ["schemas/Payment", "methods/order.create"]) {
      await page.goto(`${url}docs/${path}`);
      const union = page.locator("main .union").first();
      const tabs = union.getByRole("tab");
      assert.deepEqual(await tabs.allInnerTexts(), ["card", "cash"], path);
      const panel = union.getByRole("tabpanel");
      assert.equal(await panel.count(), 1);
      assert.match(await panel.innerText(), /by[\s\S]*number[\s\S]*"by": "card"/);
      await tabs.first().focus();
      await page.keyboard.press("ArrowRight");
      assert.match(await panel.innerText(), /by[\s\S]*coins[\s\S]*"by": "cash"/);
    }
    assert.deepEqual(problems, []);
  });

  await t.test("all types are visible without JavaScript", async (t) => {
    const { page } = await watched(t, chromium, url, { javaScriptEnabled: false });
    await page.goto(`${url}docs/schemas/Payment`);
    for (const name of ["number", "coins"]) assert.ok(await page.locator(".fields code", { hasText: name }).first().isVisible());
  });

  await t.test("descriptions are markdown", async (t) => {
    const { page } = await watched(t, chromium, url);
    await page.goto(`${url}docs/methods/order.create`);
    assert.equal(await page.locator("h1").innerText(), "Place an order");
    assert.equal(await page.locator("main > p strong").innerText(), "paid");
    assert.equal(await page.locator("main > ul:not(.fields) a").getAttribute("href"), "https://example.org/guide");
    assert.equal(await page.locator("#parameter-note code", { hasText: /^note$/ }).count(), 2);
    assert.equal(await page.locator("main td strong").innerText(), "out of stock");
    for (const path of ["", "modules/orders", "schemas/Payment", "methods/order.create"]) {
      await page.goto(`${url}docs/${path}`);
      // Examples show the text that the server sends.
      await page.evaluate(() => document.querySelectorAll("main figure").forEach((one) => one.remove()));
      assert.doesNotMatch(await page.locator("main").innerText(), /\*\*|\]\(/, path);
    }
  });
});

test("the layout of the content", async (t) => {
  const chromium = await browser(t);
  const { url } = await serve(t, { api: await shop(t), flags: ["--unbound", "echo"] });
  for (const { width, colorScheme } of SCREENS) {
    const { page } = await watched(t, chromium, url, { colorScheme, viewport: { width, height: 900 } });
    for (const path of ["", "errors", "methods/order.create", "schemas/Payment", "search?q=order"]) {
      await page.goto(`${url}docs/${path}`);
      await page.evaluate(() => document.querySelectorAll("main details").forEach((one) => (one.open = true)));
      const measure = () => page.evaluate(() => {
        const problems = [];
        // Rules end at the same place.
        const ends = [...document.querySelectorAll("main > :is(h2, table, .fields, .methods, figure, details, .union, .address)")];
        const rights = new Set(ends.map((one) => Math.round(one.getBoundingClientRect().right)));
        if (rights.size > 1) problems.push(`rules end at ${[...rights]}`);
        for (const table of document.querySelectorAll("main table")) {
          const head = [...table.querySelectorAll("thead th")].map((one) => one.textContent);
          for (const [index, name] of head.entries()) {
            const cells = [...table.querySelectorAll(`tbody tr > :nth-child(${index + 1})`)];
            if (cells.every((cell) => cell.textContent.trim() === "")) problems.push(`the column ${name} is empty`);
          }
          const names = [...table.querySelectorAll("tbody th")].map((one) => one.textContent);
          if (new Set(names).size < names.length) problems.push(`the rows ${names}`);
          if (table.getBoundingClientRect().width > document.querySelector("main").clientWidth) problems.push("a table is too wide");
        }
        const header = document.querySelector("header").offsetHeight;
        if (innerWidth > 800 && header > 60) problems.push(`the header is ${header} px high`);
        // Names and numbers in tables are not broken.
        const words = document.querySelectorAll(':is(th, td) code:not(.long) bdi, td[data-label="Status"] div');
        for (const word of words) {
          const range = document.createRange();
          range.selectNodeContents(word);
          const lines = new Set([...range.getClientRects()].map((one) => Math.round(one.top)));
          if (lines.size > 1) problems.push(`${word.textContent} is broken`);
        }
        return problems;
      });
      // The layout changes once more when the form of a method has been loaded.
      let found = await measure();
      for (const begun = Date.now(); found.length > 0 && Date.now() - begun < 20_000; found = await measure()) {
        await page.evaluate(() => new Promise(requestAnimationFrame));
      }
      assert.deepEqual(found, [], `${path} at ${width}`);
      await accessible(page, `${path} at ${width}`);
    }
  }
});

test("pages are small, and the form is near with the keyboard", async (t) => {
  const chromium = await browser(t);
  const { url } = await serve(t);
  const { page, problems } = await watched(t, chromium, url);
  const client = await page.context().newCDPSession(page);
  await client.send("Network.enable");
  const types = new Map();
  const sizes = [];
  client.on("Network.responseReceived", ({ requestId, type, response }) => types.set(requestId, [type, response]));
  client.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    const [type, response] = types.get(requestId);
    const body = Number(response.headers["content-length"] ?? encodedDataLength);
    sizes.push([type, encodedDataLength, body]);
  });
  for (const path of ["", "methods/article.create", "schemas/Article", "errors"]) {
    sizes.length = 0;
    await client.send("Network.clearBrowserCache");
    await page.goto(`${url}docs/${path}`, { waitUntil: "networkidle" });
    if (path.startsWith("methods/")) await page.locator("form.call").waitFor();
    const all = sizes.reduce((total, [, size]) => total + size, 0);
    const scripts = sizes.reduce((total, [type, , body]) => total + (type === "Script" ? body : 0), 0);
    console.log(`/docs/${path}: ${all} bytes, of which ${scripts} are scripts`);
    assert.ok(all <= MAX_PAGE_BYTES, `${path}: ${all}`);
    assert.ok(scripts <= MAX_SCRIPT_BYTES, `${path}: ${scripts}`);
  }

  for (const id of ["article.create", "article.read", "user.login"]) {
    await page.goto(`${url}docs/methods/${id}`);
    await page.locator("form.call").waitFor();
    const isInForm = () => page.evaluate(() => document.activeElement.closest("form.call") !== null);
    let tabs = 0;
    for (; tabs < 30 && !(await isInForm()); tabs++) await page.keyboard.press("Tab");
    console.log(`${id}: ${tabs} times Tab to the first input of the form`);
    assert.ok(tabs <= MAX_TABS_TO_FORM, `${id}: ${tabs}`);
  }
  // The link that skips the rest of the page is faster.
  await page.goto(`${url}docs/methods/article.create`);
  await page.locator("form.call").waitFor();
  for (const key of ["Tab", "Tab", "Enter"]) await page.keyboard.press(key);
  assert.ok(await page.locator("form.call :focus").count());
  assert.deepEqual(problems, []);
});
