// Tokens of the npm package oauth2-mock-server, whose signatures come from the package jose.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { OAuth2Server } from "oauth2-mock-server";

import { findIssuer, serve } from "./server.mjs";

const issuer = new OAuth2Server();
let server;
const status = (...call) => server.status(...call);

/** Starts the issuer, and a server that accepts its tokens. */
before(async () => {
  for (const alg of ["RS256", "ES256", "EdDSA"]) await issuer.issuer.keys.generate(alg);
  await issuer.start(0, "127.0.0.1");
  const address = `http://127.0.0.1:${issuer.address().port}`;
  issuer.issuer.url = address;
  server = await serve("issuer", await (await fetch(`${address}/.well-known/openid-configuration`)).json());
});

after(async () => {
  server?.stop();
  if (issuer.listening) await issuer.stop();
});

/** Returns a token with this key and these changes of its claims. */
function token(kid, change = () => {}) {
  return issuer.issuer.buildToken({
    kid,
    scopesOrTransform: (_, payload) => {
      Object.assign(payload, { aud: ["notes"], sub: "ada", scope: "openid notes:read" });
      change(payload);
    },
  });
}

const keyIds = () => issuer.issuer.keys.toJSON().map(({ kid, alg }) => [alg, kid]);

test("tokens with keys of each type are accepted", async () => {
  assert.deepEqual(keyIds().map(([alg]) => alg).sort(), ["ES256", "EdDSA", "RS256"]);
  for (const [alg, kid] of keyIds()) {
    for (let time = 0; time < 3; time++) assert.equal(await status(await token(kid)), 200, alg);
    assert.equal(await status(await token(kid), "/user/ada"), 200);
    assert.equal(await status(await token(kid), "/user/grace"), 403);
  }
});

test("the claims of tokens are checked", async () => {
  const [[, kid]] = keyIds();
  const now = Math.floor(Date.now() / 1000);
  const changes = {
    "another audience": { aud: "other" },
    "another issuer": { iss: "https://other.example" },
    expired: { exp: now - 3600 },
    "not valid yet": { nbf: now + 3600 },
  };
  for (const [name, change] of Object.entries(changes)) {
    assert.equal(await status(await token(kid, (payload) => Object.assign(payload, change))), 401, name);
  }
  assert.equal(await status(await token(kid, (payload) => { payload.scope = "openid"; })), 403);
});

test("a new key is accepted at once", async () => {
  await sleep(300);
  const { kid } = await issuer.issuer.keys.generate("RS256");
  const statuses = await Promise.all(Array.from({ length: 10 }, async () => status(await token(kid))));
  assert.deepEqual(statuses, Array(10).fill(200));
});

test("clients find the issuer", async () => {
  const { issuer: found, openIdConnectUrl } = await findIssuer(server.url);
  const discovery = await (await fetch(`${found}/.well-known/openid-configuration`)).json();
  assert.equal(discovery.issuer, found);
  assert.equal((await fetch(openIdConnectUrl)).status, 200);
});

test("known keys are used while the issuer is away", async () => {
  const [[, kid]] = keyIds();
  const [known, unknown] = [await token(kid), await token((await issuer.issuer.keys.generate("ES256")).kid)];
  await issuer.stop();
  assert.equal(await status(known), 200);
  await sleep(300);
  assert.equal(await status(unknown), 503);
});
