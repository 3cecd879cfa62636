// Swagger UI in a browser: it only loads files of the server, authorizes, and shows the responses of calls.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { DOT, author, behind, browser, picture, serve, top, watched } from "./support.mjs";
import { authorise, executed, opened, shownJson, tried } from "./swagger.mjs";

test("Swagger UI", async (t) => {
  const chromium = await browser(t);
  const { origin, url: direct } = await serve(t);
  const proxied = await behind(t, origin, "/x/y/");

  for (const where of ["at the root", "behind a prefix"]) {
    await t.test(`calls what it describes, ${where}`, async (t) => {
      const home = where === "at the root" ? direct : proxied;
      const user = await author(origin);
      const { page, problems } = await watched(t, chromium, home);
      await page.goto(`${home}docs/swagger`);
      assert.equal(page.url(), `${home}docs/swagger/`);
      await page.locator(".opblock").first().waitFor();
      const described = await (await fetch(`${home}openapi.json`)).json();
      const operations = Object.values(described.paths).flatMap((path) => Object.keys(path));
      assert.equal(await page.locator(".opblock").count(), operations.length);
      assert.deepEqual(problems, []);
      await picture(page, `swagger-${where.replaceAll(" ", "-")}`);

      const outside = await tried(page, "POST", "/article", { body: { title: "x", text: "y" } });
      assert.equal(outside.status, 401, "writing needs a token");
      await authorise(page, user.token);

      const read = await tried(page, "GET", "/article/{id}", { fields: { id: "1" } });
      assert.equal(read.status, 200);
      assert.deepEqual(read.json, await (await fetch(`${home}article/1`)).json());

      const text = "Two lines,\nboth kept: ü 你 '";
      const written = await tried(page, "POST", "/article", {
        body: { title: "From Swagger UI", text, tags: ["a", "b"] },
      });
      assert.equal(written.status, 201);
      const id = written.json.article_id;
      const kept = await (await fetch(`${home}article/${id}`)).json();
      assert.equal(kept.article.text ?? kept.text, text);

      const form = { login: user.login, password: user.password };
      const login = await tried(page, "POST", "/user/login", {
        type: "application/x-www-form-urlencoded",
        fields: form,
      });
      assert.equal(login.status, 200);
      assert.match(login.json.token, /./);

      const sent = await tried(page, "POST", "/article/{id}/picture", {
        type: "multipart/form-data",
        fields: { id: String(id), alt: "A dot" },
        files: { picture: DOT },
      });
      assert.equal(sent.status, 201);
      const illustrated = await (await fetch(`${home}article/${id}`)).json();
      assert.match(JSON.stringify(illustrated), /A dot/);
      const fields = { id: String(id) };
      const downloaded = await executed(page, "GET", "/article/{id}/picture", { fields });
      const image = downloaded.locator("img");
      await image.waitFor();
      assert.notEqual(await image.evaluate((one) => one.decode().then(() => one.naturalWidth)), 0, "it is shown");
      const asked = { ...fields, "X-Requested-With": "XMLHttpRequest" };
      const { link } = await shownJson(await executed(page, "GET", "/article/{id}/picture", { fields: asked }));
      const linked = await fetch(new URL(link.slice(1), home));
      assert.deepEqual([linked.status, linked.headers.get("content-type")], [200, "image/png"]);

      const missing = await tried(page, "GET", "/article/{id}", { fields: { id: "999999" } });
      assert.equal(missing.status, 404);
      await picture(page, `swagger-called-${where.replaceAll(" ", "-")}`);
      assert.deepEqual(problems, []);
    });
  }

  await t.test("an operation has its own URL, and the authorization is kept", async (t) => {
    const { page, problems } = await watched(t, chromium, direct);
    await page.goto(`${direct}docs/swagger/#/user/user.read`);
    await page.locator(".opblock.is-open").waitFor();
    assert.equal(
      await page.locator(".opblock.is-open .opblock-summary-path").getAttribute("data-path"),
      "/user/{user_id}",
    );
    await authorise(page, "a token");
    await page.reload();
    await page.locator(".auth-wrapper .authorize.locked").waitFor();
    assert.deepEqual(problems, []);
  });
});

test("text of a definition is shown literally in Swagger UI", async (t) => {
  const run = "document.title='run'";
  const mean = [
    `<img src=x onerror="${run}"><script>${run}</script><svg onload="${run}"></svg>`,
    `<a href="javascript:${run}">a</a> [b](javascript:${run}) [c](data:text/html,<script>${run}</script>)`,
    "<style>body { display: none }</style><base href='https://elsewhere.invalid/'>",
    "<form action='https://elsewhere.invalid/'><button>d</button></form>",
    "<iframe src='https://elsewhere.invalid/'></iframe>",
    "![e](https://elsewhere.invalid/e.png)",
  ].join(" ");
  const api = await mkdtemp(join(tmpdir(), "rulebook-api-"));
  t.after(() => rm(api, { recursive: true }));
  const link = `javascript:${run}`;
  const about = { contact: { name: mean, url: link }, license: { name: mean, url: link }, servers: [{ url: link }] };
  await writeFile(join(api, "app.json"), JSON.stringify({ title: mean, info: mean, version: mean, ...about }));
  const example = { $ref: "https://elsewhere.invalid/" };
  const parameter = { info: mean, type: "?any", name: "x", default: mean, example };
  const get = {
    info: `${mean}\n${mean}`,
    in: { [`GET@${mean}`]: parameter },
    out: { [mean.replaceAll(" ", "/")]: { info: mean, type: "any", example } },
    errors: { mean: { status: 404, info: mean } },
  };
  await writeFile(join(api, "mean.json"), JSON.stringify({ info: mean, "/": { "x<b>y": { GET: get } } }));
  const { url } = await serve(t, { api, flags: ["--unbound", "echo"] });
  const { page, problems } = await watched(t, await browser(t), url);
  const others = [];
  page.on("request", (request) => {
    if (request.url().startsWith("http") && !request.url().startsWith(url)) others.push(request);
  });
  // A link cannot change the settings of the page.
  await page.goto(`${url}docs/swagger/?url=https://elsewhere.invalid/openapi.json`);
  await page.locator(".opblock .opblock-summary-control").click();
  await page.locator(".opblock .execute").waitFor();
  await page.locator(".opblock [data-code='404']").waitFor();
  await page.waitForLoadState("networkidle");

  const links = await page.$$eval("#swagger-ui a", (all) => all.map((one) => one.getAttribute("href") ?? ""));
  assert.deepEqual(links.filter((href) => /^\s*(javascript|data):/i.test(href)), []);
  await page.$$eval("#swagger-ui a", (all) => {
    for (const one of all) if (/^[abc]$/.test(one.textContent)) one.click();
  });
  assert.equal(await page.locator("#swagger-ui").locator("script, iframe, base, style, form[action]").count(), 0);
  assert.ok(await page.locator("#swagger-ui .info .title").first().isVisible());
  assert.equal(await page.title(), "Swagger UI");
  // The policy prevents requests to other servers.
  assert.notEqual(others.length, 0, "the picture was named");
  for (const other of others) assert.equal(other.failure()?.errorText, "csp", other.url());
  assert.deepEqual(
    problems.filter((one) => one.startsWith("error:")),
    [],
  );
});
test("Swagger UI shows a large API module by module, and a large module part by part", async (t) => {
  const api = await mkdtemp(join(tmpdir(), "rulebook-api-"));
  t.after(() => rm(api, { recursive: true, force: true }));
  const method = (name) => ({ info: `About ${name}`, in: { "URL#0": { info: "Which", type: "id", name: "id" } } });
  const module = (name, methods) => {
    const services = Array.from({ length: methods }, (_, n) => [`${name}${n}`, { GET: method(`${name} ${n}`) }]);
    return { "/": Object.fromEntries(services) };
  };
  const modules = { "a&b=<i>c</i>": module("small", 2), many: module("large", 300), none: {} };
  for (const service of Object.values(modules.many["/"])) service.GET.scope = [["reader"]];
  await writeFile(join(api, "app.json"), JSON.stringify({ envelope: "plain", modules }));
  const { origin } = await serve(t, { api, flags: ["--unbound", "echo"] });
  const url = await behind(t, origin, "/x/y/");
  const { page, problems } = await watched(t, await browser(t), url);
  const others = [];
  page.on("request", (request) => {
    if (request.url().startsWith("http") && !request.url().startsWith(url)) others.push(request.url());
  });

  await page.goto(`${url}docs/swagger/?url=https://elsewhere.invalid/openapi.json`);
  const shown = (n) => page.waitForFunction((n) => document.querySelectorAll(".opblock").length === n, n);
  await shown(2);
  const choice = page.locator("#select");
  assert.deepEqual(await choice.locator("option").allInnerTexts(), ["a&b=<i>c</i>", "many 1", "many 2"]);
  await picture(page, "swagger-modules");
  const called = await tried(page, "GET", "/small1/{id}", { fields: { id: "7" } });
  assert.deepEqual([called.status, called.json.args], [200, { id: 7 }]);

  await choice.selectOption("many 2");
  await shown(50);
  await authorise(page, "a token");
  await page.locator(".opblock .opblock-summary-control").first().click();
  await page.locator(".opblock .execute").waitFor();
  const address = page.url();
  assert.match(address, /many/);

  // Going back in the history keeps the authorization.
  await page.goto("about:blank");
  await page.goto(address);
  await shown(50);
  await page.locator(".opblock.is-open .execute").waitFor();
  await page.locator(".auth-wrapper .authorize.locked").waitFor();
  assert.deepEqual([others, problems], [[], []]);
});

test("several files can be picked one by one in Swagger UI", async (t) => {
  const chromium = await browser(t);
  const api = await mkdtemp(join(tmpdir(), "rulebook-api-"));
  t.after(() => rm(api, { recursive: true, force: true }));
  const items = { max: 1000, range: ["image/*"] };
  const method = {
    info: "Takes them",
    in: {
      pictures: { info: "The pictures", type: "array<file>", min: 1, max: 3, items },
      names: { info: "Their names", type: "array<string>", min: 1 },
      cover: { info: "One more", type: "?file" },
    },
  };
  await writeFile(join(api, "album.json"), JSON.stringify({ envelope: "plain", "/": { album: { POST: method } } }));
  const { url } = await serve(t, { api, flags: ["--unbound", "echo"] });
  const { page, problems } = await watched(t, chromium, url);
  await page.goto(`${url}docs/swagger/`);
  const operation = page.locator(".opblock-post", { has: page.locator('[data-path="/album"]') });
  await operation.locator(".opblock-summary-control").click();
  const execute = operation.locator(".execute");
  await execute.waitFor();
  const row = (name) => operation.locator(`tr[data-property-name="${name}"]`);
  const pickers = row("pictures").locator("input[type=file]");
  while ((await pickers.count()) < 2) await row("pictures").locator(".json-schema-form-item-add").click();
  await pickers.nth(0).setInputFiles(DOT);
  await pickers.nth(1).setInputFiles(DOT);
  await row("names").locator("input").first().fill("one");
  await row("cover").locator("input[type=file]").setInputFiles(DOT);
  await picture(page, "swagger-several-files");
  await execute.click();
  const live = operation.locator(".live-responses-table .response");
  await live.locator("td.response-col_status").waitFor();
  const { args } = await shownJson(live);
  assert.deepEqual(
    [...args.pictures, args.cover].map((file) => file.media_type),
    ["image/png", "image/png", "image/png"],
  );
  assert.deepEqual(args.names, ["one"]);
  assert.match(await row("pictures").innerText(), /each a file of at most 1000 bytes of the type image\/\*/);
  // Swagger UI logs that it has no component for the format before it uses the file picker.
  const lookup = "console: Could not find component: JsonSchema_string_binary";
  assert.deepEqual(
    problems.filter((one) => one !== lookup),
    [],
  );
});

/** Returns the elements that reach beyond the right edge of the window. */
function beyondTheWindow(page) {
  return page.evaluate(() => {
    const { clientWidth, scrollWidth } = document.documentElement;
    const reaches = (one) => one.getBoundingClientRect().right > clientWidth + 0.5;
    const wide = [...document.querySelectorAll("body *")].filter(reaches);
    const found = wide.map((one) => `${one.tagName} ${one.className}`);
    return scrollWidth > clientWidth ? [`the page: ${scrollWidth} pixels`, ...found] : found;
  });
}

test("operations with files fit into the window of a phone in Swagger UI", async (t) => {
  const chromium = await browser(t);
  const kinds = { api: join(top, "tests/browser/kinds"), flags: ["--unbound", "echo"] };
  for (const served of [{}, kinds]) {
    const { url } = await serve(t, served);
    const { page } = await watched(t, chromium, url, { viewport: { width: 375, height: 800 } });
    await page.goto(`${url}docs/swagger/`);
    await page.locator(".opblock").first().waitFor();
    const { paths } = await (await fetch(`${url}openapi.json`)).json();
    const isUpload = ({ requestBody }) => Object.keys(requestBody?.content ?? {}).join() === "multipart/form-data";
    let uploads = 0;
    for (const [path, item] of Object.entries(paths)) {
      for (const [http, operation] of Object.entries(item)) {
        if (!isUpload(operation)) continue;
        await opened(page, http, path);
        uploads += 1;
        assert.deepEqual(await beyondTheWindow(page), [], `${http} ${path}`);
      }
    }
    assert.ok(uploads > 2, `${uploads} uploads`);
  }
});
