// Applies the color scheme that the reader has chosen, before the page is shown. Without a choice, the pages have the
// color scheme of the browser.

try {
  const chosen = localStorage.getItem("theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // The browser does not allow pages to store anything.
}
