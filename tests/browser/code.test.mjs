// The code that calls a method, in a browser: in each language, it follows the values of the form.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DOT, browser, codeOf, copied, serve, watched } from "./support.mjs";

/** The tabs with code, each with what the title `it's "$x" \ ü` is in its language. */
const TITLES = {
  curl: `"title":"it'\\''s \\"$x\\" \\\\ ü"`,
  "rulebook.js": `title: "it's \\"$x\\" \\\\ ü"`,
  fetch: `"title": "it's \\"$x\\" \\\\ ü"`,
  Python: `"title": "it's \\"$x\\" \\\\ ü"`,
  PHP: `"title": "it's \\"$x\\" \\\\ ü"`,
  Go: `"title": "it's \\"$x\\" \\\\ ü"`,
};

/** Opens a method of the demo. Returns the page, its errors, and a function that returns the code of all tabs. */
async function opened(t, id) {
  const { url } = await serve(t);
  const options = { permissions: ["clipboard-read", "clipboard-write"] };
  const { page, problems } = await watched(t, await browser(t), url, options);
  await page.goto(`${url}docs/methods/${id}`);
  await codeOf(page);
  const codes = async () => {
    const texts = await page.locator(".tabs > section figure code").allTextContents();
    return Object.fromEntries(Object.keys(TITLES).map((name, index) => [name, texts[index]]));
  };
  const fill = (name, value) => page.locator(".form").getByLabel(name, { exact: true }).fill(value);
  return { url, page, problems, codes, fill };
}

test("the code in all languages follows the form", async (t) => {
  const { url, page, problems, codes, fill } = await opened(t, "article.create");
  const before = await codes();
  await fill("title", `it's "$x" \\ ü`);
  await fill("text", "one\ntwo");
  const after = await codes();
  for (const [name, title] of Object.entries(TITLES)) {
    assert.notEqual(after[name], before[name], name);
    assert.ok(after[name].includes(title), `${name}: ${after[name]}`);
    assert.ok(/one(\\n|\\\\n)two/.test(after[name]), `${name}: ${after[name]}`);
    assert.ok(after[name].includes("YOUR_KEY") && after[name].includes(url.replace(/\/$/, "")), `${name}: ${after[name]}`);
  }

  await page.locator("#token").fill("to'ken");
  const withToken = await codes();
  for (const [name, text] of Object.entries(withToken)) {
    assert.ok(!/YOUR_KEY|'ken/.test(text) && text.includes("********"), `${name}: ${text}`);
    await page.getByRole("tab", { name, exact: true }).click();
    const panel = page.getByRole("tabpanel", { name, exact: true });
    assert.ok((await panel.locator("code .string").count()) > 0, `${name} is highlighted`);
    const clipboard = await copied(panel.getByRole("button", { name: "Copy" }));
    assert.match(clipboard, /to('\\'|\\)?'ken/, name);
    assert.equal(clipboard.replace(/to('\\'|\\)?'ken/, "********"), text, name);
  }

  await page.getByRole("tab", { name: "Try it" }).click();
  await page.getByRole("button", { name: "Clear" }).click();
  await page.waitForFunction(() => !document.querySelector(".tabs [data-language=go]").textContent.includes("one"));
  for (const [name, text] of Object.entries(await codes())) assert.ok(!text.includes("$x"), `${name}: ${text}`);
  assert.deepEqual(problems, []);
});

test("the code is a form with the names of the chosen files", async (t) => {
  const { page, problems, codes, fill } = await opened(t, "article.illustrate");
  await fill("id", "1");
  await fill("alt", "a 'dot'");
  await page.getByLabel("picture", { exact: true }).setInputFiles({ ...DOT, name: "my dot.png" });
  const expected = {
    curl: "-F 'picture=@my dot.png'",
    "rulebook.js": `picture: new File([await readFile("my dot.png")], "my dot.png")`,
    fetch: `form.append("picture", new Blob([await readFile("my dot.png")]), "my dot.png");`,
    Python: `("picture", open("my dot.png", "rb")),`,
    PHP: "'picture' => new CURLFile('my dot.png'),",
    Go: `addFile("picture", "my dot.png")`,
  };
  const texts = await codes();
  for (const [name, text] of Object.entries(expected)) assert.ok(texts[name].includes(text), `${name}: ${texts[name]}`);
  assert.deepEqual(problems, []);
});

test("copied code has the control characters that the page replaces", async (t) => {
  const { page, problems, codes, fill } = await opened(t, "article.create");
  await fill("title", "a\u202eb");
  await page.getByRole("tab", { name: "Python" }).click();
  assert.match((await codes()).Python, /aU\+202Eb/);
  const panel = page.getByRole("tabpanel", { name: "Python" });
  assert.match(await copied(panel.getByRole("button", { name: "Copy" })), /a\u202eb/);
  assert.deepEqual(problems, []);
});
