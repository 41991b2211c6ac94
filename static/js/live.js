// live: the page's one event stream. <body data-live="/live?…&after=123"> names it.
// Events: "patch" (HTML elements with an id; data-live-op: replace (default), append:<id>, prepend:<id>, remove),
// "reload", "gone". The event's id is the cursor: a new connection carries it as "after", so nothing is lost or
// doubled across restarts. An element that is already there is replaced, never added twice.
(() => {
  "use strict";
  const IDLE = 60000; // a hidden page lets its connection go after this and resumes from the cursor
  const HINT = 5000;
  let source = null, url = null, failures = 0, retry = 0, hint = 0, idle = 0, stopped = false, leaving = false;

  const { all, typing, touched } = window.lobstead;
  const details = (el) => all(el, "details");
  // What a person did to the old element and would miss in the new one.
  const remember = (old) => {
    const a = document.activeElement;
    const inside = a && old.contains(a) ? a : null;
    return {
      open: details(old).map((d) => touched.has(d) && [d.id, d.open]),
      focus: inside && { id: inside.id, name: inside.getAttribute("name"), value: inside.value, from: inside.selectionStart, to: inside.selectionEnd, text: typing(inside) },
    };
  };
  const restore = (el, was) => {
    const now = details(el);
    was.open.forEach((was, i) => {
      const d = was && (was[0] ? now.find((x) => x.id === was[0]) : now[i]);
      if (!d) return;
      d.open = was[1];
      touched.add(d);
    });
    const f = was.focus;
    if (!f) return;
    const q = f.id ? `#${CSS.escape(f.id)}` : f.name ? `[name="${CSS.escape(f.name)}"]` : "a, button, input, textarea, summary";
    const to = el.matches(q) ? el : el.querySelector(q);
    if (!to) return;
    if (f.text && "value" in to) {
      to.value = f.value;
      to.focus({ preventScroll: true });
      try { to.setSelectionRange(f.from, f.to); } catch { /* not a text field */ }
    } else to.focus({ preventScroll: true });
  };
  const place = (el) => {
    const op = el.dataset.liveOp || "replace";
    el.removeAttribute("data-live-op");
    const old = document.getElementById(el.id);
    if (op === "remove") { if (old) old.remove(); return null; }
    if (old) {
      if (old.isEqualNode(el)) return null;
      const was = remember(old);
      old.replaceWith(el);
      restore(el, was);
      return el;
    }
    const [verb, id] = op.split(":");
    const target = id && document.getElementById(id);
    if (!target) return null;
    if (verb === "prepend") target.prepend(el);
    else target.append(el);
    return el;
  };
  const apply = (html) => {
    const mould = document.createElement("template");
    mould.innerHTML = html;
    for (const el of [...mould.content.children]) {
      if (!el.id) continue;
      document.dispatchEvent(new CustomEvent("lobstead:patching", { detail: { id: el.id } }));
      const added = place(el);
      if (added && window.htmx) window.htmx.process(added);
      (added || document).dispatchEvent(new CustomEvent("lobstead:patched", { bubbles: true }));
    }
  };

  const shown = (on) => {
    const el = document.getElementById("offline");
    if (el) el.hidden = !on;
  };
  const settled = () => {
    clearTimeout(hint);
    hint = 0;
    shown(false);
  };
  const close = () => {
    clearTimeout(retry);
    if (source) source.close();
    source = null;
  };
  const stop = () => { stopped = true; close(); settled(); };
  // What was shown may not be seen any more: the server says what may be. Once, else a page could go round and round.
  const gone = () => {
    stop();
    const last = Number(sessionStorage.getItem("gone"));
    sessionStorage.setItem("gone", String(Date.now()));
    // Who ends a thing is on the way elsewhere already: that goes first.
    if (Date.now() - last > 10000) setTimeout(() => { if (!leaving) location.reload(); }, 1000);
  };
  const open = () => {
    if (stopped || source || !url) return;
    const s = source = new EventSource(url);
    s.onopen = () => {
      settled();
      setTimeout(() => { if (source === s) failures = 0; }, 3000); // a server that drops at once is not back yet
    };
    s.addEventListener("patch", (e) => {
      if (e.lastEventId) url.searchParams.set("after", e.lastEventId);
      apply(e.data);
    });
    s.addEventListener("reload", () => { stop(); location.reload(); });
    s.addEventListener("gone", gone);
    s.onerror = () => {
      close();
      if (stopped) return;
      if (!hint) hint = setTimeout(() => shown(true), HINT);
      const wait = Math.min(10000, 500 * 2 ** failures++);
      retry = setTimeout(open, wait / 2 + Math.random() * wait / 2);
    };
  };
  document.addEventListener("visibilitychange", () => {
    clearTimeout(idle);
    if (document.hidden) idle = setTimeout(() => { close(); settled(); }, IDLE);
    else open();
  });
  addEventListener("online", () => { clearTimeout(retry); open(); });
  addEventListener("beforeunload", () => { leaving = true; });
  addEventListener("pagehide", close);
  addEventListener("pageshow", (e) => { leaving = false; if (e.persisted) open(); });
  document.addEventListener("DOMContentLoaded", () => {
    const at = document.body.dataset.live;
    if (!at) return;
    url = new URL(at, location.href);
    open();
  });
  window.lobstead.live = { apply, stop };
})();
