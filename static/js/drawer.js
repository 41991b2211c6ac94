// drawer: the sidebar on small screens. Without JavaScript #side opens by :target.
// Contract: a[data-drawer-open][href="#side"], [data-drawer-close] inside and over the page.
(() => {
  "use strict";
  const { on } = window.lobstead;
  let opener = null;
  const side = () => document.getElementById("side");
  const small = () => matchMedia("(max-width: 1023px)").matches;
  const set = (open) => {
    const s = side();
    if (!s) return;
    s.classList.toggle("open", open);
    document.querySelectorAll("[data-drawer-open]").forEach((b) => b.setAttribute("aria-expanded", String(open)));
    const main = document.getElementById("main");
    if (main) main.inert = open;
    if (open) s.querySelector("a, button").focus();
    else if (opener) opener.focus();
  };
  on("click", "[data-drawer-open]", (e, b) => {
    if (!small()) return;
    e.preventDefault();
    opener = b;
    set(true);
  });
  on("click", "[data-drawer-close]", (e) => {
    e.preventDefault();
    if (location.hash === "#side") history.replaceState(null, "", location.pathname + location.search);
    set(false);
  });
  document.addEventListener("keydown", (e) => {
    if (e.key !== "Escape" || !side() || !side().classList.contains("open")) return;
    e.preventDefault();
    set(false);
  });
  matchMedia("(max-width: 1023px)").addEventListener("change", () => {
    if (side() && side().classList.contains("open")) set(false);
  });
})();
