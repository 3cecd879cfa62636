// The console on the pages of methods, with a definition that has unions, lists of objects, recursive schemas, large
// numbers and idempotency keys.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { SCREENS, accessible, author, browser, codeOf, copied, picture, serve, top, watched } from "./support.mjs";

const api = join(top, "tests/browser/shop");

test("the console of a method", async (t) => {
  const chromium = await browser(t);
  const { url } = await serve(t, { api, flags: ["--unbound", "echo"] });
  const options = { permissions: ["clipboard-read", "clipboard-write"] };

  /** Opens the page of a method, and returns functions that work with its console. */
  const opened = async (t, id, more = {}) => {
    const { page, problems } = await watched(t, chromium, url, { ...options, ...more });
    await page.goto(`${url}docs/methods/${id}`);
    await codeOf(page);
    const button = (name) => page.getByRole("button", { name, exact: true });
    const field = (name) => page.locator("form.call").getByLabel(name, { exact: true });
    const call = async () => {
      await button("Call").click();
      await page.locator(".send:not([data-waiting])").waitFor();
      return page.locator(".status strong").innerText();
    };
    const received = async () => JSON.parse(await page.locator(".response pre.json").textContent()).args;
    return { page, problems, button, field, call, received };
  };
  const code = (page, language) => page.locator(`.tabs code[data-language=${language}]`).first().textContent();

  await t.test("begins with examples of the required values, which every sample has", async (t) => {
    const { page, problems, call, received } = await opened(t, "order.create");
    const curl = await code(page, "sh");
    assert.ok(curl.includes('"product":9007199254740993,'), curl);
    assert.equal(await page.getByLabel("product").inputValue(), "9007199254740993");
    assert.ok((await code(page, "python")).includes("9007199254740993"));
    assert.equal(await call(), "200 OK");
    const { lines, payment } = await received();
    assert.equal(payment.kind, "card");
    assert.equal(lines.length, 1);
    assert.ok((await page.locator(".response pre.json").innerText()).includes("9007199254740993"));
    await page.getByRole("button", { name: "Edit" }).click();
    await page.getByLabel("count").fill("7");
    const changed = await code(page, "sh");
    assert.equal(changed.replace('"count":7', ""), curl.replace(/"count":\d+/, ""));
    assert.deepEqual(problems, []);
  });

  await t.test("sends the branches of unions as what they are", async (t) => {
    const { page, problems, button, field, call, received } = await opened(t, "order.create");
    await field("Kind of payment").selectOption("transfer");
    await field("iban").fill("DE02120300000000202051");
    for (const [index, value] of [
      [1, 7],
      [2, "7"],
    ]) {
      await field("Kind of reference").selectOption({ index });
      await page.locator(".branches > div input").last().fill("7");
      assert.match(await code(page, "sh"), new RegExp(`"reference":${JSON.stringify(value)}\\D`));
      assert.equal(await call(), "200 OK");
      const { payment, reference } = await received();
      assert.deepEqual([payment, reference], [{ kind: "transfer", iban: "DE02120300000000202051" }, value]);
      await button("Edit").click();
    }
    assert.deepEqual(problems, []);
  });

  await t.test("adds and removes rows, optional objects, and objects that contain themselves", async (t) => {
    const { page, problems, button, field, call, received } = await opened(t, "order.create");
    await button("Add to lines").click();
    assert.deepEqual(
      await page.locator(".remove").evaluateAll((all) => all.map((one) => one.ariaLabel)),
      ["Remove row 1 of lines", "Remove row 2 of lines"],
    );
    await page.getByLabel("count").last().fill("3");
    await button("Add category").click();
    await field("name").first().fill("A");
    await button("Add to below").first().click();
    await page.getByLabel("name", { exact: true }).last().fill("B");
    await button("Add labels").click();
    await button("Add to labels").click();
    assert.equal(await call(), "200 OK");
    const { lines, category, labels } = await received();
    assert.equal(lines[1].count, 3);
    assert.deepEqual([category.name, category.below[0].name], ["A", "B"]);
    assert.ok(Object.keys(labels).length >= 1);
    await button("Edit").click();
    await button("Remove row 1 of lines").click();
    await button("Remove category").click();
    assert.equal(await call(), "200 OK");
    assert.deepEqual([(await received()).lines.length, (await received()).category], [1, null]);
    assert.deepEqual(problems, []);
  });

  await t.test("describes the values in a list with the words of the page", async (t) => {
    const { page, problems } = await opened(t, "order.create");
    const entries = await page.locator('[data-key="lines"] .fields > li').evaluateAll((all) =>
      all.map((one) => [one.querySelector(".name code").textContent, one.querySelector(".words").textContent]),
    );
    const fields = await page.locator("form.call .rows .field").evaluateAll((all) =>
      all.map((one) => [one.querySelector("label")?.textContent, one.querySelector(".more").textContent]),
    );
    assert.ok(entries.length >= 3, `${entries}`);
    for (const [name, words] of entries) {
      const [, text] = fields.find(([label]) => label === name);
      assert.ok(text.endsWith(`: ${words}`), `${name}: ${text}, but on the page: ${words}`);
    }
    assert.deepEqual(problems, []);
  });

  await t.test("edits the body as fields or as JSON", async (t) => {
    const { page, problems, button, field, call, received } = await opened(t, "order.create");
    await button("JSON").click();
    const text = page.getByLabel("The body in JSON");
    const body = JSON.parse(await text.inputValue());
    assert.deepEqual(Object.keys(body), ["lines", "payment"]);
    assert.ok((await text.inputValue()).includes("9007199254740993"));
    await text.fill("{");
    await button("Call").click();
    await page.getByText("This is not JSON").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.ariaInvalid), "true");
    const other =
      '{"lines":[{"product":18446744073709551615,"count":2}],"payment":{"kind":"card","number":"123456789012","until":"2026-05-01"},"reference":"x"}';
    await text.fill(other);
    assert.equal(await call(), "200 OK");
    assert.ok((await page.locator(".response pre.json").innerText()).includes("18446744073709551615"));
    await button("Edit").click();
    await button("Form").click();
    assert.equal(await field("product").inputValue(), "18446744073709551615");
    assert.equal(await call(), "200 OK");
    assert.equal((await received()).reference, "x");
    await button("Edit").click();
    await button("JSON").click();
    await text.fill('{"lines":[],"unknown":1}');
    await button("Form").click();
    await page.getByText("The form cannot show all of this").waitFor();
    assert.deepEqual(problems, []);
  });

  await t.test("shows errors at their fields", async (t) => {
    const { page, problems, button, call } = await opened(t, "order.create");
    await button("Add to lines").click();
    await page.getByLabel("count").last().fill("0");
    await page.keyboard.press("Tab");
    assert.match(
      await page.locator(".problem:visible").innerText(),
      /^Expected a whole number from 1 to 99\.$/,
      "as soon as it is typed",
    );
    await page.getByLabel("product").last().fill("1");
    assert.equal(await call(), "400 Bad Request");
    const focused = await page.evaluate(() => {
      const { value, ariaInvalid } = document.activeElement;
      const described = document.activeElement
        .getAttribute("aria-describedby")
        .split(" ")
        .map((id) => document.getElementById(id)?.textContent);
      return { value, ariaInvalid, described };
    });
    assert.deepEqual([focused.value, focused.ariaInvalid], ["0", "true"]);
    assert.match(focused.described[0], /from 1 to 99, got 0/);
    assert.ok(await page.locator("form.call").isVisible(), "the form stays open");
    // The wrong value is selected, so that typing replaces it.
    await page.keyboard.type("1");
    await page.keyboard.press("Enter");
    await page.locator(".status strong", { hasText: "200 OK" }).waitFor();
    assert.equal(await page.locator("[aria-invalid=true]").count(), 0);
    assert.deepEqual(problems, []);
  });

  await t.test("refuses an empty value in the path, and checks large numbers and dates exactly", async (t) => {
    const { page, problems, field, button, call } = await opened(t, "order.put");
    assert.equal(await field("day").getAttribute("min"), "2026-01-01");
    const requests = [];
    page.on("request", (request) => request.method() === "PUT" && requests.push(request.url()));
    await field("id").fill("");
    await button("Call").click();
    await page.getByText("Enter a value: without it").waitFor();
    assert.equal(await field("id").evaluate((input) => input === document.activeElement), true);
    await field("id").fill("18446744073709551616");
    await page.keyboard.press("Tab");
    assert.match(await page.locator(".problem:visible").innerText(), /^Expected a whole number/);
    assert.deepEqual(requests, []);
    await field("id").fill("18446744073709551615");
    assert.equal(await call(), "200 OK");
    assert.match(requests[0], /\/orders\/18446744073709551615$/);
    assert.deepEqual(problems, []);
  });

  await t.test("keeps the values in the address, without secrets", async (t) => {
    const { page, problems, field } = await opened(t, "login");
    await field("name").fill("grace");
    await field("password").fill("hopper!");
    await page.keyboard.press("Tab");
    await page.waitForFunction(() => location.hash.includes("grace"));
    assert.ok(!page.url().includes("hopper"));
    await page.reload();
    await codeOf(page);
    assert.equal(await field("name").inputValue(), "grace");
    assert.ok(!(await code(page, "sh")).includes("hopper"));
    const { page: other } = await watched(t, chromium, url);
    await other.goto(
      `${url}docs/methods/order.create#try&lines=%5B%7B%22product%22%3A18446744073709551615%2C%22count%22%3A5%7D%5D&reference=x`,
    );
    await other.locator("form.call").waitFor();
    assert.equal(await other.getByLabel("product").inputValue(), "18446744073709551615");
    assert.equal(await other.getByLabel("Kind of payment").inputValue(), "");
    assert.deepEqual(problems, []);
  });

  await t.test("copies code that creates an idempotency key, and has a new one in each call", async (t) => {
    const { page, problems, button, call } = await opened(t, "order.create");
    const keys = [];
    for (let n = 0; n < 2; n += 1) {
      assert.equal(await call(), "200 OK");
      await page.getByRole("tab", { name: "Request as sent" }).click();
      keys.push(/Idempotency-Key: (\w{32})\n/.exec(await page.locator(".response .sent code").textContent())[1]);
      await button("Edit").click();
    }
    assert.notEqual(keys[0], keys[1]);
    await page.getByRole("tab", { name: "curl" }).click();
    const text = await copied(page.locator(".panel .tabs > section:visible").getByRole("button"));
    assert.ok(text.includes('-H "Idempotency-Key: $(uuidgen)"'), text);
    assert.equal(text, await code(page, "sh"));
    const panel = page.locator(".panel").getByRole("tabpanel");
    const [copy, line] = await Promise.all([
      panel.getByRole("button").boundingBox(),
      panel.locator("code").boundingBox(),
    ]);
    assert.ok(copy.y + copy.height <= line.y, "the button covers no code");
    await page.locator("main").getByText("Idempotent-Replayed: true").waitFor();
    assert.ok(!(await page.locator("main").innerText()).includes("`"));
    assert.deepEqual(problems, []);
  });

  await t.test("keeps the bar in view, and announces only the status", async (t) => {
    const { page, problems, button, call } = await opened(t, "order.create", {
      viewport: { width: 1366, height: 768 },
    });
    await page.locator(".panel").evaluate((panel) => panel.scrollTo(0, 400));
    assert.ok((await button("Call").boundingBox()).y < 768);
    await page.locator("form.call input").last().focus();
    // The first key moves the focus to the button.
    await page.keyboard.press("Control+Enter");
    await page.keyboard.press("Control+Enter");
    await page.locator(".response pre.json").waitFor();
    assert.ok((await page.locator(".response pre.json").boundingBox()).y < 700, "the response is in view");
    assert.equal(await page.locator(".summary").innerText(), "2 values · Edit");
    assert.deepEqual(await page.locator(".panel [role=status]").allInnerTexts(), [
      await page.locator(".status").innerText(),
    ]);
    await page.getByRole("tab", { name: "Request as sent" }).click();
    assert.match(
      await page.locator(".response .sent").innerText(),
      /^Copy\s+POST http.*\/orders\n(.+\n)*Idempotency-Key: \w+\n/,
    );
    assert.ok(await page.locator("#token").isHidden(), "the method is public, and no credential was sent");
    await button("Edit").click();
    assert.ok(await page.locator("#token").isVisible());
    assert.equal(await call(), "200 OK");
    assert.deepEqual(problems, []);
  });

  await t.test("is near for the keyboard", async (t) => {
    const { page, problems, field } = await opened(t, "order.put");
    const isFirst = () => field("id").evaluate((input) => input === document.activeElement);
    const press = async (keys) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    await press(["Tab", "Tab"]);
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the form");
    await press(["Enter"]);
    assert.ok(await isFirst());
    assert.deepEqual(problems, []);
  });

  await t.test("is a sheet on a phone, which keeps the focus and returns it", async (t) => {
    const { page, problems } = await opened(t, "order.put", { viewport: { width: 390, height: 844 } });
    const open = page.getByRole("button", { name: "Try it" });
    await open.focus();
    await page.keyboard.press("Enter");
    const sheet = page.getByRole("dialog", { name: "Call PUT /orders/{id}" });
    await sheet.waitFor();
    for (let n = 0; n < 30; n += 1) {
      await page.keyboard.press("Tab");
      assert.ok(
        await page.evaluate(
          () =>
            document.activeElement === document.body ||
            document.querySelector(".panel").contains(document.activeElement),
        ),
        `${n}`,
      );
    }
    await page.keyboard.press("Escape");
    await sheet.waitFor({ state: "hidden" });
    assert.ok(await open.evaluate((button) => button === document.activeElement));
    assert.deepEqual(problems, []);
  });
});

test("the token of a login is used for the next calls", async (t) => {
  const { origin, url } = await serve(t);
  const user = await author(origin);
  const { page, problems } = await watched(t, await browser(t), url);
  await page.goto(`${url}docs/methods/user.login`);
  await codeOf(page);
  await page.getByLabel("login", { exact: true }).fill(user.login);
  const password = page.getByLabel("password", { exact: true });
  assert.equal(await password.getAttribute("type"), "password");
  await password.fill(user.password);
  for (const one of await page.locator(".tabs code").allTextContents()) assert.ok(!one.includes(user.password), one);
  await page.getByRole("button", { name: "Call" }).click();
  await page.getByRole("button", { name: "Use this token" }).click();
  const token = await page.locator("#token").inputValue();
  assert.ok(token.length > 10);
  await page.goto(`${url}docs/methods/article.create`);
  await codeOf(page);
  for (const one of await page.locator(".tabs code").allTextContents())
    assert.ok(!one.includes(token), "the token is masked");
  await page.getByRole("button", { name: "Call" }).click();
  await page.locator(".response pre.json").waitFor();
  assert.equal(await page.locator(".status strong").innerText(), "201 Created");
  await page.getByRole("tab", { name: "Request as sent" }).click();
  assert.match(await page.locator(".response .sent").innerText(), /Authorization: \*+/i);
  assert.deepEqual(problems, []);
});

test("the open console leaves the description visible, except on phones", async (t) => {
  const chromium = await browser(t);
  const { url } = await serve(t, { api, flags: ["--unbound", "echo"] });
  for (const width of [390, 768, 820, 1024, 1279]) {
    const { page, problems } = await watched(t, chromium, url, { viewport: { width, height: 900 } });
    await page.goto(`${url}docs/methods/order.create`);
    await page.locator("form.call").waitFor({ state: "attached" });
    await page.getByRole("button", { name: "Try it" }).click();
    await page.locator(".panel:popover-open").waitFor();
    const isBeside = width >= 768;
    const [panel, text] = [await page.locator(".panel").boundingBox(), await page.locator("h1").boundingBox()];
    assert.equal(panel.width < width, isBeside, `${panel.width} px at ${width}`);
    assert.equal(text.x + text.width <= panel.x && text.width > 200, isBeside, `the text at ${width}`);
    assert.equal(await page.locator("main").evaluate((main) => main.inert), !isBeside);
    assert.equal(await page.locator(".panel").getAttribute("role"), isBeside ? null : "dialog");
    await picture(page, `console-open-${width}`);
    await page.keyboard.press("Escape");
    await page.locator(".panel:popover-open").waitFor({ state: "detached" });
    assert.deepEqual(problems, []);
  }
});

test("the console is accessible before and after a call, and with errors", async (t) => {
  const chromium = await browser(t);
  const { url } = await serve(t, { api, flags: ["--unbound", "echo"] });
  for (const { device, width, colorScheme } of SCREENS) {
    await t.test(device, async (t) => {
      const { page, problems } = await watched(t, chromium, url, { colorScheme, viewport: { width, height: 900 } });
      await page.goto(`${url}docs/methods/order.create`);
      await page.locator("form.call").waitFor({ state: "attached" });
      const check = async (state) => {
        await accessible(page, state);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(wide <= width, `${state}: ${wide} px wide`);
        await picture(page, `console-${state}-${device}`);
      };
      if (width < 1280) {
        await check("closed");
        await page.getByRole("button", { name: "Try it" }).click();
      }
      await check("form");
      await page.getByRole("button", { name: "JSON", exact: true }).click();
      await check("json");
      await page.getByRole("button", { name: "Form", exact: true }).click();
      await page.getByRole("button", { name: "Call" }).click();
      await page.locator(".response pre.json").waitFor();
      await check("response");
      await page.getByRole("button", { name: "Edit" }).click();
      await page.getByLabel("count").fill("0");
      await page.getByRole("button", { name: "Add category" }).click();
      await page.getByRole("button", { name: "Call" }).click();
      await page.locator("[aria-invalid=true]").waitFor();
      await check("errors");
      assert.deepEqual(problems, []);
    });
  }
});
