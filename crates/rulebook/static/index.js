// The page of an API: lists the services in the response to OPTIONS, filters them, and opens one at a time.

import { fieldsOf, formOf, h, uri, escapeControls } from "./form.js";
import { RulebookError, baseOf, definition, services } from "./rulebook.js";

const FRAGMENT = /^#(?:([A-Z]+)%20)?(\/.*)$/;
const byId = (id) => document.getElementById(id);
const token = byId("token");

/** Returns the URL of this server and the definition of its API. A reverse proxy may add any prefix, but the page is
    either at the root of the server or one folder below. */
async function load() {
  const candidates = /\/static\/(index\.html)?$/.test(location.pathname) ? ["../", "./"] : ["./", "../"];
  let firstError;
  for (const relative of candidates) {
    const start = new URL(relative, location.href);
    try {
      return { start, api: await definition(start, { token: token.value }) };
    } catch (error) {
      if (!(error instanceof RulebookError)) throw error;
      firstError ??= error;
    }
  }
  throw firstError;
}

/** Returns the fragment for a service. That of a service at the root differs from that of the overview. */
function fragment({ path }) {
  return path === "/" ? "//" : path;
}

/** Returns the text of a service that the filter searches. */
function searchText({ module, path, methods }) {
  const ofMethod = ({ http, id, info, parameters }) => [
    http,
    id,
    info,
    ...parameters.flatMap(({ key, name, info }) => [key, name, info]),
  ];
  return [module.name, path, ...methods.flatMap(ofMethod)].join(" ").toLowerCase();
}

function list(modules, all) {
  const groups = modules.map((module) => {
    const links = all
      .filter((service) => service.module.name === module.name)
      .map((service) => {
        const badges = service.methods.map(({ http }) => h("span", { className: `http ${http}` }, http));
        service.link = h(
          "a",
          { href: `#${encodeURI(fragment(service))}` },
          uri(service.path),
          h("span", { className: "badges" }, badges),
        );
        service.item = h("li", {}, service.link);
        return service.item;
      });
    module.group = h(
      "section",
      {},
      h("h2", {}, module.name),
      module.info ? h("p", { className: "quiet" }, module.info) : "",
      h("ul", {}, links),
    );
    return module.group;
  });
  byId("modules").replaceChildren(...groups);
}

function filter(modules, all) {
  const words = byId("filter")
    .value.toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  const found = all.filter((service) => {
    const matches = words.every((word) => service.text.includes(word));
    service.item.hidden = !matches;
    return matches;
  });
  for (const module of modules) module.group.hidden = !found.some((service) => service.module.name === module.name);
  byId("count").textContent =
    words.length === 0 ? count(all.length, "service") : `${found.length} of ${count(all.length, "service")}`;
  return found;
}

function count(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** Returns the content of the page while no service is open. */
function overview({ title, info, contact, license }, start, modules, all) {
  const methods = all.reduce((sum, service) => sum + service.methods.length, 0);
  const about = [contact?.name, contact?.email, license && `License: ${license.name}`].filter((text) => text);
  return [
    h("h1", {}, title),
    // Only the first paragraph. The documentation has the whole text.
    info ? h("p", { className: "lead" }, info.trim().split(/\n[ \t]*\n/)[0]) : "",
    h(
      "p",
      {},
      `${count(modules.length, "module")}, ${count(all.length, "service")}, ${count(methods, "method")}. Choose a service to read its definition and to call it.`,
    ),
    h(
      "p",
      {},
      "Programs can read the same definitions: the server responds to OPTIONS with the definition of a service.",
    ),
    h("pre", {}, h("code", {}, `curl -X OPTIONS '${start}'`)),
    about.length > 0 ? h("p", { className: "quiet" }, about.join(" · ")) : "",
    ...modules.map((module) => contents(module, all)),
  ].filter((part) => part !== "");
}

/** Returns the methods of a module, one line each. */
function contents(module, all) {
  const lines = all
    .filter((service) => service.module.name === module.name)
    .flatMap(({ path, link, methods }) =>
      methods.map(({ http, info }) =>
        h(
          "a",
          { href: link.hash.replace("#", `#${http}%20`) },
          h("span", { className: `http ${http}` }, http),
          uri(path),
          h("span", {}, info),
        ),
      ),
    );
  return h("section", { className: "contents" }, h("h2", {}, module.name), lines);
}

/** Returns the content of the page for a service. The requested method is open, or the first one. */
function serviceElements(base, service, requested) {
  const methods = service.methods.map((method) => methodElement(base, method));
  const index = service.methods.findIndex(({ http }) => http === requested);
  methods[Math.max(index, 0)].open = true;
  const back = h("p", { className: "back" }, h("a", { href: "#/" }, "All services"), " / ", service.module.name);
  return [back, h("h1", { className: "path" }, uri(service.path)), ...methods];
}

/** Returns a method as an element that can be opened. */
function methodElement(base, method) {
  const { http, info, scope, out, errors, options } = method;
  return h(
    "details",
    { className: "method", id: `m-${http}` },
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
      h("p", { className: "permissions" }, permissions(scope)),
      formOf(base, method, () => token.value.trim()),
      outputsSection(out, options),
      errorsSection(errors),
    ),
  );
}

/** Describes the permissions that a method requires: all permissions of one of the groups. */
function permissions(scope) {
  if (scope === undefined) return ["Public."];
  const group = (names) => names.flatMap((name, index) => [index === 0 ? "" : " and ", h("code", {}, name)]);
  return ["Requires ", ...scope.flatMap((names, index) => [index === 0 ? "" : ", or ", ...group(names)]), "."];
}

function outputsSection(out, { status = 200, download }) {
  const rows = Object.entries(out).map(([name, { type, info, fields }]) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, h("code", {}, name === "*" ? "whole body" : name)),
      h("td", {}, h("code", {}, type)),
      h("td", {}, info, fieldsOf(fields)),
    ),
  );
  const note = download ? "A file." : rows.length === 0 ? "No outputs." : undefined;
  return h(
    "section",
    {},
    h("h4", {}, `Response ${status}`),
    note ? h("p", { className: "quiet" }, note) : "",
    rows.length === 0 ? "" : h("table", {}, h("tbody", {}, rows)),
  );
}

function errorsSection(errors) {
  const rows = Object.entries(errors).map(([name, { status, info }]) =>
    h("tr", {}, h("th", { scope: "row" }, h("code", {}, name)), h("td", {}, String(status)), h("td", {}, info)),
  );
  return rows.length === 0 ? "" : h("section", {}, h("h4", {}, "Errors"), h("table", {}, h("tbody", {}, rows)));
}

/** Shows the service of the fragment, such as `#/article/{id}` or `#PUT%20/article/{id}`, or the overview. */
function show(base, api, start, modules, all) {
  const [, http, path] = FRAGMENT.exec(location.hash) ?? [];
  const service = all.find((other) => fragment(other) === decoded(path ?? "/"));
  const view = byId("view");
  view.replaceChildren(...(service ? serviceElements(base, service, http) : overview(api, start, modules, all)));
  document.documentElement.classList.toggle("open", service !== undefined);
  for (const other of all) other.link.setAttribute("aria-current", other === service ? "page" : "false");
  document.title = service ? `${service.path} · ${api.title}` : api.title;
}

function decoded(path) {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}

async function start() {
  const { start, api } = await load();
  api.title ??= "API";
  const modules = Object.entries(api.modules).map(([name, { info }]) => ({ name, info }));
  const all = [...services(api)];
  for (const service of all) service.text = searchText(service);
  const base = baseOf(api, start);
  byId("title").textContent = escapeControls(api.title);
  byId("version").textContent = escapeControls(api.version ?? "");
  list(modules, all);
  filter(modules, all);
  byId("filter").addEventListener("input", () => filter(modules, all));
  byId("filter").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    const [first] = filter(modules, all);
    if (first) location.hash = first.link.hash;
  });
  const update = () => show(base, api, start, modules, all);
  addEventListener("hashchange", () => {
    // The skip link of the page has another fragment.
    if (location.hash !== "" && !FRAGMENT.test(location.hash)) return;
    update();
    byId("view").focus({ preventScroll: true });
    scrollTo(0, 0);
  });
  update();
}

/** Shows the page, or an error if the definition cannot be read. Another token leads to another attempt. */
async function attempt() {
  try {
    await start();
    token.removeEventListener("change", attempt);
  } catch (error) {
    const retry = h("button", { type: "button" }, "Try again");
    retry.addEventListener("click", attempt);
    byId("view").replaceChildren(
      h("h1", {}, "The API cannot be shown"),
      h("p", {}, `OPTIONS failed: ${error.message}.`),
      h("p", {}, retry),
    );
  }
}

document.documentElement.classList.add("scripted");
// Stored while the tab is open, and only sent in the Authorization field of requests to this API.
token.value = sessionStorage.getItem("token") ?? "";
token.addEventListener("input", () => sessionStorage.setItem("token", token.value));
token.addEventListener("change", attempt);
await attempt();
