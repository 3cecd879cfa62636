// One method: what its definition says, a form that calls it, and the answer. Text from outside is only ever
// inserted as text.

import { curl, kind, origin, pretty, request, send } from "./rulebook.js";

/** An element with properties and children; texts become text nodes. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined) continue;
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== ""));
  return element;
}

/** A URI, its captures set apart; it may be broken in front of a slash. */
export function uri(path) {
  const parts = path.split(/(?=\/)|(?<=\/)(?=\{)/);
  const shown = parts.flatMap((part) => [
    part.startsWith("/") ? h("wbr") : "",
    part.startsWith("{") ? h("var", {}, part) : part,
  ]);
  return h("code", { className: "uri" }, shown);
}

/**
 * A method of a service, to be opened.
 *
 * @param {{root: string, token: () => string}} api
 */
export function method(api, path, http, definition) {
  const { info, scope, in: inputs = {}, out = {}, errors = {}, options = {} } = definition;
  const id = `m-${http}`;
  const fields = Object.entries(inputs).map(([key, parameter], index) => field(key, parameter, http, `${id}-${index}`));
  const filled = () => fields.map((field) => field.filled()).filter((one) => one !== undefined);
  const asked = () => request(api.root, path, http, filled(), api.token());

  const command = h("code");
  const answer = h("div", { className: "answer", role: "status" });
  const form = h(
    "form",
    { noValidate: true, autocomplete: "off" },
    fields.length === 0 ? h("p", { className: "quiet" }, "Takes no parameters.") : table(fields),
    h(
      "p",
      { className: "actions" },
      h("button", { type: "submit" }, "Call"),
      h("button", { type: "reset", className: "minor" }, "Empty the form"),
    ),
    h("details", { className: "curl" }, h("summary", {}, "As a command"), h("pre", {}, command)),
    answer,
  );
  const refresh = () => {
    command.textContent = curl(asked());
  };
  form.addEventListener("input", refresh);
  form.addEventListener("reset", () =>
    setTimeout(() => {
      answer.replaceChildren();
      refresh();
    }),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    refresh();
    await call(asked(), answer, form);
  });

  const details = h(
    "details",
    { className: "method", id },
    h(
      "summary",
      {},
      h("span", { className: `http ${http}` }, http),
      " ",
      h(
        "span",
        { className: "info" },
        info,
        options.deprecated ? h("span", { className: "tag" }, "deprecated") : "",
        scope ? h("span", { className: "tag" }, "permission") : "",
      ),
    ),
    h(
      "div",
      { className: "body" },
      h("p", { className: "needs" }, needs(scope)),
      form,
      answers(out, options),
      refusals(errors),
    ),
  );
  details.addEventListener("toggle", refresh);
  return details;
}

/** Who may call: an OR of ANDs. */
function needs(scope) {
  if (scope === undefined) return ["Open to everybody."];
  const group = (all) => all.flatMap((one, index) => [index === 0 ? "" : " and ", h("code", {}, one)]);
  return ["Needs ", ...scope.flatMap((all, index) => [index === 0 ? "" : ", or ", ...group(all)]), "."];
}

/** A parameter as a row with its input. */
function field(key, parameter, http, id) {
  const from = origin(key, http);
  const wants = kind(parameter);
  const optional = parameter.type.startsWith("?") || parameter.default !== undefined;
  const input = control(wants, parameter, optional, id);
  const row = h(
    "tr",
    {},
    h(
      "th",
      { scope: "row" },
      h(
        "label",
        { htmlFor: id },
        from.capture === undefined && from.position !== undefined && parameter.name ? parameter.name : from.wire,
      ),
      optional ? "" : h("span", { className: "required", title: "required" }, " required"),
      h("small", {}, from.place + (from.position === undefined ? "" : `, ${from.wire}`)),
    ),
    h("td", {}, input, h("small", {}, h("code", {}, parameter.type), ...attributes(parameter)), note(from)),
    h("td", { id: `${id}-info` }, parameter.info, fieldsOf(parameter.fields)),
  );
  const filled = () => {
    const files = wants.name === "file" ? [...input.files] : undefined;
    if (files?.length === 0 || input.value === "") return undefined;
    return { origin: from, kind: wants, text: files ? undefined : input.value, files };
  };
  return { row, filled };
}

function table(fields) {
  const head = h(
    "thead",
    {},
    h(
      "tr",
      {},
      ["Parameter", "Value", "What it is"].map((name) => h("th", { scope: "col" }, name)),
    ),
  );
  return h(
    "table",
    { className: "parameters" },
    head,
    h(
      "tbody",
      {},
      fields.map(({ row }) => row),
    ),
  );
}

function control(wants, { default: preset, example, range, ext, min, max }, optional, id) {
  const shared = { id, "aria-describedby": `${id}-info`, spellcheck: false };
  const shown = (value) => (typeof value === "string" ? value : JSON.stringify(value));
  const value = !optional && example !== undefined ? shown(example) : undefined;
  const placeholder =
    preset !== undefined
      ? `${shown(preset)} (default)`
      : example !== undefined
        ? `such as ${shown(example)}`
        : undefined;
  switch (wants.name) {
    case "file": {
      const accept = [...(range ?? []), ...(ext ?? []).map((end) => `.${end}`)].join(",");
      return h("input", { ...shared, type: "file", multiple: wants.multiple, accept });
    }
    case "choice": {
      const none = preset !== undefined ? `${shown(preset)} (default)` : optional ? "not sent" : "choose";
      const all = wants.options.map((option) =>
        h("option", { value: option, defaultSelected: option === value }, option),
      );
      return h("select", shared, h("option", { value: "" }, none), all);
    }
    case "number":
      return h("input", {
        ...shared,
        type: "number",
        step: wants.step,
        min,
        max,
        defaultValue: value ?? "",
        placeholder,
      });
    case "text":
      if (!wants.long)
        return h("input", { ...shared, type: wants.input ?? "text", defaultValue: value ?? "", placeholder });
      return h("textarea", { ...shared, rows: 4, defaultValue: value ?? "", placeholder });
    default:
      return h("textarea", {
        ...shared,
        rows: 3,
        className: "json",
        defaultValue: value ?? "",
        placeholder: placeholder ?? wants.wants ?? "JSON",
      });
  }
}

/** What a type says beside its term. */
function attributes(parameter) {
  const told = ["min", "max", "regex", "format", "separator", "range", "ext"].filter(
    (name) => parameter[name] !== undefined,
  );
  return told.flatMap((name) => [`, ${name} `, h("code", {}, [parameter[name]].flat().join(" "))]);
}

/** What a page cannot send. */
function note({ place, wire }) {
  const kept =
    place === "cookie" ||
    (place === "header" && /^(user-agent|host|origin|referer|connection|content-length|date|via)$/i.test(wire));
  return kept ? h("small", { className: "note" }, "Browsers do not let a page send this; the command does.") : "";
}

/** The fields of an object, those of its objects inside. */
function fieldsOf(fields) {
  if (fields === undefined) return "";
  const items = Object.entries(fields).map(([name, { type, info, fields: inner }]) =>
    h("li", {}, h("code", {}, name), " ", h("small", {}, h("code", {}, type)), ` ${info ?? ""}`, fieldsOf(inner)),
  );
  return h("ul", { className: "fields" }, items);
}

function answers(out, { status = 200, download }) {
  const rows = Object.entries(out).map(([name, { type, info, fields }]) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, h("code", {}, name === "*" ? "whole body" : name)),
      h("td", {}, h("code", {}, type)),
      h("td", {}, info, fieldsOf(fields)),
    ),
  );
  const what = download ? "A file." : rows.length === 0 ? "No outputs." : undefined;
  return h(
    "section",
    {},
    h("h4", {}, `Answers ${status}`),
    what ? h("p", { className: "quiet" }, what) : "",
    rows.length === 0 ? "" : h("table", {}, h("tbody", {}, rows)),
  );
}

function refusals(errors) {
  const rows = Object.entries(errors).map(([name, { status, info }]) =>
    h("tr", {}, h("th", { scope: "row" }, h("code", {}, name)), h("td", {}, String(status)), h("td", {}, info)),
  );
  return rows.length === 0 ? "" : h("section", {}, h("h4", {}, "Refuses"), h("table", {}, h("tbody", {}, rows)));
}

/** Sends a request and shows what comes back. */
async function call(asked, answer, form) {
  const button = form.querySelector("button[type=submit]");
  button.disabled = true;
  answer.replaceChildren(h("p", { className: "quiet" }, "Waiting…"));
  const began = performance.now();
  try {
    const response = await send(asked);
    const body = await response.blob();
    const time = Math.round(performance.now() - began);
    const fields = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    answer.replaceChildren(
      h(
        "p",
        { className: `status ${response.ok ? "well" : "ill"}` },
        h("strong", {}, `${response.status} ${response.statusText}`),
        ` in ${time} ms, ${body.size} bytes`,
      ),
      await shown(body),
      h("details", {}, h("summary", {}, "Header fields"), h("pre", {}, h("code", {}, fields))),
    );
  } catch (error) {
    answer.replaceChildren(h("p", { className: "status ill" }, h("strong", {}, "No answer"), ` ${error.message}`));
  } finally {
    button.disabled = false;
  }
}

/** A body: JSON line by line, text as it is, pictures, and all else to be saved. */
async function shown(body) {
  if (body.size === 0) return h("p", { className: "quiet" }, "No body.");
  if (/[/+]json\b/.test(body.type)) {
    const pieces = [...pretty(await body.text())].map(([what, text]) =>
      what === "" ? text : h("span", { className: what }, text),
    );
    return h("pre", { tabIndex: 0, className: "json" }, h("code", {}, pieces));
  }
  if (body.type.startsWith("text/")) return h("pre", { tabIndex: 0 }, h("code", {}, await body.text()));
  const href = URL.createObjectURL(body);
  const save = h("a", { href, download: "" }, `Save (${body.type || "unknown type"})`);
  return h("p", {}, body.type.startsWith("image/") ? h("img", { src: href, alt: "The answer" }) : "", save);
}
