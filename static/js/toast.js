// toast: short results. They come from the HX-Trigger header {"toast": {"kind": "ok", "text": "Saved"}}, from the
// server-rendered flash inside #toasts, and from lobstead.toast(kind, text).
(() => {
  "use strict";
  const { on, ready, all } = window.lobstead;
  const LIFE = 5000;
  const timers = new WeakMap();
  const drop = (t) => t.remove();
  // Errors stay until dismissed; the rest go after five seconds unless looked at.
  const arm = (t) => {
    if (timers.has(t) || t.classList.contains("bad")) return;
    const start = () => timers.set(t, setTimeout(() => drop(t), LIFE));
    t.addEventListener("pointerenter", () => clearTimeout(timers.get(t)));
    t.addEventListener("pointerleave", start);
    t.addEventListener("focusin", () => clearTimeout(timers.get(t)));
    start();
  };
  const toast = (kind, text) => {
    const region = document.getElementById("toasts");
    const mould = document.getElementById("toast-template");
    if (!region || !mould || !text) return;
    const t = mould.content.firstElementChild.cloneNode(true);
    t.classList.add(["ok", "warn", "bad", "info"].includes(kind) ? kind : "info");
    t.querySelector("[data-toast-text]").textContent = text;
    region.append(t);
    while (region.children.length > 4) region.firstElementChild.remove();
    arm(t);
  };
  on("click", "[data-toast-close]", (e, b) => drop(b.closest("[data-toast]")));
  document.addEventListener("toast", (e) => toast(e.detail && e.detail.kind, e.detail && e.detail.text));
  document.addEventListener("htmx:sendError", () => toast("bad", "The server did not answer. Check the connection and try again."));
  ready((root) => all(root, "[data-toast]").forEach(arm));
  window.lobstead.toast = toast;
})();
