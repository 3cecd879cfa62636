// The fields of forms and what they send: secrets, null, lines, dates and nested values; their errors; and the
// responses, which the tests replace by others.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { browser, codeOf, copied, serve, top, watched } from "./support.mjs";

const api = join(top, "tests/browser/fields");

test("the fields of a form", async (t) => {
  const chromium = await browser(t);
  const { url } = await serve(t, { api, flags: ["--unbound", "echo"] });

  /** Opens the page of a method, and returns functions that work with its form. */
  const opened = async (t, id, options = {}) => {
    const { page, problems } = await watched(t, chromium, url, options);
    await page.goto(`${url}docs/methods/${id}`);
    await page.locator("form.call").waitFor({ state: "attached" });
    const button = (name) => page.getByRole("button", { name, exact: true });
    const field = (name) => page.locator("form.call").getByLabel(name, { exact: true });
    const called = async () => {
      await button("Call").click();
      await page.locator(".send:not([data-waiting])").waitFor();
      return page.locator(".status strong").innerText();
    };
    const received = async () => JSON.parse(await page.locator(".response pre.json").textContent()).args;
    const errors = () => page.locator(".problem:visible").allInnerTexts();
    return { page, problems, button, field, called, received, errors };
  };
  const isFocused = (locator) => locator.evaluate((element) => element === document.activeElement);

  await t.test("secrets are masked, and are not in the address", async (t) => {
    const { page, problems, button, field, called, received } = await opened(t, "secrets");
    const SECRET = "nested-secret";
    for (const input of await field("password").all()) await input.fill(SECRET);
    assert.equal(await page.locator("form.call input[type=password]").count(), 6);
    assert.equal(await field("shipping").getAttribute("type"), "text");
    // As on the server, see the test `http::extraction`.
    const names = ["userPINCode_2", "pins", "api-key", "X-Auth", "PASSWD", "shipping", "author", "opinion", "monkey", "compass"];
    const isSecret = await page.evaluate(async (all) => {
      const { isSecret } = await import("../kinds.js");
      return all.map(isSecret);
    }, names);
    assert.deepEqual(isSecret, names.map((_, n) => n < 5));
    await field("shipping").fill("by train");
    assert.equal(await called(), "200 OK");
    assert.equal((await received()).account.password, SECRET);
    const secrets = [SECRET, "list-secret", "confirmed-secret", "query-secret", "987654321"];
    const isMasked = async () => {
      for (const secret of secrets) {
        assert.ok(!page.url().includes(secret), `${secret} in ${page.url()}`);
        for (const code of await page.locator(".tabs code[data-language], .sent code").allTextContents())
          assert.ok(!code.includes(secret), `${secret} in ${code}`);
      }
      assert.ok(page.url().includes("by+train"), page.url());
      const sent = await page.locator(".sent code").textContent();
      assert.match(sent, /"userPIN": "\*{8}"/);
      assert.match(sent, /"shipping": "by train"/);
    };
    await codeOf(page);
    await isMasked();
    await button("Edit").click();
    await button("JSON").click();
    assert.equal(await called(), "200 OK");
    assert.equal((await received()).account.password, SECRET, "the request contains it");
    await isMasked();
    assert.deepEqual(problems, []);
  });

  await t.test("null and texts stay different in the address", async (t) => {
    const { page, problems, field, called, received } = await opened(t, "null");
    await field("Kind of a").selectOption({ label: "null" });
    assert.equal(await called(), "200 OK");
    await page.reload();
    await page.locator("form.call").waitFor();
    assert.equal(await called(), "200 OK");
    assert.deepEqual(await received(), { a: null, b: "null" });
    assert.deepEqual(problems, []);
  });

  await t.test("texts keep their line breaks, also in JSON", async (t) => {
    const { page, problems, button, field, called, received } = await opened(t, "lines");
    await button("JSON").click();
    const body = { note: "first\nsecond", title: "third\nfourth" };
    const text = page.getByLabel("The body in JSON");
    assert.equal(JSON.parse(await text.inputValue()).note, body.note);
    await text.fill(JSON.stringify(body));
    await button("Form").click();
    assert.equal(await field("title").inputValue(), body.title);
    assert.equal(await called(), "200 OK");
    assert.deepEqual(await received(), body);
    assert.deepEqual(problems, []);
  });

  await t.test("a date that does not exist is an error", async (t) => {
    const { page, problems, button, field, errors } = await opened(t, "day");
    const requests = [];
    page.on("request", (request) => new URL(request.url()).pathname === "/day" && requests.push(request.url()));
    await field("day").focus();
    await page.keyboard.type("02312026");
    await field("day").blur();
    const expected = ["Expected a date that exists, such as 2026-12-31."];
    assert.deepEqual(await errors(), expected);
    await button("Call").click();
    assert.deepEqual(await errors(), expected);
    assert.ok(await isFocused(field("day")));
    assert.deepEqual([requests, problems], [[], []]);
  });

  await t.test("an error stays until its field is corrected", async (t) => {
    const { page, problems, button, field, called, errors } = await opened(t, "two");
    for (const name of ["a", "b", "q"]) await field(name).fill("12");
    assert.equal(await called(), "400 Bad Request");
    assert.equal((await errors()).length, 3);
    await field("a").fill("5");
    await field("a").blur();
    assert.equal((await errors()).length, 2);
    const described = await field("a").getAttribute("aria-describedby");
    assert.doesNotMatch(described, /problem/);
    await button("JSON").click();
    await page.getByLabel("The body in JSON").fill('{"a":1,"b":2}');
    assert.equal(await called(), "400 Bad Request");
    assert.deepEqual(await errors(), ["Expected a whole number from 1 to 9, got 12."]);
    assert.ok(await isFocused(field("q")), "the error of the query is at its field");
    assert.deepEqual(problems, []);
  });

  await t.test("rows of a map have different names", async (t) => {
    const { page, problems, button, errors } = await opened(t, "two");
    await button("Add m").click();
    const names = page.getByLabel("m: name", { exact: true });
    while ((await names.count()) < 2) await button("Add to m").click();
    await names.nth(0).fill("same");
    await names.nth(1).fill("same");
    await button("Call").click();
    assert.deepEqual(new Set(await errors()), new Set(["Another row has the same name."]));
    assert.equal(await page.locator(".status strong").count(), 0);
    assert.deepEqual(problems, []);
  });

  await t.test("nested fields have words, bounds and examples", async (t) => {
    const { page, problems, button, field, called, received } = await opened(t, "shapes");
    await field("Kind of item").selectOption({ label: "square" });
    const day = field("day");
    assert.deepEqual([await day.getAttribute("min"), await day.getAttribute("max")], ["2026-01-01", "2026-12-31"]);
    const words = (input) =>
      input.evaluate((one) => document.getElementById(one.getAttribute("aria-describedby").split(" ").at(-1)).textContent);
    assert.equal(await words(day), "A day: a date (YYYY-MM-DD) from 2026-01-01 to 2026-12-31");
    assert.equal(await words(field("side")), "The side,\nin mm\na whole number from 1 to 9");
    assert.match(await words(field("days 1")), /Days.*each item a date \(YYYY-MM-DD\)/);
    assert.ok(await button("Add to item").isVisible());
    await button("Add to shapes").click();
    await field("Kind of item").nth(1).selectOption({ label: "group" });
    assert.equal(await called(), "200 OK");
    const { shapes } = await received();
    assert.deepEqual(Object.keys(shapes[0]).sort(), ["day", "kept", "kind", "side"], "of optional fields, only a declared example");
    assert.equal(shapes[1].shapes[0].kind, "circle");
    assert.deepEqual(problems, []);
  });

  await t.test("an error with the status of a success is shown as an error", async (t) => {
    const { page, problems, field, called, errors } = await opened(t, "phal.two");
    await field("a").fill("44");
    await field("c").fill("0");
    assert.equal(await called(), "200 OK, error 400");
    assert.ok(await page.locator(".status.error").isVisible());
    assert.deepEqual(await errors(), ["Expected a whole number from 1 to 9.", "Expected a whole number from 1 to 9."]);
    assert.deepEqual(problems, []);
  });

  await t.test("the focus stays, and a failed call keeps the form", async (t) => {
    const { page, problems, button } = await opened(t, "two", { viewport: { width: 390, height: 844 } });
    await button("Try it").click();
    await page.route(`${url}two**`, (route) => route.fulfill({ status: 401, json: { status: 401, title: "No" } }));
    await button("Call").focus();
    await page.keyboard.press("Enter");
    await page.locator(".status strong", { hasText: "401" }).waitFor();
    assert.ok(await isFocused(button("Call")));
    assert.ok(await page.locator("form.call").isVisible());
    await page.unroute(`${url}two**`);
    await page.route(`${url}two**`, (route) => route.fulfill({ json: { token: "abc" } }));
    await page.keyboard.press("Enter");
    await button("Use this token").click();
    assert.match(await page.evaluate(() => document.activeElement.textContent), /send this token/);
    await page.keyboard.press("Escape");
    assert.ok(await isFocused(button("Try it")));
    assert.deepEqual(problems, []);
  });

  await t.test("a call can be cancelled, and an emptied form has no address", async (t) => {
    const { page, problems, button, field } = await opened(t, "two");
    await page.route(`${url}two**`, () => {});
    await field("a").fill("7");
    await field("a").blur();
    assert.match(page.url(), /#try&/);
    await button("Call").click();
    await button("Cancel").click();
    await page.locator(".status strong", { hasText: "Cancelled" }).waitFor();
    assert.ok(await isFocused(button("Call")));
    await button("Clear the form").click();
    assert.equal(page.url(), `${url}docs/methods/two`);
    assert.equal(await field("a").inputValue(), "1");
    assert.deepEqual(problems, []);
  });

  await t.test("long responses are shown in part, and attachments can be saved", async (t) => {
    const { page, problems, button, called } = await opened(t, "two");
    const items = Array.from({ length: 60_000 }, (_, id) => ({ id, name: `name ${id}`, ok: true }));
    const headers = { "Content-Type": "text/csv", "Content-Disposition": 'attachment; filename="report.csv"' };
    await page.route(`${url}two**`, (route) => route.fulfill({ json: { items } }));
    assert.equal(await called(), "200 OK");
    const code = page.locator(".response figure code").first();
    assert.ok((await code.textContent()).length < 300_000);
    assert.equal(await page.locator(".response figure span").count(), 0);
    await page.getByRole("button", { name: /^Show all / }).click();
    assert.deepEqual(JSON.parse(await code.textContent()), { items });
    await page.unroute(`${url}two**`);
    await page.route(`${url}two**`, (route) => route.fulfill({ headers, body: "a,b\n" }));
    await button("Edit").click();
    assert.equal(await called(), "200 OK");
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: /^Save/ }).click()]);
    assert.equal(download.suggestedFilename(), "report.csv");
    assert.deepEqual(problems, []);
  });

  await t.test("the page can be copied for an assistant, whatever its fragment is", async (t) => {
    const permissions = ["clipboard-read", "clipboard-write"];
    const { page, problems, button } = await opened(t, "two#50%", { permissions });
    const text = await copied(button("Copy for an assistant"));
    assert.match(text, new RegExp(`^Server: ${url.slice(0, -1)}\\nCredential \\(optional\\): Authorization: Bearer YOUR_KEY\\n\\n`));
    assert.match(text, /# Take numbers\n\nPOST `\/two`/);
    assert.deepEqual(problems, []);
  });
});
