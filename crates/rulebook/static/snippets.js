// Example calls of a method in several languages, for the values in a form. For the example values of the definition,
// the server writes the same texts (the Rust module `describe::snippet`); a test compares them.

import { KEY_HEADER, cookieValue, hasAllDigits, needsKey } from "./rulebook.js";
import {
  client,
  compactJson,
  fieldsOf,
  indented,
  isAscii,
  isFile,
  isNumber,
  javascript,
  jsonPieces,
  literal,
  loginText,
  prettyJson,
} from "./snippets-javascript.js";

/**
 * Returns the example calls of a method, by the names of their tools or languages.
 *
 * @param {string} server the URL of the server, without a slash at the end
 * @param {object} call what the form of the method sends, see formOf
 * @param {object} [credential] the credential, as `sample` of `Scheme` returns it
 */
export function snippets(server, { method, values, message }, credential = {}) {
  const request = requestOf(message, method, credential);
  return {
    curl: curl(request),
    "rulebook.js": client(server, method, values, credential),
    fetch: javascript(request),
    Python: python(request),
    PHP: php(request),
    Go: go(request),
  };
}

/** Returns a request with all of its header fields, except that `type` is the `Content-Type` of a body that is not a form, and
    except `Authorization` if it contains the name and the password in `login`. If the method requires an idempotency key, `key`
    is its header field: the code creates the value when it runs, so that code that is pasted again is another request. */
function requestOf(message, method, { field, login }) {
  const { http, url, headers, cookies, parts, text, file } = message;
  const isCookie = field?.[0] === "Cookie";
  const fields = field && !isCookie ? [field] : [];
  for (const [name, value] of headers) {
    const small = name.toLowerCase();
    if (small === "content-type" || (login && small === "authorization")) continue;
    if (!fields.some(([other]) => other.toLowerCase() === small)) fields.push([name, value]);
  }
  const session = isCookie ? [field[1]] : [];
  const pairs = [...session, ...cookies.map(([name, value]) => `${name}=${cookieValue(value)}`)];
  if (pairs.length > 0) fields.push(["Cookie", pairs.join("; ")]);
  const json = text === undefined ? undefined : jsonPieces(text);
  const key = needsKey(method, message) ? KEY_HEADER : undefined;
  const hasType = file !== undefined || json !== undefined;
  const type = hasType ? headers.find(([name]) => name === "Content-Type")[1] : undefined;
  return { http, url, login, fields, key, parts, json, file, type, returnsFile: method.options.download };
}

/** Returns a request as a curl command for a POSIX shell. */
export function curl({ http, url, login, fields, key, parts, json, file, type, returnsFile }) {
  const hasBody = parts !== undefined || type !== undefined;
  const method = http === (hasBody ? "POST" : "GET") ? "" : ` -X ${http}`;
  // Otherwise curl expands a URL with brackets or braces to several URLs.
  const glob = /[[\]{}]/.test(url) ? " --globoff" : "";
  const lines = [`curl${method}${glob} ${quote(url)}`];
  if (login) lines.push(`--user ${quote(loginText(login))}`);
  const all = fieldsOf(fields, type).map(([name, value]) => quote(value === "" ? `${name};` : `${name}: ${value}`));
  if (key) all.push(`"${key}: $(uuidgen)"`);
  lines.push(...all.map((field) => `-H ${field}`));
  if (json !== undefined) lines.push(`--data-raw ${quote(compactJson(json))}`);
  if (file) lines.push(`--data-binary ${quote(`@${file.name}`)}`);
  for (const [name, value] of parts ?? []) {
    if (isFile(value)) lines.push(`-F ${quote(`${name}=@${curlFileName(value.name)}`)}`);
    else lines.push(`--form-string ${quote(`${name}=${value}`)}`);
  }
  if (returnsFile) lines.push("--output download");
  return lines.join(" \\\n  ");
}

/** Quotes a file name for `-F` of curl if curl would otherwise read only its beginning, or remove characters. */
function curlFileName(name) {
  return /[",;\\]|^\s|\s$/.test(name) ? `"${name.replaceAll(/["\\]/g, "\\$&")}"` : name;
}

/** Quotes a text as a word of a shell. */
function quote(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Returns Python statements that send a request: with the package `requests` if it has a multipart form. */
function python({ http, url, login, fields, key, parts, json, file, type, returnsFile }) {
  // Python only sends strings of Latin-1 as header fields. The examples of the server are ASCII.
  const text = (value) => (isAscii(value) ? literal(value) : `${literal(value)}.encode()`);
  const all = fieldsOf(fields, type).map(([name, value]) => `        ${literal(name)}: ${text(value)},\n`);
  if (login && !parts) {
    const encoded = `base64.b64encode(${literal(loginText(login))}.encode()).decode()`;
    all.unshift(`        "Authorization": "Basic " + ${encoded},\n`);
  }
  if (key) all.push(`        ${literal(key)}: str(uuid.uuid4()),\n`);
  const headers = all.length === 0 ? "" : `    headers={\n${all.join("")}    },\n`;
  if (parts) {
    const content = (value) => (isFile(value) ? `open(${literal(value.name)}, "rb")` : `(None, ${literal(value)})`);
    const lines = parts.map(([name, value]) => `        (${literal(name)}, ${content(value)}),\n`).join("");
    // The package `requests` would send strings as Latin-1.
    const auth = login ? `    auth=(${text(login.name)}, ${text(login.password)}),\n` : "";
    return `${key ? "import uuid\n" : ""}import requests  # python3 -m pip install requests

response = requests.request(
    ${literal(http)},
    ${literal(url)},
${auth}${headers}    files=[
${lines}    ],
)
print(response.status_code, response.text)`;
  }
  // Python has integers of any size, without -0, and rounds other numbers.
  const isExact = ([, piece]) => piece !== "-0" && (/^-?\d+$/.test(piece) || hasAllDigits(piece));
  const isValue = json !== undefined && json.filter(isNumber).every(isExact);
  const body = isValue ? `json.dumps(${pythonValue(json)})` : literal(compactJson(json ?? []));
  const read = file ? `    data=open(${literal(file.name)}, "rb").read(),\n` : "";
  const data = json === undefined ? read : `    data=${body}.encode(),\n`;
  return `${login ? "import base64\n" : ""}${isValue ? "import json\n" : ""}import urllib.request${key ? "\nimport uuid" : ""}

request = urllib.request.Request(
    ${literal(url)},
    method=${literal(http)},
${headers}${data})
with urllib.request.urlopen(request) as response:
    print(response.status, ${returnsFile ? 'len(response.read()), "bytes"' : "response.read().decode()"})`;
}

/** Formats JSON as a Python literal, with a comma after each member and item. */
function pythonValue(pieces) {
  const words = { null: "None", true: "True", false: "False" };
  const lines = pieces.map(([name, piece], index) => {
    if (!piece.startsWith("\n")) return name === "word" ? (words[piece] ?? piece) : piece;
    const comma = /^[}\]]$/.test(pieces[index + 1][1]) ? "," : "";
    return `${comma}\n    ${piece.slice(1).repeat(2)}`;
  });
  return lines.join("");
}

/** Returns a PHP script that sends a request. */
function php({ http, url, login, fields, key, parts, json, file, type, returnsFile }) {
  const names = (parts ?? []).map(([name]) => name);
  // A PHP array cannot contain several parts with the same name.
  const isRepeated = new Set(names).size < names.length;
  let boundary = "boundary42";
  while (parts?.some(([, value]) => !isFile(value) && value.includes(boundary))) boundary += "x";
  const all = fieldsOf(fields, isRepeated ? `multipart/form-data; boundary=${boundary}` : type);
  const options = http === "GET" ? [] : [`CURLOPT_CUSTOMREQUEST => ${phpLiteral(http)}`];
  const headers = all.map(([name, value]) => `        ${phpLiteral(value === "" ? `${name};` : `${name}: ${value}`)},\n`);
  if (key) headers.push(`        ${phpLiteral(`${key}: `)} . bin2hex(random_bytes(16)),\n`);
  if (login) options.push(`CURLOPT_USERPWD => ${phpLiteral(loginText(login))}`);
  if (headers.length > 0) options.push(`CURLOPT_HTTPHEADER => [\n${headers.join("")}    ]`);
  if (json !== undefined)
    options.push(`CURLOPT_POSTFIELDS => <<<'JSON'\n${indented(`\n${prettyJson(json)}\nJSON`, "        ").slice(1)}`);
  if (file) options.push(`CURLOPT_POSTFIELDS => file_get_contents(${phpLiteral(file.name)})`);
  if (isRepeated) options.push("CURLOPT_POSTFIELDS => $body");
  else if (parts) {
    const value = (part) => (isFile(part) ? `new CURLFile(${phpLiteral(part.name)})` : phpLiteral(part));
    const lines = parts.map(([name, part]) => `        ${phpLiteral(name)} => ${value(part)},\n`);
    options.push(`CURLOPT_POSTFIELDS => [\n${lines.join("")}    ]`);
  }
  options.push("CURLOPT_RETURNTRANSFER => true");
  return `<?php
${isRepeated ? phpMultipart(parts, boundary) : ""}$request = curl_init(${phpLiteral(url)});
curl_setopt_array($request, [
${options.map((option) => `    ${option},\n`).join("")}]);
$response = curl_exec($request);
echo curl_getinfo($request, CURLINFO_RESPONSE_CODE), ' ', ${returnsFile ? "strlen($response), ' bytes'" : "$response"}, "\\n";`;
}

/** Returns PHP statements that write a multipart body (RFC 7578) to the variable `$body`. */
function phpMultipart(parts, boundary) {
  const escaped = (name) => name.replaceAll('"', "%22");
  const lines = parts.map(([name, value]) => {
    const file = isFile(value) ? `; filename="${escaped(value.name)}"` : "";
    const content = isFile(value) ? `file_get_contents(${phpLiteral(value.name)})` : phpLiteral(value);
    return `    [${phpLiteral(`name="${escaped(name)}"${file}`)}, ${content}],\n`;
  });
  return `$body = '';
foreach ([
${lines.join("")}] as [$disposition, $content]) {
    $body .= "--${boundary}\\r\\n"
        . "Content-Disposition: form-data; $disposition\\r\\n\\r\\n$content\\r\\n";
}
$body .= "--${boundary}--\\r\\n";
`;
}

/** Formats a string literal of PHP: in single quotes, or in double quotes if the text contains control characters. */
function phpLiteral(text) {
  if (!/\p{Cc}/u.test(text)) return `'${text.replaceAll(/[\\']/g, "\\$&")}'`;
  const escaped = (one) => (one === "\n" ? "\\n" : /["\\$]/.test(one) ? `\\${one}` : `\\u{${one.codePointAt(0).toString(16)}}`);
  return `"${text.replaceAll(/["\\$]|\p{Cc}/gu, escaped)}"`;
}

/** Returns a Go program that sends a request. */
function go({ http, url, login, fields, key, parts, json, file, type, returnsFile }) {
  const fail = "\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n";
  const imports = ["fmt", "io", "log", "net/http"];
  const hasFiles = parts?.some(([, value]) => isFile(value));
  if (json !== undefined) imports.push("strings");
  if (parts) imports.push("mime/multipart");
  if (parts || file) imports.push("bytes");
  if (hasFiles || file) imports.push("os");
  if (key) imports.push("crypto/rand");
  const headers = fieldsOf(fields, type).map((field) => field.map(goLiteral));
  if (parts) headers.push([goLiteral("Content-Type"), "form.FormDataContentType()"]);
  const sets = headers.map(([name, value]) => `\trequest.Header.Set(${name}, ${value})\n`);
  if (login) sets.unshift(`\trequest.SetBasicAuth(${goLiteral(login.name)}, ${goLiteral(login.password)})\n`);
  const random = `\tkey := make([]byte, 16)\n\trand.Read(key)\n`;
  const keyed = key ? `${random}\trequest.Header.Set(${goLiteral(key)}, fmt.Sprintf("%x", key))\n` : "";
  const pretty = json === undefined ? "" : prettyJson(json);
  // A raw string literal cannot contain these characters.
  const text = /[`\r\ufeff]/.test(pretty) ? goLiteral(compactJson(json)) : `\`${pretty}\``;
  const read = file ? `\tfile, err := os.ReadFile(${goLiteral(file.name)})\n${fail}\tbody := bytes.NewReader(file)\n` : "";
  const binary = read || goMultipart(parts, hasFiles);
  const statements = json === undefined ? binary : `\tbody := strings.NewReader(${text})\n`;
  const body = type === undefined ? (parts ? "&body" : "nil") : "body";
  return `package main

import (
${imports.sort().map((name) => `\t"${name}"\n`).join("")})

func main() {
${statements}\trequest, err := http.NewRequest(${goLiteral(http)}, ${goLiteral(url)}, ${body})
${fail}${sets.join("")}${keyed}\tresponse, err := http.DefaultClient.Do(request)
${fail}\tdefer response.Body.Close()
\tcontent, err := io.ReadAll(response.Body)
${fail}\tfmt.Println(response.StatusCode, ${returnsFile ? 'len(content), "bytes"' : "string(content)"})
}`;
}

/** Returns Go statements that write a multipart body to the variable `body`. */
function goMultipart(parts, hasFiles) {
  if (!parts) return "";
  const addFile = `\taddFile := func(field, path string) {
\t\tcontent, err := os.ReadFile(path)
\t\tif err != nil {
\t\t\tlog.Fatal(err)
\t\t}
\t\tpart, _ := form.CreateFormFile(field, path)
\t\tpart.Write(content)
\t}
`;
  const line = ([name, value]) =>
    isFile(value)
      ? `\taddFile(${goLiteral(name)}, ${goLiteral(value.name)})\n`
      : `\tform.WriteField(${goLiteral(name)}, ${goLiteral(value)})\n`;
  const start = "\tvar body bytes.Buffer\n\tform := multipart.NewWriter(&body)\n";
  return `${start}${hasFiles ? addFile : ""}${parts.map(line).join("")}\tform.Close()\n`;
}

/** Formats a string literal of Go, whose source code cannot contain byte order marks. */
function goLiteral(text) {
  return literal(text).replaceAll("\ufeff", "\\ufeff");
}
