// Pages of a server that watches its definition: they load again by themselves, and say that a change has errors.

import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { browser, serve, top, watched } from "./support.mjs";

test("pages follow the changes of a definition", async (t) => {
  const api = await mkdtemp(join(tmpdir(), "rulebook-watch-"));
  t.after(() => rm(api, { recursive: true, force: true }));
  await cp(join(top, "tests/browser/shop"), api, { recursive: true });
  const { url } = await serve(t, { api, flags: ["--unbound", "echo", "--watch"] });
  const { page, problems } = await watched(t, await browser(t), url);
  await page.goto(`${url}docs/`);
  await page.getByRole("heading", { name: "Shop 1.0" }).waitFor();

  const settings = join(api, "app.json");
  const title = async (text) => {
    const app = JSON.parse(await readFile(settings, "utf8"));
    await writeFile(settings, JSON.stringify({ ...app, title: text }));
  };
  // The page is not touched.
  await title("Market");
  await page.getByRole("heading", { name: "Market 1.0" }).waitFor();
  assert.ok(await page.locator(".changes").isHidden());

  await writeFile(join(api, "broken.json"), '{ "/": { "news": { "GETT": {} } } }');
  const banner = page.getByRole("alert");
  await banner.waitFor();
  assert.match(await banner.innerText(), /The changed definition has errors or breaks clients, as the server has printed/);
  await page.goto(`${url}docs/`);
  await page.getByRole("heading", { name: "Market 1.0" }).waitFor();

  await rm(join(api, "broken.json"));
  await title("Bazaar");
  await page.getByRole("heading", { name: "Bazaar 1.0" }).waitFor();
  assert.ok(await page.locator(".changes").isHidden());
  assert.deepEqual(problems, []);
});
