// Prints the example calls that the page of each method shows when its form has the given values, as JSON.
//
//     node form_calls.mjs MODULES CALLS
//
// MODULES is a folder with the modules of the static folder. CALLS is a JSON file with the URL of a server and a list of
// calls: the id of a method, the header field of its credential or null, the typed credential, and the value of each
// parameter or null.
// A value is a JSON text, or a list of file names.

import { File } from "node:buffer";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, file] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(join(modules, name)));
const { Json, baseOf, definition, request, services } = await load("rulebook.js");
const { inputKind, parseDefinition: parse, typed } = await load("kinds.js");
const { Scheme } = await load("credential.js");
const { snippets } = await load("snippets.js");

const { url, calls } = JSON.parse(readFileSync(file));
const api = await definition(url, { parse });
const base = baseOf(api, url);
const methods = [...services(api)].flatMap((service) => service.methods);

/** The kinds of inputs that consist of other inputs, or have a choice, so that their values are no texts. */
const COMPOSED = ["choice", "list", "map", "object", "union"];

/** Returns the value of an input; undefined if no text of the input means this value. */
function valueOf(kind, value) {
  if (Array.isArray(value)) {
    // Browsers derive the media type from the name.
    const type = (name) => ({ png: "image/png", txt: "text/plain" })[name.split(".").at(-1)];
    const files = value.map((name) => new File(["x"], name, { type: type(name) }));
    return kind.multiple ? files : files[0];
  }
  if (COMPOSED.includes(kind.name)) return parse(value);
  const parsed = JSON.parse(value);
  const isWritten = typeof parsed !== "string" || ["json", "any"].includes(kind.name);
  const text = isWritten ? value : parsed;
  const result = text === "" ? undefined : typed(kind, text);
  // An input for text cannot express other values.
  const isSame = typeof result === "string" ? result === parsed : result instanceof Json ? isWritten : Array.isArray(parsed);
  return isSame ? result : undefined;
}

const texts = calls.map(({ id, credential, token, values: given }) => {
  const method = methods.find((one) => one.id === id);
  const values = new Map();
  for (const [index, parameter] of method.parameters.entries()) {
    if (given[index] === null) continue;
    const value = valueOf(inputKind(parameter), given[index]);
    if (value === undefined) return null;
    values.set(parameter, value);
  }
  const call = { method, values, message: request(base, method, values, "") };
  const sample = credential === null ? undefined : new Scheme(credential).sample(token);
  return snippets(url.replace(/\/$/, ""), call, sample);
});
process.stdout.write(JSON.stringify(texts));
