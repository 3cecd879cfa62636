// Shows Swagger UI in the color scheme of the documentation pages.

{
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const update = () => {
    const chosen = document.documentElement.dataset.theme;
    const isDark = chosen === undefined ? dark.matches : chosen === "dark";
    document.documentElement.classList.toggle("dark-mode", isDark);
  };
  dark.addEventListener("change", update);
  update();
}
