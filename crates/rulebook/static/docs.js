// Adds to the documentation pages a form that calls the method, and the URL of this server in the examples. Text of
// definitions is only inserted as text nodes.

/** The URL of the server, behind any prefix of a reverse proxy. */
const root = new URL("../", import.meta.url);

document.documentElement.classList.add("scripted");

// The examples call the server of this page.
for (const block of document.querySelectorAll("[data-server]")) {
  const code = block.querySelector("code");
  code.textContent = code.textContent.replaceAll(block.dataset.server, root.href.replace(/\/$/, ""));
}

/** Returns the bearer token, which is stored while the tab is open and shared with the page of the API. */
const token = () => sessionStorage.getItem("token") ?? "";

/** Returns an input for the token. */
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

/** Replaces a placeholder by the form of its method. */
async function mount(placeholder) {
  const { form } = await import("./form.js");
  const element = await form(root, placeholder.dataset.method, token, placeholder.dataset.uri);
  placeholder.replaceChildren(tokenInput(), element);
}

for (const placeholder of document.querySelectorAll("[data-method]")) {
  mount(placeholder).catch((error) => {
    const message = document.createElement("p");
    message.textContent = `The form cannot be shown: ${error.message}. Use the curl command above instead.`;
    placeholder.replaceChildren(message);
  });
}
