// shortcuts: the sheet that `?` shows is the catalogue that binds: every [data-shortcut] on the page is live.
// Contract: data-shortcut="mod+n c" (alternatives by space), data-shortcut-do="focus|click|go|dialog" and
// data-shortcut-target (a selector, an address, or a dialog's id). Without "do" the element itself is clicked.
(() => {
  "use strict";
  const { typing, ready, all } = window.lobstead;
  const mac = /Mac|iPhone|iPad/.test(navigator.platform);
  const name = (e) => {
    const mod = mac ? e.metaKey : e.ctrlKey;
    if ((mac ? e.ctrlKey : e.metaKey) || e.altKey) return "";
    const key = e.key.length === 1 ? e.key.toLowerCase() : e.key;
    return (mod ? "mod+" : "") + key;
  };
  const visible = (el) => el && el.getClientRects().length > 0;
  const act = (el) => {
    const target = el.dataset.shortcutTarget;
    switch (el.dataset.shortcutDo) {
      case "go":
        location.assign(target);
        return true;
      case "dialog": {
        const d = document.getElementById(target);
        if (d && !d.open) d.showModal();
        return !!d;
      }
      case "focus": {
        const t = [...document.querySelectorAll(target)].find(visible);
        if (!t) return false;
        t.focus();
        if (t.select) t.select();
        return true;
      }
      case "click": {
        const t = [...document.querySelectorAll(target)].find(visible);
        if (!t) return false;
        t.click();
        return true;
      }
    }
    if (el.dataset.shortcutDo || !visible(el)) return false;
    el.click();
    return true;
  };
  document.addEventListener("keydown", (e) => {
    if (e.defaultPrevented || e.isComposing || document.querySelector("dialog[open]")) return;
    const key = name(e);
    if (!key || (typing(e.target) && !key.startsWith("mod+"))) return;
    for (const el of document.querySelectorAll("[data-shortcut]")) {
      if (el.dataset.shortcut.split(" ").includes(key) && act(el)) {
        e.preventDefault();
        return;
      }
    }
  });
  // The server writes "Ctrl"; a Mac shows its own sign.
  if (mac) ready((root) => all(root, "[data-mod]").forEach((k) => { k.textContent = "⌘"; }));
})();
