// The output of `rulebook types`: it compiles for any definition, correct programs compile with it, incorrect ones do
// not, and it agrees with the client.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const top = fileURLToPath(new URL("../..", import.meta.url));
const program = process.env.RULEBOOK_PROGRAM ?? join(top, "target/debug/article-site");
const work = mkdtempSync(join(tmpdir(), "rulebook-types-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));
writeFileSync(join(work, "package.json"), '{"type": "module"}');
cpSync(join(top, "crates/rulebook/static/rulebook.js"), join(work, "rulebook.js"));
const { client, services } = await import(join(work, "rulebook.js"));

const good = join(top, "crates/rulebook-model/tests/definitions/good");
const folders = { demo: join(top, "api") };
for (const name of ["names", "odd"]) folders[name] = fileURLToPath(new URL(name, import.meta.url));
for (const name of readdirSync(good)) folders[name] = join(good, name);
// Random definitions that the caller has generated.
const generated = process.env.RULEBOOK_GENERATED;
for (const name of generated ? readdirSync(generated) : []) folders[`generated-${name}`] = join(generated, name);

// The variables in the addresses of services in random definitions.
const env = { ...process.env, KEYS_PASSWORD: "secret", REDIS: "localhost", PORT: "4318" };
const run = (...words) => execFileSync(program, words, { encoding: "utf8", cwd: work, env, maxBuffer: 1 << 28 });

/** Writes the types of a definition into a folder beside the client, and returns the folder. */
function declared(name) {
  const folder = join(work, name);
  mkdirSync(folder, { recursive: true });
  for (const file of ["rulebook.js", "rulebook.d.ts"]) cpSync(join(top, "crates/rulebook/static", file), join(folder, file));
  run("types", "--api", folders[name], "--output", join(folder, "api.d.ts"));
  return folder;
}

/** The declarations of the language and of the browser by path, which all compilations share. */
const libraries = new Map();

/** Returns the errors of the compiler in files. */
function compilerErrors(files) {
  const options = {
    strict: true,
    noEmit: true,
    // The library for handlers has types in comments.
    allowJs: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
    types: [],
    exactOptionalPropertyTypes: false,
    noUncheckedIndexedAccess: true,
    // The declarations of the language and of the browser are not under test.
    skipDefaultLibCheck: true,
  };
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (path, ...rest) => {
    if (!path.includes("/typescript/lib/")) return read(path, ...rest);
    if (!libraries.has(path)) libraries.set(path, read(path, ...rest));
    return libraries.get(path);
  };
  const all = ts.getPreEmitDiagnostics(ts.createProgram(files, options, host));
  return ts.formatDiagnostics(all, {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => work,
    getNewLine: () => "\n",
  });
}

/** Returns the members of an interface in a file. */
function members(file, name) {
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ES2022, true);
  const found = source.statements.find((one) => ts.isInterfaceDeclaration(one) && one.name.text === name);
  return found.members;
}
const byName = (all) => new Map(all.map((one) => [one.name.text, one]));

/** Yields the path of every function in a tree of types, and the id of its method. */
function* functions(all, path = []) {
  for (const { name, type } of all) {
    for (const part of ts.isIntersectionTypeNode(type) ? type.types : [type]) {
      if (ts.isTypeLiteralNode(part)) yield* functions(part.members, [...path, name.text]);
      else yield [[...path, name.text].join("."), part.typeArguments[0].indexType.literal.text];
    }
  }
}

/** Yields the paths of the client's functions. */
function* leaves(api, path = []) {
  for (const name of Object.keys(api)) {
    if (path.length === 0 && name.startsWith("$") && ["$call", "$methods"].includes(name)) continue;
    if (typeof api[name] === "function") yield [...path, name].join(".");
    yield* leaves(api[name], [...path, name]);
  }
}

for (const name of Object.keys(folders)) {
  test(`the types of ${name} compile, and agree with the client`, () => {
    const folder = declared(name);
    const file = join(folder, "api.d.ts");
    assert.equal(compilerErrors([file]), "");
    const definition = JSON.parse(run("check", "--api", folders[name], "--print"));
    const methods = [...services(definition)].flatMap((service) => service.methods);
    const types = byName(members(file, "Methods"));
    assert.deepEqual([...types.keys()].sort(), methods.map(({ id }) => id).sort());
    for (const { id, parameters, errors } of methods) {
      const parts = byName(types.get(id).type.members);
      const taken = [...byName(parts.get("arguments").type.members)].map(([own, { questionToken }]) => [
        own,
        !!questionToken,
      ]);
      assert.deepEqual(
        taken,
        parameters.map((one) => [one.name, one.optional]),
        id,
      );
      const { type } = parts.get("errors");
      const literals = ts.isUnionTypeNode(type) ? type.types : ts.isLiteralTypeNode(type) ? [type] : [];
      assert.deepEqual(
        literals.map(({ literal }) => literal.text),
        Object.keys(errors),
        id,
      );
    }
    const tree = [...functions(members(file, "Api"))];
    assert.deepEqual(tree.map(([path]) => path).sort(), [...leaves(client(definition, "http://h/"))].sort());
    assert.ok(tree.every(([path, id]) => path === id));
  });
}

test("correct programs compile with the types of the demo, and incorrect ones do not", () => {
  const folder = declared("demo");
  const files = ["usage.ts", "invalid_usage.ts"].map((name) => join(folder, name));
  for (const name of ["usage.ts", "invalid_usage.ts"]) cpSync(join(top, "tests/typescript", name), join(folder, name));
  assert.equal(compilerErrors(files), "");
  const wrong = readFileSync(files[1], "utf8").replaceAll(/^ *\/\/ @ts-expect-error.*\n/gm, "");
  writeFileSync(files[1], wrong);
  const places = new Set([...compilerErrors([files[1]]).matchAll(/invalid_usage\.ts\((\d+)/g)].map(([, line]) => line));
  assert.ok(places.size > 15, `only ${places.size} errors`);
});

test("the example in the documentation compiles", () => {
  const folder = declared("demo");
  const text = readFileSync(join(top, "docs/client.md"), "utf8");
  const [, block] = /^```ts\n(.*?)^```$/ms.exec(text);
  const file = join(folder, "example.ts");
  writeFileSync(join(folder, "package.json"), '{"type": "module"}');
  writeFileSync(file, block);
  assert.equal(compilerErrors([file]), "");
});

test("handlers in Node compile with their types if they are correct", () => {
  const folder = mkdtempSync(join(work, "node-"));
  const source = join(top, "tests/handler_types");
  for (const file of ["handlers.d.ts", "usage.ts"]) cpSync(join(source, file), join(folder, file));
  cpSync(join(top, "sdk/node/rulebook.mjs"), join(folder, "rulebook.mjs"));
  assert.equal(compilerErrors([join(folder, "usage.ts")]), "");
});
