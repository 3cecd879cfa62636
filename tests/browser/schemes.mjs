// The form of a method with each authentication scheme. The test `pages::forms` runs this file with its servers in CASES: a
// JSON list with the URL of a server, the label of the input, what a reader types, and the header field that the server
// accepts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { browser, copied, watched } from "./support.mjs";

/** Calls the method of the page, and returns the status that the page shows. */
async function called(page) {
  await page.getByRole("button", { name: "Call" }).click();
  await page.locator(".send:not([data-waiting])").waitFor();
  return Number.parseInt(await page.locator(".status strong").innerText(), 10);
}

/** Returns the curl command of the page, as its button copies it: the page masks the credential. */
async function curl(page) {
  await page.getByRole("tab", { name: "curl" }).click();
  const text = await copied(page.getByRole("tabpanel", { name: "curl" }).getByRole("button", { name: /Cop/ }));
  await page.getByRole("tab", { name: "Try it" }).click();
  return text;
}

for (const { url, label, typed, field } of JSON.parse(process.env.CASES)) {
  test(`the form sends ${field}`, async (t) => {
    const isCookie = field.startsWith("Cookie");
    const isBasic = field.startsWith("Authorization: Basic");
    const { page, problems } = await watched(t, await browser(t), url, { permissions: ["clipboard-read", "clipboard-write"] });
    const input = page.locator("#token");

    // Public methods need no credential, and reject an invalid one.
    await page.goto(`${url}docs/methods/open`);
    await page.locator("form.call").waitFor();
    assert.equal(await page.locator("form.token label").innerText(), label);
    assert.ok(!/YOUR_KEY|Authorization|Cookie|--user/.test(await curl(page)), await curl(page));
    assert.equal(await called(page), 200);
    // The response of a public method takes the place of the form and of the empty credential.
    await page.getByRole("button", { name: "Edit" }).click();
    await input.fill("invalid");
    assert.equal(await called(page), 401);
    await input.fill(typed);
    assert.equal(await called(page), 200);
    // A name and a password are shown as they are typed.
    const shown = isBasic && typed.includes(":") ? `--user '${typed}'` : `-H '${field}'`;
    assert.ok((await curl(page)).includes(shown), await curl(page));
    // The credential precedes a parameter with the same name.
    if (field.startsWith("X-Api-Key")) {
      await page.getByRole("button", { name: "Edit" }).click();
      await page.getByLabel("x-api-key", { exact: true }).last().fill("a parameter");
      assert.equal(await called(page), 200);
    }
    const cookies = await page.context().cookies();
    const sent = cookies.map(({ name, value, path, sameSite }) => [name, value, path, sameSite]);
    assert.deepEqual(sent, isCookie ? [["session", typed, "/", "Strict"]] : []);

    // Browsers add only cookies to the requests for pages, but the server hides this page from anonymous callers.
    const [name, value] = field.split(": ");
    const addField = (route) => route.continue({ headers: { ...route.request().headers(), [name]: value } });
    if (!isCookie) await page.route(`${url}docs/methods/closed`, addField);
    await page.goto(`${url}docs/methods/closed`);
    await page.locator("form.call").waitFor();
    assert.equal(await input.inputValue(), typed);
    assert.equal(await called(page), 200);

    await input.fill("");
    assert.equal(await called(page), 401);
    assert.deepEqual(await page.context().cookies(), []);
    assert.ok((await curl(page)).includes(isBasic ? "--user 'NAME:PASSWORD'" : "YOUR_KEY"), await curl(page));

    // The definition describes the method after a valid credential is entered.
    if (!isCookie) {
      await page.reload();
      await page.getByText("The form cannot be shown").waitFor();
      await input.fill(typed);
      await input.press("Enter");
      await page.locator("form.call").waitFor();
      assert.equal(await called(page), 200);
    }
    assert.deepEqual(problems, []);
  });
}
