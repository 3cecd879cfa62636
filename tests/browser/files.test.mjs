// Files in Swagger UI: a caller with a key uploads one, uploads several, and downloads one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DOT, browser, key, picture, serve, watched } from "./support.mjs";
import { authorise, executed, tried } from "./swagger.mjs";

test("files in Swagger UI", async (t) => {
  const { url, data } = await serve(t);
  const secret = await key(data, "iapi");
  const { page, problems } = await watched(t, await browser(t), url);
  await page.goto(`${url}docs/swagger/`);
  await page.locator(".opblock").first().waitFor();
  const fetched = async (name) => {
    const headers = { Authorization: `Bearer ${secret}` };
    const response = await fetch(`${url}iapi/file?filename=${encodeURIComponent(name)}`, { headers });
    return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) };
  };
  const form = "multipart/form-data";
  const status = async (live) => Number.parseInt(await live.locator("td.response-col_status").innerText(), 10);

  await t.test("uploads need a key", async () => {
    const given = { type: form, fields: { filename: "public/dot.png" }, files: { content: DOT } };
    const { status, json } = await tried(page, "POST", "/iapi/file", given);
    assert.equal(status, 401);
    assert.equal(json.status, "error");
  });

  // A server takes up to a second to read a new key.
  while ((await fetched("public/none")).status === 401) await new Promise((over) => setTimeout(over, 50));
  await authorise(page, secret);

  await t.test("a file is uploaded", async () => {
    const given = { type: form, fields: { filename: "public/图/点.png" }, files: { content: DOT } };
    assert.equal(await status(await executed(page, "POST", "/iapi/file", given)), 204);
    assert.deepEqual(await fetched("public/图/点.png"), { status: 200, bytes: DOT.buffer });
  });

  await t.test("several files are uploaded", async () => {
    const operation = page.locator(".opblock-post", { has: page.locator('[data-path="/iapi/files"]') });
    await operation.locator(".opblock-summary-control").click();
    await operation.locator(".execute").waitFor();
    await operation.locator("select.content-type, .body-param-content-type select").first().selectOption(form);
    const row = (name) => operation.locator(`tr[data-property-name="${name}"]`);
    const items = async (name, kind, count) => {
      while ((await row(name).locator(kind).count()) < count) await row(name).locator(".json-schema-form-item-add").click();
      return row(name).locator(kind);
    };
    const names = ["public/多/一.png", "public/多/二.png"];
    const pickers = await items("content", "input[type=file]", names.length);
    const texts = await items("filename", "input[type=text]", names.length);
    for (const [at, name] of names.entries()) {
      await pickers.nth(at).setInputFiles(DOT);
      await texts.nth(at).fill(name);
    }
    assert.deepEqual([await pickers.count(), await texts.count()], [names.length, names.length]);
    await operation.locator(".execute").click();
    const live = operation.locator(".live-responses-table .response");
    await live.locator("td.response-col_status").waitFor();
    await picture(page, "swagger-files");
    assert.equal(await status(live), 204, await live.innerText());
    for (const name of names) assert.deepEqual(await fetched(name), { status: 200, bytes: DOT.buffer });
  });

  await t.test("a file is shown", async () => {
    const live = await executed(page, "GET", "/iapi/file", { fields: { filename: "public/图/点.png" } });
    assert.equal(await status(live), 200);
    const image = live.locator("img");
    await image.waitFor();
    assert.notEqual(await image.evaluate((one) => one.decode().then(() => one.naturalWidth)), 0, "it is shown");
    await picture(page, "swagger-file-shown");
  });

  await t.test("a file name outside of the folder is refused", async () => {
    const given = { type: form, fields: { filename: "../dot.png" }, files: { content: DOT } };
    assert.equal((await tried(page, "POST", "/iapi/file", given)).status, 400);
  });
  // Swagger UI logs that it has no component for the format before it uses the file picker.
  const lookup = "console: Could not find component: JsonSchema_string_binary";
  assert.deepEqual(
    problems.filter((one) => one !== lookup),
    [],
  );
});
