// Example calls in JavaScript, and the parts of them that the example calls in other languages also have.

import { pretty } from "./pretty.js";
import { Json, hasAllDigits, json as jsonOf } from "./rulebook.js";

/** Returns the header fields of a request, with the media type of its body. */
export const fieldsOf = (fields, type) => (type === undefined ? fields : [...fields, ["Content-Type", type]]);

export const isFile = (value) => value instanceof Blob;

/** Returns the pieces of a JSON text with their classes, see `pretty`. Each string is escaped as little as possible. */
export const jsonPieces = (text) =>
  [...pretty(text)].map(([name, piece]) => [name, piece.startsWith('"') ? JSON.stringify(JSON.parse(piece)) : piece]);

export const prettyJson = (pieces) => pieces.map(([, piece]) => piece).join("");
export const compactJson = (pieces) => pieces.map(([name, piece]) => (name === "" ? piece.trim() : piece)).join("");

/** Formats a string literal of JavaScript and Python. Every JSON string is also a string of these languages. */
export const literal = (text) => JSON.stringify(text);

/** Returns a name and a password as one text, in which the first colon separates them. */
export const loginText = ({ name, password }) => `${name}:${password}`;

export const isAscii = (text) => /^[\0-\x7f]*$/.test(text);

/** Indents all lines of a text except the first one. */
export const indented = (text, indent) => text.replaceAll("\n", `\n${indent}`);

/** Returns whether a piece of a JSON text is a number. */
export const isNumber = ([name, piece]) => name === "word" && /\d/.test(piece);

/** The lines before statements that read files. */
const READ_FILE = [
  `// In a page, a file comes from <input type="file">: input.files[0].`,
  `const { readFile } = await import("node:fs/promises");`,
];

/** Returns statements that call a method with `rulebook.js`. */
export function client(server, { id, options }, values, credential) {
  const imports = new Set(["rulebook"]);
  const file = ({ name }) => `new File([await readFile(${literal(name)})], ${literal(name)})`;
  const reads = [...values.values()].flat().some(isFile);
  const argument = (value) => {
    if (isFile(value)) return file(value);
    if (Array.isArray(value) && value.some(isFile)) return `[${value.map(file).join(", ")}]`;
    const pieces = jsonPieces(jsonOf(value));
    if (isExact(pieces)) return indented(prettyJson(pieces), "  ");
    imports.add("Json");
    return `new Json(${literal(compactJson(pieces))})`;
  };
  const lines = [...values].map(([{ name }, value]) => `  ${member(name)}: ${argument(value)},\n`);
  const args = lines.length === 0 ? "" : `{\n${lines.join("")}}`;
  const call = functionCall(id, args);
  const node = reads ? READ_FILE.map((line) => `${line}\n`).join("") : "";
  const more = credentialOption(credential);
  const result = options.download
    ? `const { response, filename } = await ${call};\nconsole.log(filename, await response.blob());`
    : `const outputs = await ${call};\nconsole.log(outputs);`;
  return `import { ${[...imports].sort().join(", ")} } from ${literal(`${server}/docs/rulebook.js`)};
${node}
const api = await rulebook(${literal(server)}${more});
${result}`;
}

/** Returns the argument of the client that contains the credential, after a comma; "" without a credential. */
function credentialOption({ field, login }) {
  if (login) return `, { basic: { name: ${literal(login.name)}, password: ${literal(login.password)} } }`;
  if (!field) return "";
  const [name, value] = field;
  const [, token] = name === "Authorization" ? (/^Bearer (.*)$/s.exec(value) ?? []) : [];
  return token === undefined ? `, { headers: { ${literal(name)}: ${literal(value)} } }` : `, { token: ${literal(token)} }`;
}

const IDENTIFIER = /^[A-Za-z_$][A-Za-z0-9_$]*$/;

function functionCall(id, args) {
  const names = id.split(".");
  // The client has no functions with these names.
  if (["$call", "$methods"].includes(names[0]) || id === "then")
    return `api.$call(${literal(id)}${args === "" ? "" : ", "}${args})`;
  return `api${names.map((name) => (IDENTIFIER.test(name) ? `.${name}` : `[${literal(name)}]`)).join("")}(${args})`;
}

/** Formats the name of a member of an object literal. `__proto__` without brackets would set the prototype. */
function member(name) {
  if (name === "__proto__") return `["__proto__"]`;
  return IDENTIFIER.test(name) ? name : literal(name);
}

/** Returns whether a JavaScript literal can represent a JSON text and all numbers in it. `JSON.stringify` removes the sign
    of -0, and writes large numbers with a fraction or an exponent as integers. */
function isExact(pieces) {
  const isSafe = (number) => Number.isSafeInteger(number) || !Number.isInteger(number);
  return pieces.every(([name, piece]) => {
    if (!isNumber([name, piece])) return piece !== '"__proto__"' || name !== "key";
    const number = Number(piece);
    return hasAllDigits(piece) && isSafe(number) && !Object.is(number, -0);
  });
}

/** Returns JavaScript statements that send a request. */
export function javascript({ http, url, login, fields, key, parts, json, file: sent, type, returnsFile }) {
  const before = sent || parts?.some(([, value]) => isFile(value)) ? [...READ_FILE] : [];
  if (parts) before.push("const form = new FormData();");
  for (const [name, value] of parts ?? []) {
    const file = isFile(value) && literal(value.name);
    before.push(`form.append(${literal(name)}, ${file ? `new Blob([await readFile(${file})]), ${file}` : literal(value)});`);
  }
  if (fields.some(([name]) => name === "Cookie"))
    before.push("// For Node only: browsers do not let a script set this header field.");
  const options = http === "GET" ? [] : [`method: ${literal(http)}`];
  // `fetch` sends each character of a header field as one byte. The examples of the server are ASCII.
  const bytes = (value) => `String.fromCharCode(...new TextEncoder().encode(${literal(value)}))`;
  const text = (value) => (isAscii(value) ? literal(value) : bytes(value));
  const all = fieldsOf(fields, type).map(([name, value]) => `    ${literal(name)}: ${text(value)},\n`);
  if (login) all.unshift(`    "Authorization": "Basic " + btoa(${text(loginText(login))}),\n`);
  if (key) all.push(`    ${literal(key)}: crypto.randomUUID(),\n`);
  if (all.length > 0) options.push(`headers: {\n${all.join("")}  }`);
  // JavaScript would round the numbers of a literal, so the body is then a string.
  if (json !== undefined)
    options.push(`body: ${isExact(json) ? `JSON.stringify(${indented(prettyJson(json), "  ")})` : literal(compactJson(json))}`);
  if (parts) options.push("body: form");
  if (sent) options.push(`body: await readFile(${literal(sent.name)})`);
  const lines = options.length === 0 ? "" : `, {\n${options.map((option) => `  ${option},\n`).join("")}}`;
  const shown = returnsFile ? "blob" : "text";
  return `${before.map((line) => `${line}\n`).join("")}const response = await fetch(${literal(url)}${lines});
console.log(response.status, await response.${shown}());`;
}
