// Tests of the API: `node --test`. The program `rulebook` checks the arguments and the outputs of each call.

import assert from "node:assert";
import { test } from "node:test";

import { Client } from "./rulebook_testing.mjs";

const client = new Client();

test("a greeting is in its language", async () => {
    const outputs = await client.call("greeting.greet", { name: "Ada", lang: "fr" });
    assert.deepEqual(outputs, { greeting: "Bonjour, Ada!" });
});

test("an unknown language is refused", async () => {
    const refused = client.call("greeting.greet", { name: "Ada", lang: "xx" });
    await assert.rejects(refused, { error: "invalid-parameter" });
});
