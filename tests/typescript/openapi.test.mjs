// The OpenAPI document of a definition: openapi-typescript generates types from it, which compile.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";
import ts from "typescript";

const top = fileURLToPath(new URL("../..", import.meta.url));
const program = process.env.RULEBOOK_PROGRAM ?? join(top, "target/debug/article-site");
const work = mkdtempSync(join(tmpdir(), "rulebook-openapi-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));

const good = join(top, "crates/rulebook-model/tests/definitions/good");
const folders = { demo: join(top, "api"), zoo: join(top, "tests/external/zoo"), types: join(top, "tests/external/types") };
for (const name of readdirSync(good)) folders[name] = join(good, name);

/** Returns the errors of the compiler in a file. */
function compilerErrors(file) {
  const options = { strict: true, noEmit: true, target: ts.ScriptTarget.ES2022, lib: ["lib.es2022.d.ts"], types: [], skipDefaultLibCheck: true };
  const all = ts.getPreEmitDiagnostics(ts.createProgram([file], options));
  return all.map((one) => ts.flattenDiagnosticMessageText(one.messageText, "\n"));
}

for (const [name, folder] of Object.entries(folders)) {
  for (const version of ["3.0", "3.1"]) {
    test(`types from the OpenAPI ${version} document of ${name} compile`, async () => {
      const file = join(work, `${name}-${version}.json`);
      execFileSync(program, ["openapi", "--api", folder, "--as", version, "--output", file], { cwd: work });
      const types = join(work, `${name}-${version}.ts`);
      writeFileSync(types, astToString(await openapiTS(JSON.parse(readFileSync(file, "utf8")), { silent: true })));
      assert.deepEqual(compilerErrors(types), []);
    });
  }
}

test("the branches of a union with a tag differ in their types", () => {
  const types = readFileSync(join(work, "zoo-3.1.ts"), "utf8");
  assert.match(types, /kind: "cat"/);
  assert.match(types, /kind: "dog"/);
});
