// Access tokens of the npm package oidc-provider: those of RFC 9068 (`at+jwt`), which a client gets with its credentials
// for a resource (RFC 8707).

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import Provider from "oidc-provider";

import { findIssuer, serve } from "./server.mjs";

/** The algorithms of the signatures, and how to make their keys. */
const KEYS = {
  RS256: ["rsa", { modulusLength: 2048 }],
  PS384: ["rsa", { modulusLength: 2048 }],
  ES256: ["ec", { namedCurve: "P-256" }],
  ES384: ["ec", { namedCurve: "P-384" }],
  ES512: ["ec", { namedCurve: "P-521" }],
  EdDSA: ["ed25519", {}],
};
/** An algorithm that the server does not accept. */
const OTHER = "ES512";
const CLIENT = { client_id: "ada", client_secret: "a secret of the client" };

const http = createServer();
let provider, server;

/** Returns the settings of tokens for a resource such as `urn:notes:ES256`: its audience and the algorithm. */
function resourceServer(_, resource) {
  const [, audience, alg] = resource.split(":");
  return { scope: "notes:read", audience, accessTokenFormat: "jwt", jwt: { sign: { alg } } };
}

/** Starts the issuer, and a server that accepts its tokens. */
before(async () => {
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${http.address().port}`;
  const keys = Object.entries(KEYS).map(([alg, [type, options]]) => {
    const key = generateKeyPairSync(type, options).privateKey.export({ format: "jwk" });
    return { ...key, alg, use: "sig", kid: `key-${alg}` };
  });
  const client = { ...CLIENT, grant_types: ["client_credentials"], redirect_uris: [], response_types: [] };
  provider = new Provider(issuer, {
    clients: [client],
    jwks: { keys },
    scopes: ["notes:read"],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: { enabled: true, getResourceServerInfo: resourceServer },
    },
  });
  http.on("request", provider.callback());
  const discovery = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
  server = await serve("provider", discovery, { algorithms: Object.keys(KEYS).filter((alg) => alg !== OTHER) });
});

after(() => {
  server?.stop();
  http.close();
  http.closeAllConnections();
});

/** Gets a token for a resource. */
async function token(resource, scope = "notes:read") {
  const credentials = Buffer.from(`${CLIENT.client_id}:${encodeURIComponent(CLIENT.client_secret)}`).toString("base64");
  const response = await fetch(`${provider.issuer}/token`, {
    method: "POST",
    headers: { authorization: `Basic ${credentials}` },
    body: new URLSearchParams({ grant_type: "client_credentials", resource, scope }),
  });
  const body = await response.json();
  assert.equal(response.status, 200, JSON.stringify(body));
  return body.access_token;
}

test("tokens of each algorithm are accepted", async () => {
  for (const alg of Object.keys(KEYS).filter((alg) => alg !== OTHER)) {
    const accepted = await token(`urn:notes:${alg}`);
    const header = JSON.parse(Buffer.from(accepted.split(".")[0], "base64url"));
    assert.deepEqual([header.alg, header.typ], [alg, "at+jwt"]);
    assert.equal(await server.status(accepted), 200, alg);
    assert.equal(await server.status(accepted, "/user/ada"), 200, "the client is the subject");
    assert.equal(await server.status(accepted, "/user/grace"), 403);
  }
});

test("tokens for other resources, with other algorithms, without the scope, or changed are refused", async () => {
  assert.equal(await server.status(await token("urn:other:ES256")), 401);
  assert.equal(await server.status(await token(`urn:notes:${OTHER}`)), 401);
  assert.equal(await server.status(await token("urn:notes:ES256", "")), 403);
  const [header, claims, signature] = (await token("urn:notes:RS256")).split(".");
  const changed = { ...JSON.parse(Buffer.from(claims, "base64url")), sub: "grace" };
  const text = Buffer.from(JSON.stringify(changed)).toString("base64url");
  assert.equal(await server.status([header, text, signature].join("."), "/user/grace"), 401);
});

test("clients find the issuer", async () => {
  const { issuer, openIdConnectUrl } = await findIssuer(server.url);
  assert.equal(issuer, provider.issuer);
  assert.equal((await (await fetch(openIdConnectUrl)).json()).issuer, issuer);
});
