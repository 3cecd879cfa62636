// Loads the page again when the server serves a changed definition, and shows the errors of a change that it does not
// serve.

import { h } from "./element.js";

const banner = h("div", { className: "changes", role: "alert", hidden: true });
document.body.prepend(banner);

let known;
for (;;) {
  const change = await next();
  if (!change) {
    // The server is not running. It may start again.
    await new Promise((resolve) => setTimeout(resolve, 500));
    continue;
  }
  if (known !== undefined && change.number !== known && !change.errors) location.reload();
  banner.hidden = !change.errors;
  banner.replaceChildren(
    h("p", {}, "The definition has errors. The previous one is served."),
    h("pre", {}, change.errors ?? ""),
  );
  known = change.number;
}

async function next() {
  try {
    const response = await fetch(new URL(`changes?known=${known ?? ""}`, import.meta.url));
    return response.ok ? await response.json() : undefined;
  } catch {
    return undefined;
  }
}
