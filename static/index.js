// The page of an API: what OPTIONS tells is listed, filtered, and opened one service at a time.

import { fieldsOf, formOf, h, uri, visible } from "./form.js";
import { RulebookError, baseOf, definition, services } from "./rulebook.js";

const ADDRESS = /^#(?:([A-Z]+)%20)?(\/.*)$/;
const at = (id) => document.getElementById(id);
const token = at("token");

/** Where this server begins, and the definition of all that it serves. Behind a prefix nobody knows where that is,
    but the page is either there or one folder below. */
async function ask() {
  const near = /\/static\/(index\.html)?$/.test(location.pathname) ? ["../", "./"] : ["./", "../"];
  let refused;
  for (const relative of near) {
    const start = new URL(relative, location.href);
    try {
      return { start, told: await definition(start, { token: token.value }) };
    } catch (error) {
      if (!(error instanceof RulebookError)) throw error;
      refused ??= error;
    }
  }
  throw refused;
}

/** How the page itself names a service; that of the root is not the overview's. */
function address({ path }) {
  return path === "/" ? "//" : path;
}

/** The words by which a service is found. */
function words({ module, path, methods }) {
  const of = ({ http, id, info, parameters }) => [
    http,
    id,
    info,
    ...parameters.flatMap(({ key, name, info }) => [key, name, info]),
  ];
  return [module.name, path, ...methods.flatMap(of)].join(" ").toLowerCase();
}

function list(modules, all) {
  const groups = modules.map((module) => {
    const links = all
      .filter((service) => service.module.name === module.name)
      .map((service) => {
        const badges = service.methods.map(({ http }) => h("span", { className: `http ${http}` }, http));
        service.link = h(
          "a",
          { href: `#${encodeURI(address(service))}` },
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
  at("modules").replaceChildren(...groups);
}

function filter(modules, all) {
  const wanted = at("filter")
    .value.toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  const found = all.filter((service) => {
    const is = wanted.every((word) => service.words.includes(word));
    service.item.hidden = !is;
    return is;
  });
  for (const module of modules) module.group.hidden = !found.some((service) => service.module.name === module.name);
  at("count").textContent =
    wanted.length === 0 ? counted(all.length, "service") : `${found.length} of ${counted(all.length, "service")}`;
  return found;
}

function counted(count, thing) {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}

/** What is shown where no service is open. */
function overview({ title, info, contact, license }, start, modules, all) {
  const methods = all.reduce((sum, service) => sum + service.methods.length, 0);
  const about = [contact?.name, contact?.email, license && `licence ${license.name}`].filter((text) => text);
  return [
    h("h1", {}, title),
    // Its first paragraph: the pages of the docs show all of it.
    info ? h("p", { className: "lead" }, info.trim().split(/\n[ \t]*\n/)[0]) : "",
    h(
      "p",
      {},
      `${counted(modules.length, "module")}, ${counted(all.length, "service")}, ${counted(methods, "method")}. Choose a service to read what it takes and gives, and to call it.`,
    ),
    h(
      "p",
      {},
      "The server tells the same to any program: OPTIONS at a path answers with the definition of what is there.",
    ),
    h("pre", {}, h("code", {}, `curl -X OPTIONS '${start}'`)),
    about.length > 0 ? h("p", { className: "quiet" }, about.join(" · ")) : "",
    ...modules.map((module) => contents(module, all)),
  ].filter((part) => part !== "");
}

/** The methods of a module, a line each. */
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

/** A service with all its methods, the one that is asked for open, or the first one. */
function opened(base, service, asked) {
  const methods = service.methods.map((method) => shown(base, method));
  const index = service.methods.findIndex(({ http }) => http === asked);
  methods[Math.max(index, 0)].open = true;
  const back = h("p", { className: "back" }, h("a", { href: "#/" }, "All services"), " / ", service.module.name);
  return [back, h("h1", { className: "path" }, uri(service.path)), ...methods];
}

/** A method, to be opened. */
function shown(base, method) {
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
      h("p", { className: "needs" }, needs(scope)),
      formOf(base, method, () => token.value.trim()),
      answers(out, options),
      refusals(errors),
    ),
  );
}

/** Who may call: an OR of ANDs. */
function needs(scope) {
  if (scope === undefined) return ["Open to everybody."];
  const group = (all) => all.flatMap((one, index) => [index === 0 ? "" : " and ", h("code", {}, one)]);
  return ["Needs ", ...scope.flatMap((all, index) => [index === 0 ? "" : ", or ", ...group(all)]), "."];
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

/** Shows what the address names: `#/article/{id}`, `#PUT%20/article/{id}`, or the overview. */
function show(base, told, start, modules, all) {
  const [, http, path] = ADDRESS.exec(location.hash) ?? [];
  const service = all.find((one) => address(one) === decoded(path ?? "/"));
  const view = at("view");
  view.replaceChildren(...(service ? opened(base, service, http) : overview(told, start, modules, all)));
  document.documentElement.classList.toggle("open", service !== undefined);
  for (const one of all) one.link.setAttribute("aria-current", one === service ? "page" : "false");
  document.title = service ? `${service.path} · ${told.title}` : told.title;
}

function decoded(path) {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}

async function start() {
  const { start, told } = await ask();
  told.title ??= "API";
  const modules = Object.entries(told.modules).map(([name, { info }]) => ({ name, info }));
  const all = [...services(told)];
  for (const service of all) service.words = words(service);
  const base = baseOf(told, start);
  at("title").textContent = visible(told.title);
  at("version").textContent = visible(told.version ?? "");
  list(modules, all);
  filter(modules, all);
  at("filter").addEventListener("input", () => filter(modules, all));
  at("filter").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    const [first] = filter(modules, all);
    if (first) location.hash = first.link.hash;
  });
  const turn = () => show(base, told, start, modules, all);
  addEventListener("hashchange", () => {
    // A link inside of the page is no service.
    if (location.hash !== "" && !ADDRESS.test(location.hash)) return;
    turn();
    at("view").focus({ preventScroll: true });
    scrollTo(0, 0);
  });
  turn();
}

/** Shows the page, or why it cannot be: a token may help, so another one is another try. */
async function attempt() {
  try {
    await start();
    token.removeEventListener("change", attempt);
  } catch (error) {
    const again = h("button", { type: "button" }, "Try again");
    again.addEventListener("click", attempt);
    at("view").replaceChildren(
      h("h1", {}, "Nothing to show"),
      h("p", {}, `The server was asked with OPTIONS what is here: ${error.message}.`),
      h("p", {}, again),
    );
  }
}

document.documentElement.classList.add("scripted");
// For as long as the tab is open; never sent anywhere but in a call's Authorization field.
token.value = sessionStorage.getItem("token") ?? "";
token.addEventListener("input", () => sessionStorage.setItem("token", token.value));
token.addEventListener("change", attempt);
await attempt();
