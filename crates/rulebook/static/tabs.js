// Tabs, of which one is shown at a time. Without JavaScript, all of them are shown below each other.

import { h } from "./element.js";

/**
 * Turns elements into tabs. The list of the tabs is added before the first of them.
 *
 * @param {HTMLElement[]} sections the elements
 * @param {string} label what the tabs are, for screen readers
 * @param {object} options `name` returns the element with the name of a tab, which moves into its button; `id` is the
 *   start of the ids of elements without an id; `key` is the key under which the browser stores the tab while the
 *   browser tab is open
 */
export function addTabs(sections, label, { name, id, key }) {
  const buttons = sections.map((section, index) => {
    section.id ||= `${id}-${index}`;
    const button = h("button", { type: "button", role: "tab", id: `${section.id}-name` });
    const heading = name(section);
    button.append(...heading.childNodes);
    heading.remove();
    button.setAttribute("aria-controls", section.id);
    section.setAttribute("role", "tabpanel");
    section.setAttribute("aria-labelledby", button.id);
    return button;
  });
  const choose = (index) => {
    for (const [n, section] of sections.entries()) {
      section.hidden = n !== index;
      buttons[n].setAttribute("aria-selected", String(n === index));
      buttons[n].tabIndex = n === index ? 0 : -1;
    }
  };
  for (const [index, button] of buttons.entries()) {
    button.addEventListener("click", () => {
      choose(index);
      if (key !== undefined) sessionStorage.setItem(key, sections[index].id);
    });
    button.addEventListener("keydown", ({ key: pressed }) => {
      const to = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: buttons.length - 1 }[pressed];
      if (to === undefined) return;
      const next = (to + buttons.length) % buttons.length;
      buttons[next].focus();
      buttons[next].click();
    });
  }
  const list = h("div", { role: "tablist" }, buttons);
  list.setAttribute("aria-label", label);
  sections[0].before(list);
  const stored = key === undefined ? -1 : sections.findIndex((section) => section.id === sessionStorage.getItem(key));
  choose(Math.max(stored, 0));
}
