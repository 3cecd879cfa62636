// Keys in the console: a key sends a method that changes something only after the reader has typed a value or gone to the
// button, whatever a link or the browser has filled in.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { browser, codeOf, picture, serve, watched } from "./support.mjs";

const id = { info: "Which", type: "id", name: "id", example: 3 };
const title = { info: "The title", type: "string(1,20)", example: "Tea" };
const DEFINITION = {
  info: "Notes",
  "/": {
    note: {
      POST: { id: "create", info: "Create", in: { title, parent: { info: "Below which", type: "id", example: 7 } } },
      DELETE: { id: "clear", info: "Delete by title", in: { title } },
    },
    "note/{id}": {
      GET: { id: "read", info: "Read", in: { "{id}": id } },
      PUT: { id: "write", info: "Write", in: { "{id}": id, title } },
      DELETE: { id: "remove", info: "Remove", in: { "{id}": id } },
    },
    rename: { POST: { id: "rename", info: "Rename", in: { title } } },
  },
};

test("keys in the console", async (t) => {
  const api = await mkdtemp(join(tmpdir(), "rulebook-api-"));
  t.after(() => rm(api, { recursive: true, force: true }));
  await writeFile(join(api, "notes.json"), JSON.stringify(DEFINITION));
  const { url } = await serve(t, { api, flags: ["--unbound", "echo"] });
  const chromium = await browser(t);

  /** Opens the page of a method, and returns functions that work with its form. `sent` has the requests of the form. */
  const opened = async (t, id) => {
    const { page, problems } = await watched(t, chromium, url);
    const sent = [];
    page.on("request", (request) => {
      const { pathname } = new URL(request.url());
      if (!pathname.startsWith("/docs") && request.method() !== "OPTIONS") sent.push(`${request.method()} ${pathname}`);
    });
    await page.goto(`${url}docs/methods/${id}`);
    await page.locator("form.call").waitFor();
    const field = (name) => page.locator("form.call").getByLabel(name, { exact: true });
    const button = page.locator(".send");
    const isFocused = (locator) => locator.evaluate((one) => one === document.activeElement);
    const ended = () => page.locator(".status strong", { hasText: "200 OK" }).waitFor();
    return { page, problems, sent, field, button, isFocused, ended };
  };
  /** Presses a key and holds it, so that the browser repeats it. */
  const hold = async (page, ...keys) => {
    for (const key of keys) await page.keyboard.down(key);
    for (let n = 0; n < 5; n += 1) await page.keyboard.down(keys.at(-1));
    for (const key of keys.reverse()) await page.keyboard.up(key);
  };

  await t.test("send no request that changes something from a page that has just been opened", async (t) => {
    for (const method of ["create", "clear", "write", "remove", "rename"]) {
      const { page, problems, sent } = await opened(t, method);
      await hold(page, "Control", "Enter");
      // A request of the form would be sent before this one.
      await page.evaluate(() => fetch("/note/1"));
      assert.deepEqual(sent, ["GET /note/1"], method);
      assert.deepEqual(problems, []);
    }
  });

  await t.test("find no record that an example selects", async (t) => {
    for (const [method, name] of [["write", "id"], ["remove", "id"], ["clear", "title"], ["create", "parent"]]) {
      const { page, field } = await opened(t, method);
      assert.equal(await field(name).inputValue(), "", method);
      assert.match(await field(name).getAttribute("placeholder"), /^e\.g\. /);
      await codeOf(page);
      assert.match(await page.locator(".tabs code[data-language=sh]").first().textContent(), /note\/3|Tea|"parent":7/);
    }
    const { field } = await opened(t, "read");
    assert.equal(await field("id").inputValue(), "3");
  });

  await t.test("focus the button, which says what it sends, and then press it", async (t) => {
    const { page, problems, sent, button, field, isFocused, ended } = await opened(t, "remove#try&{id}=5");
    assert.equal(await field("id").inputValue(), "5");
    await field("id").focus();
    await hold(page, "Enter");
    assert.ok(await isFocused(button));
    assert.equal(await button.textContent(), "Call DELETE /note/5");
    await picture(page, "console-keys");
    await page.evaluate(() => fetch("/note/1"));
    assert.deepEqual(sent.splice(0), ["GET /note/1"]);
    await hold(page, "Enter");
    await ended();
    assert.deepEqual(sent, ["DELETE /note/5"]);
    assert.equal(await button.textContent(), "Call");
    assert.deepEqual(problems, []);
  });

  await t.test("send no value of a link that is opened after the reader has typed", async (t) => {
    const { page, problems, sent, button, field } = await opened(t, "remove");
    await field("id").fill("4");
    await page.evaluate(() => (location.hash = "#try&{id}=5"));
    await page.waitForFunction(() => document.querySelector("form.call input").value === "5");
    await page.keyboard.press("Control+Enter");
    assert.equal(await button.textContent(), "Call DELETE /note/5");
    await page.evaluate(() => fetch("/note/1"));
    assert.deepEqual(sent, ["GET /note/1"]);
    assert.deepEqual(problems, []);
  });

  await t.test("send no record of a link because the reader has typed another value", async (t) => {
    const { page, problems, sent, button, field, ended } = await opened(t, "write#try&{id}=5");
    await field("title").fill("Coffee");
    await page.keyboard.press("Enter");
    assert.equal(await button.textContent(), "Call PUT /note/5");
    await page.evaluate(() => fetch("/note/1"));
    assert.deepEqual(sent.splice(0), ["GET /note/1"]);
    await field("id").fill("6");
    await page.keyboard.press("Enter");
    await ended();
    assert.deepEqual(sent, ["PUT /note/6"]);
    assert.deepEqual(problems, []);
  });

  await t.test("send no value that the browser or a script has filled in", async (t) => {
    const { page, problems, sent, field, button } = await opened(t, "remove");
    await field("id").evaluate((input) => {
      input.value = "6";
      for (const name of ["input", "change"]) input.dispatchEvent(new Event(name, { bubbles: true }));
    });
    await field("id").focus();
    await page.keyboard.press("Enter");
    assert.equal(await button.textContent(), "Call DELETE /note/6");
    await page.evaluate(() => fetch("/note/1"));
    assert.deepEqual(sent, ["GET /note/1"]);
    assert.deepEqual(problems, []);
  });

  await t.test("send what the reader has typed, once for each key that is pressed", async (t) => {
    for (const keys of [["Control", "Enter"], ["Enter"]]) {
      const { page, problems, sent, field, ended } = await opened(t, "write");
      await field("id").focus();
      await page.keyboard.type("8");
      await hold(page, ...keys);
      await ended();
      await page.evaluate(() => fetch("/note/1"));
      assert.deepEqual(sent, ["PUT /note/8", "GET /note/1"]);
      assert.deepEqual(problems, []);
    }
    const { page, sent, ended } = await opened(t, "rename");
    await page.getByRole("button", { name: "JSON", exact: true }).click();
    await page.getByLabel("The body in JSON").focus();
    await page.keyboard.press("Control+Enter");
    assert.equal(await page.locator(".send").textContent(), "Call POST /rename");
    await page.getByLabel("The body in JSON").fill('{"title":"x"}');
    assert.equal(await page.locator(".send").textContent(), "Call");
    await page.keyboard.press("Control+Enter");
    await ended();
    assert.deepEqual(sent, ["POST /rename"]);
  });

  await t.test("press the button to which the reader has gone", async (t) => {
    const { page, problems, sent, button, ended } = await opened(t, "rename");
    await button.focus();
    await page.keyboard.press("Space");
    await ended();
    assert.deepEqual(sent, ["POST /rename"]);
    assert.deepEqual(problems, []);
  });

  await t.test("send a method that changes nothing at once", async (t) => {
    const { page, problems, sent, ended } = await opened(t, "read");
    await page.keyboard.press("Control+Enter");
    await ended();
    assert.deepEqual(sent, ["GET /note/3"]);
    assert.deepEqual(problems, []);
  });
});
