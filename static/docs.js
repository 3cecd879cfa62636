// What the pages for people can do with JavaScript: a form that calls the method, and examples that name this very
// server. Without it they say the same. Text from outside is only ever inserted as text.

/** Where the server begins, whatever prefix it stands behind. */
const root = new URL("../", import.meta.url);

document.documentElement.classList.add("scripted");

// Examples call the server that the page comes from.
for (const block of document.querySelectorAll("[data-server]")) {
  const code = block.querySelector("code");
  code.textContent = code.textContent.replaceAll(block.dataset.server, root.href.replace(/\/$/, ""));
}

/** The bearer token, which stays in the tab, as on the page of the API. */
const token = () => sessionStorage.getItem("token") ?? "";

/** An input for it. */
function tokenInput() {
  const input = document.createElement("input");
  Object.assign(input, { id: "token", type: "password", autocomplete: "off", spellcheck: false, placeholder: "none" });
  input.value = token();
  input.addEventListener("input", () => sessionStorage.setItem("token", input.value));
  const label = document.createElement("label");
  label.htmlFor = input.id;
  label.textContent = "Bearer token";
  const line = document.createElement("form");
  line.className = "token";
  line.addEventListener("submit", (event) => event.preventDefault());
  line.append(label, input);
  return line;
}

/** Puts the form of a method in its place. */
async function mount(place) {
  const { form } = await import("./form.js");
  const made = await form(root, place.dataset.method, token, place.dataset.uri);
  place.replaceChildren(tokenInput(), made);
}

for (const place of document.querySelectorAll("[data-method]")) {
  mount(place).catch((error) => {
    const said = document.createElement("p");
    said.textContent = `The form cannot be shown: ${error.message}. The first command above does the same.`;
    place.replaceChildren(said);
  });
}
