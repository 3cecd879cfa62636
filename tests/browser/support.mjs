// Shared by the browser tests: a running server, a browser that records errors, a reverse proxy.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp, mkdir, rm } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import axe from "axe-core";
import { chromium } from "playwright-core";

/** The root folder of the package. */
export const top = fileURLToPath(new URL("../..", import.meta.url));
/** The program under test. */
export const program = process.env.RULEBOOK_PROGRAM ?? join(top, "target/debug/article-site");
/** The folder for screenshots, for people to look at. */
const pictures = resolve(program, "../../browser");

/** The timeout of every step, in milliseconds. It is long, since the machine may be busy. */
const PATIENCE = 120_000;

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A folder with the modules of the static folder and a `package.json`, so that Node can import them. */
export const modules = mkdtempSync(join(tmpdir(), "rulebook-modules-"));
process.on("exit", () => rmSync(modules, { recursive: true, force: true }));
writeFileSync(join(modules, "package.json"), '{"type": "module"}');
const names = [
  ...["body", "credential", "editors", "element", "form", "kinds", "nested", "pretty", "problems", "response", "rulebook"],
  ...["snippets", "snippets-javascript"],
];
for (const name of names.map((one) => `${one}.js`))
  cpSync(join(top, "crates/rulebook/static", name), join(modules, name));
export const rulebook = await import(join(modules, "rulebook.js"));
export const kinds = await import(join(modules, "kinds.js"));
export const { pretty } = await import(join(modules, "pretty.js"));
export const { Scheme } = await import(join(modules, "credential.js"));
export const { snippets } = await import(join(modules, "snippets.js"));

/** Serves a definition on a free port, and on another one for each `--bind` among the flags, until the test ends. */
export async function serve(t, { api = join(top, "api"), flags = [] } = {}) {
  const data = await mkdtemp(join(tmpdir(), "rulebook-"));
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("RULEBOOK_")),
  );
  const words = [
    "serve",
    "--api",
    api,
    "--data",
    data,
    "--bind",
    "127.0.0.1:0",
    "--static",
    join(top, "static"),
    ...flags,
  ];
  const child = spawn(program, words, { env: environment, cwd: data, stdio: ["ignore", "pipe", "pipe"] });
  t.after(async () => {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    await rm(data, { recursive: true, force: true });
  });
  let said = "";
  const origins = await new Promise((found, failed) => {
    const look = (text) => {
      said += text;
      const [, listens] = /listens +(.+)\n/.exec(said) ?? [];
      if (listens) found(listens.match(/http:\/\/[^/\s]+/g));
    };
    child.stdout.on("data", look);
    child.stderr.on("data", look);
    child.on("error", failed);
    child.on("exit", (code) => failed(new Error(`${program} ended with ${code}:\n${said}`)));
  });
  return { origin: origins[0], origins, url: `${origins[0]}/`, data, printed: () => said };
}

/** Creates a key for a running server with the command line. */
export async function key(data, scope) {
  const child = spawn(program, ["keys", "add", "--data", data, "--name", "browser", "--force", "--scope", scope], { cwd: data });
  let said = "";
  child.stdout.on("data", (text) => (said += text));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${program} keys ended with ${code}`);
  return said.trim();
}

/** Registers a user who may write, and returns the token of a login. */
export async function author(origin) {
  const login = { login: `t${process.pid}x${Date.now()}`, password: "correct horse battery" };
  const post = async (path, body) => {
    const headers = { "Content-Type": "application/json" };
    const response = await fetch(origin + path, { method: "POST", headers, body: JSON.stringify(body) });
    const json = await response.json();
    if (!response.ok) throw new Error(`${path}: ${JSON.stringify(json)}`);
    return json;
  };
  await post("/user", { ...login, name: "Tester" });
  return { ...login, token: (await post("/user/login", login)).token };
}

/** Serves a server under a prefix, like a reverse proxy. */
export async function behind(t, origin, prefix) {
  const proxy = http.createServer((request, response) => {
    if (!request.url.startsWith(prefix)) {
      response.writeHead(404).end("outside of the prefix");
      return;
    }
    const path = `/${request.url.slice(prefix.length)}`;
    const onward = http.request(origin + path, { method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  return `${await listen(t, proxy)}${prefix}`;
}

/** Listens on a free port until the test ends. */
export async function listen(t, server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

/** Launches a browser for a test file. */
export async function browser(t) {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: FLAGS, timeout: PATIENCE });
  t.after(() => browser.close());
  return browser;
}

/**
 * Opens a page and records problems in `problems`: errors on the console, violations of the policy, and requests to
 * other origins than that of the page and `others`.
 */
export async function watched(t, browser, home, options = {}, others = []) {
  const context = await browser.newContext(options);
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const problems = [];
  page.on("console", (message) => {
    // Some tests expect errors of the API.
    const refused = message.text().startsWith("Failed to load resource: the server responded with a status of 4");
    if (["error", "warning"].includes(message.type()) && !refused) problems.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`error: ${error.message}`));
  page.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (!["data:", "blob:"].includes(protocol) && ![new URL(home).origin, ...others].includes(origin))
      problems.push(`request: ${request.url()}`);
  });
  await page.exposeFunction("violated", (what) => problems.push(`policy: ${what}`));
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) =>
      globalThis.violated(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`),
    );
  });
  return { page, problems };
}

/** Waits until the code in the panel of a method follows the form, which a page loads when a reader opens a tab with
    code. The form is shown then. */
export async function codeOf(page) {
  await page.locator("form.call").waitFor({ state: "attached" });
  const tabs = page.locator(".panel .tabs > [role=tablist] > [role=tab]");
  await tabs.nth(1).dispatchEvent("click");
  await page.locator(".panel[data-code]").waitFor({ state: "attached" });
  await tabs.first().dispatchEvent("click");
}

/** Presses a button that copies a text, and returns the text. The button says "Copied" only for a moment, in which a busy
    machine may not look, so the page itself watches it. */
export async function copied(button) {
  const element = await button.elementHandle();
  const isDone = element.evaluate(
    (button) =>
      new Promise((done) => {
        new MutationObserver(() => button.textContent === "Copied" && done()).observe(button, { childList: true });
      }),
  );
  await element.click();
  await isDone;
  return button.page().evaluate(() => navigator.clipboard.readText());
}

/** The screens of two phones, a tablet and two computers: together, each layout of the pages is seen light and dark. On
    the smallest one, nothing may be wider than the screen (WCAG 2.2, criterion 1.4.10). */
export const SCREENS = [
  { device: "small", width: 320, colorScheme: "dark" },
  { device: "phone", width: 390, colorScheme: "light" },
  { device: "tablet", width: 820, colorScheme: "dark" },
  { device: "desk", width: 1280, colorScheme: "light" },
  { device: "wide", width: 1920, colorScheme: "dark" },
];

/** Fails if axe finds a violation in the page, or in the element of a selector. */
export async function accessible(page, what, selector = "html") {
  await page.evaluate(axe.source);
  const run = (selector) => globalThis.axe.run(document.querySelector(selector), { resultTypes: ["violations"] });
  const { violations } = await page.evaluate(run, selector);
  const texts = violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`));
  assert.deepEqual(texts, [], what);
}

/** Saves a screenshot of a page. */
export async function picture(page, name, whole = false) {
  await mkdir(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: whole });
}

/** An image of one pixel. */
export const DOT = {
  name: "dot.png",
  mimeType: "image/png",
  buffer: Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "base64",
  ),
};
