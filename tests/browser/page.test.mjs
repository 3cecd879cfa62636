// The page of the API in a browser: it lists the services, calls methods, and shows the responses.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { DOT, author, behind, browser, picture, serve, watched } from "./support.mjs";

test("the page of the API", async (t) => {
  const chromium = await browser(t);
  const { origin, url: direct } = await serve(t);
  const user = await author(origin);
  const homes = {
    "at the root": direct,
    "under static": `${direct}static/`,
    "behind a prefix": await behind(t, origin, "/x/y/"),
  };

  for (const [where, home] of Object.entries(homes)) {
    await t.test(`lists and calls, ${where}`, async (t) => {
      const { page, problems } = await watched(t, chromium, home);
      await page.goto(home);
      await page.locator("#modules a").first().waitFor();
      const told = await (await fetch(direct, { method: "OPTIONS" })).json();
      const paths = Object.values(told.modules).flatMap((tree) => Object.keys(tree["/"]));
      assert.deepEqual(
        await page.locator("#modules .uri").allInnerTexts(),
        paths.map((path) => `/${path}`),
      );
      assert.equal(await page.locator("h1").innerText(), told.title);

      await page.locator("#modules a", { hasText: "/article/{id}" }).first().click();
      const read = method(page, "GET");
      await fill(read, "id", "1");
      const { status, json } = await called(read);
      assert.equal(status, 200);
      assert.deepEqual(json, await (await fetch(`${origin}/article/1`)).json());
      assert.match(await read.locator(".curl code").textContent(), /^curl '.*\/article\/1'$/);

      await page.locator("#token").fill(user.token);
      await page
        .locator("#modules a", { hasText: /^\/article(?!\/)/ })
        .first()
        .click();
      const write = method(page, "POST");
      await write.locator("summary").first().click();
      const text = "Two lines,\nboth kept: ü 你 '";
      await fill(write, "title", "From the page");
      await fill(write, "text", text);
      await fill(write, "tags", '["a", "b"]');
      const written = await called(write);
      assert.equal(written.status, 201);
      const id = written.json.article_id;
      const kept = (await (await fetch(`${origin}/article/${id}`)).json()).article;
      assert.deepEqual([kept.title, kept.text, kept.tags], ["From the page", text, ["a", "b"]]);

      await page.locator("#modules a", { hasText: "/picture" }).click();
      const illustrate = method(page, "POST");
      await illustrate.getByLabel("picture", { exact: true }).waitFor({ state: "attached" });
      await illustrate.locator("summary").first().click();
      await fill(illustrate, "id", String(id));
      await fill(illustrate, "alt", "A dot");
      await illustrate.getByLabel("picture", { exact: true }).setInputFiles(DOT);
      assert.equal((await called(illustrate)).status, 201);
      assert.match(await (await fetch(`${origin}/article/${id}`)).text(), /A dot/);
      assert.deepEqual(problems, []);
    });
  }

  await t.test("shows errors of the server", async (t) => {
    const { page, problems } = await watched(t, chromium, direct);
    await page.goto(`${direct}#/article/{id}`);
    const read = method(page, "GET");
    await fill(read, "id", "-5");
    const { status, json } = await called(read);
    assert.equal(status, 400);
    assert.equal(json.errors[0].parameter, "id");
    assert.ok(await read.locator(".status.error").isVisible());
    await page.goto(`${direct}#PUT%20/article/{id}`);
    const replace = method(page, "PUT");
    await fill(replace, "id", "1");
    assert.equal((await called(replace)).status, 401);
    await replace.getByRole("button", { name: "Clear" }).click();
    await page.waitForFunction(() => document.querySelector(".method[open] .response").childElementCount === 0);
    assert.deepEqual(problems, []);
  });

  await t.test("filters by path, text and parameters", async (t) => {
    const { page } = await watched(t, chromium, direct);
    await page.goto(direct);
    const shown = page.locator("#modules li:visible .uri");
    await shown.first().waitFor();
    const all = await shown.count();
    for (const [words, found] of [
      ["picture alt", ["/article/{id}/picture"]],
      ["PROFILE put", ["/user/{user_id}"]],
      ["no_line", ["/article/line"]],
      ["xyzzy", []],
    ]) {
      await page.locator("#filter").fill(words);
      assert.deepEqual(await shown.allInnerTexts(), found, words);
      assert.match(await page.locator("#count").innerText(), new RegExp(`^${found.length} of ${all} services$`));
    }
    await page.locator("#filter").fill("no_line");
    await page.keyboard.press("Enter");
    await method(page, "GET").waitFor();
    assert.equal(new URL(page.url()).hash, "#/article/line");
  });

  await t.test("keeps the token while the tab is open", async (t) => {
    const { page } = await watched(t, chromium, direct);
    await page.goto(direct);
    await page.locator("#token").fill("secret");
    await page.reload();
    await page.locator("#modules a").first().waitFor();
    assert.equal(await page.locator("#token").inputValue(), "secret");
    assert.equal(await page.locator("#token").getAttribute("type"), "password");
    const other = await page.context().newPage();
    await other.goto(direct);
    assert.equal(await other.locator("#token").inputValue(), "");
  });

  await t.test("works with the keyboard alone", async (t) => {
    const { page, problems } = await watched(t, chromium, direct);
    await page.goto(direct);
    await page.locator("#modules a").first().waitFor();
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
    for (let n = 0; n < 20 && !(await focused(page)).startsWith("#/"); n++) await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.locator(".method[open]").first().waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), "view", "the opened method has the focus");
    const unnamed = await page.$$eval(
      "input, select, textarea",
      (all) => all.filter((one) => one.labels.length === 0).length,
    );
    assert.equal(unnamed, 0, "every input has its label");
    assert.deepEqual(problems, []);
  });

  await t.test("can be read without JavaScript", async (t) => {
    const { page } = await watched(t, chromium, direct, { javaScriptEnabled: false });
    for (const home of Object.values(homes)) {
      await page.goto(home);
      assert.ok(await page.getByRole("heading", { name: "The services of this API" }).isVisible());
      assert.equal(await page.locator("#filter").isVisible(), false);
      const text = page.frameLocator("iframe").locator("body");
      assert.match(await text.innerText(), /\/article\/\{id\}/);
      for (const link of await page.locator("header nav a").all()) {
        const answer = await page.request.get(new URL(await link.getAttribute("href"), home).href);
        assert.equal(answer.status(), 200, `${home}: ${answer.url()}`);
      }
    }
    await picture(page, "page-unscripted");
  });

  for (const scheme of ["light", "dark"]) {
    for (const [device, width, height] of [
      ["desktop", 1280, 860],
      ["phone", 390, 844],
    ]) {
      await t.test(`fits a ${device}, ${scheme}`, async (t) => {
        const { page, problems } = await watched(t, chromium, direct, {
          viewport: { width, height },
          colorScheme: scheme,
        });
        for (const [name, hash] of [
          ["overview", "#/"],
          ["service", "#/article/{id}"],
          ["upload", "#/article/{id}/picture"],
        ]) {
          // Another URL each time, so that the page is loaded again without any state. `?service` would select a
          // service.
          await page.goto(`${direct}?page-${name}${hash}`);
          await page.locator("#view h1").waitFor();
          if (name === "service") {
            await fill(method(page, "GET"), "id", "1");
            await called(method(page, "GET"));
          }
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          assert.ok(overflow <= 0, `${name} is ${overflow} px too wide`);
          assert.deepEqual(await pale(page), [], `${name}: contrast`);
          await picture(page, `page-${name}-${device}-${scheme}`, true);
        }
        assert.deepEqual(problems, []);
      });
    }
  }
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
      "/": {
        "x<b>y": { GET: get },
        "100% & more/{id}": { GET: { info: "Odd", in: { "{id}": { info: "Which", type: "string" } } } },
      },
    }),
  );
  const { url } = await serve(t, { api, flags: ["--unbound", "echo"] });
  const { page, problems } = await watched(t, await browser(t), url);
  await page.goto(url);
  await page.locator("#modules a").first().waitFor();
  assert.equal(await page.locator("main .lead").innerText(), mean, "the first paragraph says what the API is");
  await page.locator("#modules a", { hasText: "x<b>y" }).click();
  const { json } = await called(method(page, "GET"));
  assert.equal(json.args.x, mean);
  assert.equal(await page.locator("main img, main script, main b").count(), 0);
  await page.locator("#modules a", { hasText: "100%" }).click();
  await fill(method(page, "GET"), "id", "a/b c?#ü");
  assert.equal((await called(method(page, "GET"))).json.args.id, "a/b c?#ü");
  assert.notEqual(await page.title(), "run");
  assert.deepEqual(problems, []);
});

function method(page, http) {
  return page.locator(`#m-${http}`);
}

async function fill(method, name, value) {
  await method.getByLabel(name, { exact: true }).fill(value);
}

/** Submits the form of a method, and returns what the page shows of the response. */
async function called(method) {
  await method.getByRole("button", { name: "Call" }).click();
  await method.locator(".status").waitFor();
  const status = Number.parseInt(await method.locator(".status strong").innerText(), 10);
  return { status, json: JSON.parse(await method.locator("pre.json").innerText()) };
}

function focused(page) {
  return page
    .evaluate(() => document.activeElement.getAttribute("href") ?? "")
    .then((href) => (href === "#/" ? "" : href));
}

/** Returns the visible texts whose contrast with their background is below 4.5 to 1 (WCAG 2.2, 1.4.3). */
function pale(page) {
  return page.evaluate(() => {
    const numbers = (color) => color.match(/[\d.]+/g).map(Number);
    const light = ([r, g, b]) => {
      const [x, y, z] = [r, g, b]
        .map((value) => value / 255)
        .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
      return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const behind = (element) => {
      for (let one = element; one; one = one.parentElement) {
        const color = numbers(getComputedStyle(one).backgroundColor);
        if ((color[3] ?? 1) > 0) return color;
      }
      return [255, 255, 255];
    };
    const found = [];
    for (const element of document.querySelectorAll("body *")) {
      const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== "");
      if (!own || !element.checkVisibility() || element.matches("option, :disabled")) continue;
      const [a, b] = [light(numbers(getComputedStyle(element).color)), light(behind(element))];
      const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (contrast < 4.5)
        found.push(
          `${element.tagName} ${element.className} ${element.textContent.slice(0, 30)}: ${contrast.toFixed(2)}`,
        );
    }
    return found;
  });
}
