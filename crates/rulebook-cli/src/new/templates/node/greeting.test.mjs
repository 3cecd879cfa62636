// Tests of the handlers: `node --test`.

import assert from "node:assert";
import { test } from "node:test";

import { greet } from "./greeting.mjs";

test("a greeting is in its language", () => {
    assert.deepEqual(greet({ name: "Ada", lang: "fr" }), { greeting: "Bonjour, Ada!" });
});
