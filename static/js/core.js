// core: what every module needs. A module is progressive: the page works without it.
(() => {
  "use strict";
  const starts = [];
  // ready runs fn for the page and for everything that HTMX or the event stream adds later; fn must be idempotent.
  const ready = (fn) => {
    starts.push(fn);
    if (document.readyState !== "loading") fn(document);
  };
  const run = (root) => starts.forEach((fn) => fn(root));
  document.addEventListener("DOMContentLoaded", () => run(document));
  document.addEventListener("htmx:load", (e) => run(e.target));
  document.addEventListener("lobstead:patched", (e) => run(e.target));

  // all finds in root and includes root itself.
  const all = (root, selector) => {
    const found = [...root.querySelectorAll(selector)];
    if (root.matches && root.matches(selector)) found.unshift(root);
    return found;
  };
  // on delegates: one listener per page however often parts are swapped.
  const on = (type, selector, fn) =>
    document.addEventListener(type, (e) => {
      const hit = e.target instanceof Element && e.target.closest(selector);
      if (hit) fn(e, hit);
    });
  const typing = (el) => !!el && (el.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName));
  // touched knows the <details> that a person opened or closed: a live patch keeps those as they are.
  const touched = new WeakSet();
  on("click", "summary", (e, s) => touched.add(s.parentElement));

  window.lobstead = { ready, all, on, typing, touched };
})();
