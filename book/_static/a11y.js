// Repairs what axe-core finds in sphinx-book-theme 1.3: names that contradict the visible words, a sidebar without one, wrong roles.
(() => {
  const repair = () => {
    for (const e of document.querySelectorAll(".search-button-field[aria-label], summary[aria-label]")) {
      if (e.textContent.trim()) e.removeAttribute("aria-label");
    }
    for (const button of document.querySelectorAll(".theme-switch-button")) {
      const name = `Colour mode ${button.textContent.replace(/\s+/g, " ").trim()}`.trim();
      if (button.getAttribute("aria-label") !== name) button.setAttribute("aria-label", name);
    }
    for (const entry of document.querySelectorAll("div[role=doc-biblioentry]")) entry.setAttribute("role", "listitem");
    const side = document.querySelector(".sidebar-primary-items__start:not([role])");
    side?.setAttribute("role", "region");
    side?.setAttribute("aria-label", "Book");
    for (const wide of document.querySelectorAll("div.highlight pre, .cell_output pre, .pst-scrollable-table-container")) {
      // what scrolls sideways can be reached by keyboard
      if (wide.scrollWidth > wide.clientWidth) wide.tabIndex = 0;
    }
  };
  const start = () => {
    repair();
    window.addEventListener("load", repair);
    window.addEventListener("resize", repair);
    // the icon font draws its pictures, and their titles, some time after the page has loaded
    const icons = new MutationObserver(repair);
    for (const button of document.querySelectorAll(".theme-switch-button")) icons.observe(button, { childList: true });
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
