// Loads the page again when the server serves a changed definition, and says when it refuses one.

import { h } from "./element.js";

const text =
  "The changed definition has errors or breaks clients, as the server has printed. The previous one is served.";
const banner = h("p", { className: "changes", role: "alert", hidden: true }, text);
document.body.prepend(banner);

let known;
for (;;) {
  const change = await next();
  if (!change) {
    // The server is not running. It may start again.
    await new Promise((resolve) => setTimeout(resolve, 500));
    continue;
  }
  if (known !== undefined && change.number !== known && !change.is_refused) location.reload();
  banner.hidden = !change.is_refused;
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
