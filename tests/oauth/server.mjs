// A server that accepts the tokens of an issuer, for the tests of issuers.

import { spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The methods of the API: one needs a scope, the other the permission of a user. */
const method = (scope) => ({ info: "A note", scope: [[scope]], handler: { value: {} } });
const user = { ...method("user[id]"), in: { "{id}": { info: "The id", type: "string" } } };
const services = { note: { GET: method("notes:read") }, "user/{id}": { GET: user } };

/**
 * Starts a server that accepts tokens of the issuer in this discovery document, with these further settings. Returns
 * its URL, and functions to call it and to stop it.
 */
export async function serve(name, discovery, settings = {}) {
  const folder = join(process.env.RULEBOOK_WORK, name);
  await mkdir(folder);
  const jwt = {
    issuer: discovery.issuer,
    audience: "notes",
    jwks: discovery.jwks_uri,
    permissions: ["user[{sub}]", "{scope}"],
    cooldown: 0.2,
    resource: "https://api.example",
    openid: true,
    ...settings,
  };
  await writeFile(join(folder, "app.json"), JSON.stringify({ auth: { jwt } }));
  await writeFile(join(folder, "notes.json"), JSON.stringify({ "/": services }));
  const options = ["--data", `${folder}.data`, "--bind", "127.0.0.1:0", "--log", "off"];
  const server = spawn(process.env.RULEBOOK_PROGRAM, ["serve", "--api", folder, ...options]);
  server.stderr.pipe(process.stderr);
  const url = await new Promise((resolve, reject) => {
    let text = "";
    server.on("exit", (code) => reject(new Error(`the server has ended: ${code}\n${text}`)));
    server.stdout.on("data", (part) => {
      text += part;
      const address = /listens +(http:\/\/[^\s/]+)/.exec(text);
      if (address) resolve(address[1]);
    });
  });
  const status = async (token, target = "/note") => {
    const response = await fetch(url + target, { headers: { authorization: `Bearer ${token}` } });
    await response.arrayBuffer();
    return response.status;
  };
  return { url, status, stop: () => server.kill() };
}

/** Checks that a client finds the issuer, by the response to a request without a token and by the documents. */
export async function findIssuer(url) {
  const refused = await fetch(`${url}/note`);
  const address = /resource_metadata="https:\/\/api\.example([^"]*)"/.exec(refused.headers.get("www-authenticate"))[1];
  const { authorization_servers: [issuer] } = await (await fetch(url + address)).json();
  const document = await (await fetch(`${url}/openapi.json`)).json();
  const { openIdConnectUrl } = document.components.securitySchemes.openid;
  return { issuer, openIdConnectUrl };
}
