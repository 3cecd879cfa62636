// The OpenAPI documents of the definitions in the environment variable RULEBOOK_DEFINITIONS: generators of clients read
// them, and what they write compiles.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const here = fileURLToPath(new URL(".", import.meta.url));
const top = join(here, "../..");
const program = process.env.RULEBOOK_PROGRAM ?? join(top, "target/debug/article-site");
const python = process.env.RULEBOOK_PYTHON_TOOLS;
const folders = process.env.RULEBOOK_DEFINITIONS.split(" ").filter(Boolean);
const bin = (name) => join(here, "node_modules/.bin", name);
const work = mkdtempSync(join(tmpdir(), "rulebook-generators-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));

/** The documents with which a generator makes errors of its own. docs/openapi.md describes them. */
const KNOWN = new Set(["python whole-body", "python whole-body lean", "orval everything", "orval methods"]);

/** Runs a program in a folder of its own, and returns its output. */
function run(folder, name, ...args) {
  try {
    return execFileSync(name, args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 26 });
  } catch (error) {
    throw new Error(`${basename(name)}: ${error.message}\n${error.stdout}\n${error.stderr}`);
  }
}

/** Compiles all files for TypeScript in a folder. */
function compile(folder) {
  const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".ts"));
  assert.notEqual(files.length, 0, "no file was written");
  const options = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
    types: [],
  };
  const program = ts.createProgram(files.map((name) => join(folder, name)), options);
  const errors = ts.getPreEmitDiagnostics(program);
  assert.deepEqual(errors.map((one) => `${one.file?.fileName}: ${ts.flattenDiagnosticMessageText(one.messageText, "\n")}`), []);
}

const generators = {
  "openapi-typescript": (folder, file) => {
    run(folder, bin("openapi-typescript"), file, "-o", "types.ts");
    compile(folder);
  },
  "openapi-ts": (folder, file) => {
    const plugins = ["@hey-api/typescript", "@hey-api/sdk", "@hey-api/client-fetch"];
    run(folder, bin("openapi-ts"), "-i", file, "-o", "client", "-p", ...plugins, "--no-log-file");
    compile(folder);
  },
  orval: (folder, file) => {
    const config = { api: { input: { target: file }, output: { target: "./client.ts", client: "fetch", mode: "single" } } };
    writeFileSync(join(folder, "orval.config.mjs"), `export default ${JSON.stringify(config)};`);
    run(folder, bin("orval"), "--config", "./orval.config.mjs");
    compile(folder);
  },
  "swagger-typescript-api": (folder, file) => {
    run(folder, bin("swagger-typescript-api"), "generate", "-p", file, "-o", ".", "-n", "client.ts");
    compile(folder);
  },
  postman: async (folder, file) => {
    const { convertV2 } = createRequire(import.meta.url)("openapi-to-postmanv2");
    const data = readFileSync(file, "utf8");
    const result = await new Promise((done, fail) => convertV2({ type: "string", data }, {}, (error, all) => (error ? fail(error) : done(all))));
    assert.ok(result.result, result.reason);
    const count = (items) => items.map((item) => (item.item ? count(item.item) : 1)).reduce((all, one) => all + one, 0);
    const operations = Object.values(JSON.parse(data).paths).flatMap((path) => Object.keys(path));
    assert.equal(count(result.output[0].data.item), operations.length);
  },
  spectral: (folder, file) => {
    writeFileSync(join(folder, ".spectral.yaml"), 'extends: ["spectral:oas"]\n');
    run(folder, bin("spectral"), "lint", "--ruleset", ".spectral.yaml", "--fail-severity", "error", file);
  },
};
if (python) {
  generators.python = (folder, file) => {
    writeFileSync(join(folder, "config.yml"), 'project_name_override: "api_client"\npost_hooks: []\n');
    const output = run(folder, join(python, "openapi-python-client"), "generate", "--path", file, "--output-path", "client", "--config", "config.yml");
    assert.doesNotMatch(output, /will not be generated|Unable to process/);
    const load = `
import importlib, pkgutil, sys
sys.path.insert(0, "client")
import api_client
for module in pkgutil.walk_packages(api_client.__path__, "api_client."):
    importlib.import_module(module.name)
`;
    run(folder, join(python, "python"), "-m", "compileall", "-q", "client");
    // With several media types of a body, it forgets an import. docs/openapi.md recommends the lean document.
    if (file.includes("-lean")) run(folder, join(python, "python"), "-c", load);
  };
}

for (const definition of folders) {
  for (const form of ["", " lean"]) {
    const name = basename(definition) + form;
    const file = join(work, `${name.replace(" ", "-")}.json`);
    test(`the document of ${name} is written`, () => {
      const lean = form ? ["--lean"] : [];
      run(work, program, "openapi", "--api", join(top, definition), ...lean, "--output", file);
    });
    for (const [generator, generate] of Object.entries(generators)) {
      test(`${generator} reads the document of ${name}`, { skip: KNOWN.has(`${generator} ${name}`) }, async () => {
        const folder = join(work, `${name.replace(" ", "-")}.${generator}`);
        mkdirSync(folder);
        await generate(folder, file);
      });
    }
  }
}
