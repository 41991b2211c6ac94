// menu: <details data-menu> behaves like a menu: closes on Esc, on a choice and on a press elsewhere; arrows move.
// A panel that would leave the page moves into it.
(() => {
  "use strict";
  const items = (m) => [...m.querySelectorAll(".menu-item:not([disabled])")];
  const close = (m, focus) => {
    m.open = false;
    if (focus) m.querySelector("summary").focus();
  };
  document.addEventListener("toggle", (e) => {
    if (!e.target.matches?.("details[data-menu]")) return;
    const panel = e.target.querySelector(".menu-panel");
    panel.style.translate = "";
    const { left, right } = panel.getBoundingClientRect();
    const room = document.documentElement.clientWidth - 8;
    panel.style.translate = `${left < 8 ? 8 - left : Math.min(0, room - right)}px`;
  }, true);
  document.addEventListener("click", (e) => {
    document.querySelectorAll("details[data-menu][open]").forEach((m) => {
      if (!m.contains(e.target) || e.target.closest(".menu-item:not([data-menu-keep])")) close(m, false);
    });
  });
  document.addEventListener("focusin", (e) => {
    document.querySelectorAll("details[data-menu][open]").forEach((m) => { if (!m.contains(e.target)) close(m, false); });
  });
  document.addEventListener("keydown", (e) => {
    const m = e.target instanceof Element && e.target.closest("details[data-menu]");
    if (!m || (e.key !== "Escape" && window.lobstead.typing(e.target))) return;
    const list = items(m);
    const at = list.indexOf(document.activeElement);
    const go = (i) => {
      e.preventDefault();
      m.open = true;
      if (list.length) list[(i + list.length) % list.length].focus();
    };
    if (e.key === "Escape" && m.open) { e.preventDefault(); close(m, true); }
    else if (e.key === "ArrowDown") go(at + 1);
    else if (e.key === "ArrowUp") go(at < 0 ? list.length - 1 : at - 1);
    else if (e.key === "Home" && m.open) go(0);
    else if (e.key === "End" && m.open) go(list.length - 1);
  });
})();
