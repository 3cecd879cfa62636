// One word of a definition changes while a client and a browser use the server: the server refuses the change, says whom
// it would break, and serves it when it is confirmed. `scripts/demo` runs this file, and prints what happens.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { browser, key, program, serve, watched } from "./support.mjs";

const definition = {
  "/": {
    article: {
      GET: {
        info: "Lists articles",
        in: { "GET@size": { info: "Articles on a page", type: "int(1,100)" } },
      },
      "/": { "{id}": { GET: { info: "Shows an article", in: { "{id}": { info: "Number", type: "id" } } } } },
    },
  },
};

/** Runs a command of the program. Returns its exit code and what it prints. */
const run = (words) =>
  new Promise((done) => execFile(program, words, (error, stdout, stderr) => done({ code: error?.code ?? 0, stdout, stderr })));

test("a server refuses a change that breaks clients until it is confirmed", async (t) => {
  const api = await mkdtemp(join(tmpdir(), "rulebook-contract-"));
  t.after(() => rm(api, { recursive: true, force: true }));
  const file = join(api, "article.json");
  await writeFile(file, JSON.stringify(definition, null, 2));
  const { url, data, printed } = await serve(t, { api, flags: ["--unbound", "echo", "--watch", "--guard"] });
  const token = await key(data, "reader");

  // The server reads the new key within a moment.
  const asked = () => fetch(`${url}article/7`, { headers: { authorization: `Bearer ${token}` } });
  while ((await asked()).status !== 200) await new Promise((next) => setTimeout(next, 10));

  // A client that asks again and again.
  const seen = { ok: 0, refused: [], others: 0 };
  let asks = true;
  const client = (async () => {
    while (asks) {
      const headers = { authorization: `Bearer ${token}` };
      const list = await fetch(`${url}article?size=50`, { headers });
      const text = await list.text();
      if (list.status === 200) seen.ok++;
      else seen.refused.push(text);
      const one = await fetch(`${url}article/7`);
      await one.text();
      if (one.status !== 200) seen.others++;
    }
  })();
  t.after(() => (asks = false));
  const until = async (condition) => {
    while (!condition()) await new Promise((next) => setTimeout(next, 10));
  };
  await until(() => seen.ok >= 20);

  // A reader of the documentation.
  const { page, problems } = await watched(t, await browser(t), url);
  await page.goto(`${url}docs/methods/article.get`);
  await page.getByText("a whole number from 1 to 100").first().waitFor();
  t.diagnostic(`a client asks for size=50, and a browser shows "1 to 100"`);

  const changed = (await readFile(file, "utf8")).replace("int(1,100)", "int(1,20)");
  await writeFile(file, changed);
  const banner = page.getByRole("alert");
  await banner.waitFor();
  // Pages never quote a definition that is not served.
  assert.match(await banner.innerText(), /The changed definition has errors or breaks clients/);
  await until(() => printed().includes("rulebook reload --allow-breaking"));
  const refusal = printed().slice(printed().indexOf("the changed definition breaks clients"));
  assert.match(refusal, /GET \/article: `size` \(query\) is `int\(1,20\)`, and was `int\(1,100\)`/);
  const [, times] = /called today: (\d+) times by `browser`/.exec(refusal) ?? assert.fail(refusal);
  assert.ok(Number(times) >= 20, refusal);
  const ready = await (await fetch(`${url}readyz`)).json();
  assert.match(ready.definition_refused, /^20/);
  assert.deepEqual(seen.refused, []);
  t.diagnostic(`the definition says int(1,20); the server refuses it:\n${refusal}`);

  const before = ready.digest;
  const reload = await run(["reload", "--api", api, "--data", data, "--allow-breaking"]);
  assert.deepEqual(reload, { code: 0, stdout: "the server serves the definition\n", stderr: "" });
  await until(() => seen.refused.length > 0);
  await page.getByText("a whole number from 1 to 20").first().waitFor();
  assert.ok(await banner.isHidden());
  const served = await (await fetch(url, { method: "OPTIONS" })).json();
  assert.equal(served.modules.article["/"].article.GET.in["GET@size"].type, "int(1,20)");
  const openapi = await (await fetch(`${url}openapi.json`)).json();
  assert.equal(openapi.paths["/article"].get.parameters[0].schema.maximum, 20);
  assert.match(seen.refused[0], /from 1 to 20/);
  const after = await (await fetch(`${url}readyz`)).json();
  assert.ok(after.digest !== before && after.definition === undefined, JSON.stringify(after));
  t.diagnostic(`after \`rulebook reload --allow-breaking\`: OPTIONS, OpenAPI, the page and the error say 20:\n${seen.refused[0]}`);

  asks = false;
  await client;
  assert.equal(seen.others, 0);
  assert.deepEqual(problems, []);
  t.diagnostic(`${seen.ok} requests succeeded before, and no request for another method failed`);
});
