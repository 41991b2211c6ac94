// palette: search everything and act. The server renders the results as links and as buttons of ordinary forms; here is
// only what opens, moves and chooses. Contract: a[data-palette-open] (without scripts: the page), #palette with
// #palette-input (HTMX fetches), #palette-list with [role=option], data-query (what it answers) and data-note.
(() => {
  "use strict";
  const { on, ready, all } = window.lobstead;
  const by = (id) => document.getElementById(id);
  const options = () => [...document.querySelectorAll("#palette-list [role=option]")];
  let at = -1;
  let hurry = false; // Enter came before the results of what was typed
  const choose = (n, scroll) => {
    const list = options();
    const input = by("palette-input");
    at = list.length ? (n + list.length) % list.length : -1;
    list.forEach((o, i) => o.setAttribute("aria-selected", String(i === at)));
    input.setAttribute("aria-expanded", String(list.length > 0));
    if (at < 0) {
      input.removeAttribute("aria-activedescendant");
      return;
    }
    input.setAttribute("aria-activedescendant", list[at].id);
    if (scroll) list[at].scrollIntoView({ block: "nearest" });
  };
  // What is shown belongs to what stands in the field: else Enter could do what nobody asked for.
  const fresh = () => by("palette-list").dataset.query === by("palette-input").value.trim();
  const go = () => {
    const hit = options()[at];
    if (hit) hit.click();
  };

  on("click", "[data-palette-open]", (e) => {
    const d = by("palette");
    if (!d || e.metaKey || e.ctrlKey || e.shiftKey) return;
    e.preventDefault();
    const drawer = document.querySelector("#side.open [data-drawer-close]");
    if (drawer) drawer.click();
    if (!d.open) d.showModal();
    hurry = false;
    by("palette-input").select();
    window.htmx.trigger(by("palette-input"), "palette");
  });
  on("click", "#palette-list [role=option]", () => by("palette").close());
  on("pointermove", "#palette-list [role=option]", (e, o) => {
    const n = options().indexOf(o);
    if (n !== at) choose(n, false);
  });
  on("input", "#palette-input", () => { hurry = false; });
  on("submit", "#palette .palette-find", (e) => e.preventDefault());
  // Just after closing the field can still have the keys: those that open the palette again must not close it at once.
  on("keydown", "#palette", (e, d) => {
    if (e.isComposing || e.defaultPrevented || !d.open) return;
    if ((e.metaKey || e.ctrlKey) && e.key.toLowerCase() === "k") {
      e.preventDefault();
      d.close();
      return;
    }
    if (e.target.id !== "palette-input") return;
    if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      e.preventDefault();
      choose(at < 0 && e.key === "ArrowUp" ? -1 : at + (e.key === "ArrowDown" ? 1 : -1), true);
    } else if (e.key === "Enter") {
      e.preventDefault();
      if (fresh()) go();
      else hurry = true;
    }
  });
  ready((root) => all(root, "#palette-list[data-query]").forEach((list) => {
    choose(0, false);
    list.scrollTop = 0;
    by("palette-status").textContent = list.dataset.note;
    if (hurry && fresh()) {
      hurry = false;
      go();
    }
  }));
})();
