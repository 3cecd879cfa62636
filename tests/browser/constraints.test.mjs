// The client checks constraints between parameters as the server does: it sends no request if the server would report a
// broken constraint, and reports the same errors. What only the server can check is sent to it.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { rulebook as client, serve, top } from "./support.mjs";

const { ApiError, ArgumentError, Json, rulebook } = client;

/** Parses the data file, in which texts such as "12n" are BigInts. */
const withBigInts = (_, value) =>
  typeof value === "string" && /^\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value;

const { definition, cases } = JSON.parse(await readFile(join(top, "tests/data/constraints.json"), "utf8"), withBigInts);

/** Serves the definition. Returns its client, and the number of calls that were sent. */
async function served(t) {
  const api = await mkdtemp(join(tmpdir(), "rulebook-api-"));
  t.after(() => rm(api, { recursive: true }));
  await writeFile(join(api, "constraints.json"), JSON.stringify(definition));
  const sent = { count: 0 };
  const counting = (url, options) => {
    if (options.method !== "OPTIONS") sent.count += 1;
    return fetch(url, options);
  };
  const { url } = await serve(t, { api, flags: ["--unbound", "echo"] });
  return { api: await rulebook(url, { fetch: counting }), sent };
}

/** Returns the error of a call; undefined if it succeeds. */
const errorOf = (call) => call.then(() => undefined, (error) => error);

const inOneLine = ({ parameter, expected, message }) => [parameter, expected, message].filter(Boolean).join(": ");

test("the client and the server report the same broken constraints", async (t) => {
  const { api, sent } = await served(t);
  let unsent = 0;
  for (const { method, args, errors = [], client: isChecked = true } of cases) {
    const what = `${method} ${JSON.stringify(args, (_, value) => (typeof value === "bigint" ? `${value}n` : value))}`;
    sent.count = 0;
    const ofServer = await errorOf(api.$call(method, args, { check: false }));
    assert.equal(sent.count, 1, what);
    assert.ok(ofServer === undefined || ofServer instanceof ApiError, `${what}: ${ofServer}`);
    assert.deepEqual((ofServer?.errors ?? []).map(inOneLine), errors, what);
    const ofClient = await errorOf(api.$call(method, args));
    if (errors.length === 0 || !isChecked) {
      assert.equal(sent.count, 2, `${what}: ${ofClient}`);
      continue;
    }
    assert.equal(sent.count, 1, what);
    assert.ok(ofClient instanceof ArgumentError, `${what}: ${ofClient}`);
    const shape = ({ parameter, in: place, expected, message }) => [parameter, place, expected, message];
    assert.deepEqual(ofClient.errors.map(shape), ofServer.errors.map(shape), what);
    const [{ parameter, expected, message }] = ofServer.errors;
    assert.deepEqual([ofClient.parameter, ofClient.expected], [parameter, expected], what);
    assert.ok(ofClient.message.includes(message ?? expected), `${what}: ${ofClient.message}`);
    unsent += 1;
  }
  assert.ok(unsent > 15, `${unsent} calls were not sent`);
});

test("values that the client does not read are left to the server", async (t) => {
  const { api } = await served(t);
  const call = (args) => errorOf(api.order.post(args));
  assert.ok((await call({ min: new Json("1e1") })) instanceof ApiError);
  assert.equal(await call({ min: new Json("9") }), undefined);
  assert.ok((await call({ begin: new Date("2026-01-02T00:00:00Z"), end: new Date(0) })) instanceof ArgumentError);
  const secret = await errorOf(api.equality.post({ password: "first", again: "other" }));
  assert.doesNotMatch(JSON.stringify([secret.message, secret.errors]), /first|other"/);
});
