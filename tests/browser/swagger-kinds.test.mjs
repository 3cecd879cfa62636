// Swagger UI with every kind of method of every dialect, and with every kind of schema and constraint: each form is
// executed with the values that the document fills in, succeeds, and sends the example values of the definition.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { DOT, browser, key, picture, program, serve, top, watched } from "./support.mjs";
import { authorise, opened } from "./swagger.mjs";

/** The definitions, with the permissions of a caller who can call all their methods. */
const APIS = [
  { name: "kind of method", api: join(top, "tests/browser/kinds"), permissions: "reader,admin,writer,user[7]" },
  { name: "kind of schema", api: join(top, "tests/external/zoo"), permissions: "keeper" },
];

/** Known defects of Swagger UI. */
const AMISS = new Set([
  // Beside several files, Swagger UI takes a list that it has filled in for empty until it is edited.
  "file.list.post multipart/form-data",
  // Swagger UI fills in all fields of a form, also those of which a request must have exactly one.
  "zoo.change application/x-www-form-urlencoded",
  "zoo.change multipart/form-data",
]);

/** Returns the parameters of each method by its id, with their names in code. */
function told(api) {
  const whole = JSON.parse(execFileSync(program, ["check", "--print", "--api", api], { encoding: "utf8" }));
  const methods = new Map();
  const walk = (module, at, segments) => {
    for (const http of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
      const own = at[http];
      if (!own) continue;
      const parameters = { ...whole.common, ...own.in };
      const id = own.id ?? [...segments, http.toLowerCase()].join(".");
      // The envelope of PhalApi always has status 200.
      const status = module.envelope === "phalapi" ? 200 : (own.options?.status ?? 200);
      methods.set(id, {
        status,
        parameters: Object.entries(parameters).map(([key, one]) => ({ key, ...one, name: one.name ?? key.replace(/^\{(.*)\}$/, "$1").replace(/^(GET|HEADER|COOKIE|ANY)@/, "") })),
      });
    }
    for (const [path, below] of Object.entries(at["/"] ?? {})) walk(module, below, [...segments, ...path.split("/")]);
  };
  for (const module of Object.values(whole.modules)) walk(module, module, []);
  return methods;
}

/** Returns whether the values that the server has read are those of the definition. */
function judge(parameter, got, id, { isShorter, inBody }) {
  const { name, type, example } = parameter;
  const what = `${name} of ${id}`;
  if (/file\b/i.test(type.replace("filename", ""))) {
    const files = [got].flat();
    if (!type.startsWith("?")) assert.ok(files.every((file) => file?.media_type === "image/png"), what);
  } else if (parameter.key.startsWith("URL#") && got === null) {
    assert.ok(isShorter && type.startsWith("?"), what);
  } else if (example !== undefined && (inBody || !type.startsWith("?") || /^(URL#|COOKIE@)/.test(parameter.key))) {
    // Other optional parameters outside of the body are left out, although the definition has an example.
    assert.deepEqual(got, example, what);
  } else if (parameter.default !== undefined) {
    assert.deepEqual(got, parameter.default, what);
  } else if (type.startsWith("?")) {
    // Forms are filled with all parameters.
    if (inBody) return;
    assert.equal(got, null, `${what} is left out`);
  } else {
    assert.notEqual(got, null, what);
  }
}

for (const { name, api, permissions } of APIS) {
  test(`every ${name} succeeds with the values that Swagger UI fills in`, async (t) => {
    const methods = told(api);
    const { url, data } = await serve(t, { api });
    const token = await key(data, permissions);
    const { page, problems } = await watched(t, await browser(t), url);
    // Pages cannot set the header field `Cookie`: browsers send their own cookies.
    await page.context().addCookies([
      { name: "seen", value: "yes", url },
      { name: "count", value: "3", url },
    ]);
    await page.goto(`${url}docs/swagger/`);
    await page.locator(".opblock").first().waitFor();
    await authorise(page, token);
    const document = await (await fetch(`${url}openapi.json`)).json();
    const seen = new Set();
    let tries = 0;
    for (const [path, item] of Object.entries(document.paths)) {
      for (const [http, described] of Object.entries(item)) {
        const id = described.operationId;
        const all = Object.keys(described.requestBody?.content ?? { "": {} });
        const types = all.filter((type) => !AMISS.has(`${id} ${type}`));
        // The id of an operation at a path without optional positions names the first of them at the end.
        const isShorter = !methodOf(methods, id);
        const method = methodOf(methods, isShorter ? id.replace(/\.without_.*$/, "") : id);
        seen.add(method);
        if (types.length === 0) continue;
        // The page has the same fields for all media types. Each method is tried with one of them, in turns.
        const type = types[tries++ % types.length];
        // Swagger UI draws every operation that it shows anew with each change: the fewer, the faster.
        await page.locator(".operation-filter-input").fill(described.tags[0]);
        await t.test(`${id} ${type}`, async () => {
          const { response, status } = await execute(page, http, path, type);
          const text = await response.text();
          assert.equal(response.status(), method.status, text);
          assert.equal(status, response.status(), "as the page shows");
          if ([204, 205].includes(status)) return;
          // Browsers send line breaks in forms as CR LF.
          const json = JSON.parse(type.startsWith("multipart") ? text.replaceAll("\\r\\n", "\\n") : text);
          if (json.ret !== undefined) assert.ok(json.ret < 300, text);
          const { args } = json.args ? json : (json.data ?? json.result);
          for (const parameter of method.parameters) judge(parameter, args[parameter.name], id, { isShorter, inBody: type !== "" });
        });
      }
    }
    await picture(page, `swagger-${name.replaceAll(" ", "-")}`);
    assert.deepEqual(new Set(methods.values()), seen, "each has been tried");
    // Swagger UI logs that it has no component for the format before it uses the file picker.
    const lookup = "console: Could not find component: JsonSchema_string_binary";
    assert.deepEqual(
      problems.filter((one) => one !== lookup),
      [],
    );
  });
}

/** Returns the method of an operation, whose id is that of the method without signs that are not in names. */
function methodOf(methods, id) {
  const letter = (one) => (/[{}]/.test(one) ? "" : /[\w.-]/.test(one) ? one : escaped(one));
  const escaped = (one) => (/[\p{L}\p{N}]/u.test(one) ? `u${one.codePointAt(0).toString(16)}` : "_");
  const toName = (text) => [...text].map(letter).join("");
  const isSame = (known) => toName(known) === id || toName(known.replaceAll("{", "by_")) === id;
  return methods.get(id) ?? methods.get([...methods.keys()].find(isSame));
}

/** Executes an operation with the values of its form, except files. Returns the response and the status shown. */
async function execute(page, http, path, type) {
  const operation = await opened(page, http, path);
  if (type) await operation.locator(".body-param-content-type select, select.content-type").first().selectOption(type);
  for (const add of await operation.locator(".json-schema-form-item-add").all()) {
    const cell = add.locator("xpath=ancestor::tr[1]");
    if (/a file of/.test(await cell.innerText()) && (await cell.locator("input[type=file]").count()) === 0)
      await add.click();
  }
  for (const picker of await operation.locator("tr:has(.required) input[type=file]").all())
    await picker.setInputFiles(DOT);
  const clear = operation.locator(".btn-clear");
  if (await clear.isVisible()) await clear.click();
  // An image of the page itself may load at this moment.
  const isCall = (one) => one.resourceType() === "fetch" && one.method() === http.toUpperCase();
  const answered = page.waitForResponse((one) => isCall(one.request()));
  answered.catch(() => {});
  await operation.locator(".execute").click();
  const response = await answered;
  const shown = operation.locator(".live-responses-table .response td.response-col_status");
  const status = Number.parseInt(await shown.innerText(), 10);
  await operation.locator(".opblock-summary-control").click();
  return { response, status };
}
