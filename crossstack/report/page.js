"use strict";
// What every page has: the theme, groups of buttons that show one of several things, a filter.
(() => {
  const $ = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];

  // theme: the system's choice until the reader makes one
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const button = $("#theme");
  const told = () => button.setAttribute("aria-pressed", dark());
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    told();
  });
  system.addEventListener("change", told);
  told();

  // a link's target must not end up under the navigation, however many lines that takes
  const nav = $("nav");
  const measure = () => root.style.setProperty("--nav", nav.offsetHeight + "px");
  new ResizeObserver(measure).observe(nav);
  measure();

  // sections fold: on a phone all but the first ones; a link or paper opens them
  const folds = all("details[data-fold]");
  if (matchMedia("(max-width: 800px)").matches) folds.forEach((f) => (f.open = false));
  const open = (id) => {
    const target = id && document.getElementById(decodeURIComponent(id));
    const found = target && (target.querySelector("details[data-fold]") || target.closest("details[data-fold]"));
    if (found) found.open = true;
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (link) open(link.hash.slice(1));
  });
  addEventListener("hashchange", () => open(location.hash.slice(1)));
  open(location.hash.slice(1));
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all("details:not([open])");
    closed.forEach((f) => (f.open = true));
  });
  addEventListener("afterprint", () => closed.forEach((f) => (f.open = false)));

  // <button data-show="a" data-of="group"> shows the elements of the group with data-case="a"
  const choose = (chosen) => {
    const group = chosen.dataset.of;
    all(`[data-show][data-of="${group}"]`).forEach((b) => b.setAttribute("aria-pressed", b === chosen));
    all(`[data-case][data-of="${group}"]`).forEach((part) => {
      part.hidden = part.dataset.case !== chosen.dataset.show;
    });
  };
  all("[data-show]").forEach((b) => b.addEventListener("click", () => choose(b)));

  // nets
  const filter = $("#netfilter");
  if (filter) {
    filter.addEventListener("input", () => {
      const word = filter.value.toLowerCase();
      const rows = all("#nettable tbody tr");
      rows.forEach((row) => {
        row.hidden = !row.cells[0].textContent.toLowerCase().includes(word);
      });
      $("#nonet").textContent = rows.every((row) => row.hidden) ? "No net of that name." : "";
    });
  }
})();
