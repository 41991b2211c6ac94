// live: the page's one event stream. <body data-live="/live?…&after=123"> names it.
// Events: "patch" (HTML elements with an id; data-live-op: replace (default), append:<id>, prepend:<id>, remove),
// "gone". The event's id is the cursor: a new connection carries it as "after", so nothing is lost or
// doubled across restarts. An element that is already there is made into the new one in place, never added twice.
(() => {
  "use strict";
  const IDLE = 60000; // a hidden page lets its connection go after this and resumes from the cursor
  const HINT = 5000;
  let source = null, url = null, failures = 0, retry = 0, hint = 0, idle = 0, stopped = false, leaving = false;

  const { morph } = window.lobstead;
  const place = (el) => {
    const op = el.dataset.liveOp || "replace";
    el.removeAttribute("data-live-op");
    const old = document.getElementById(el.id);
    if (op === "remove") { if (old) old.remove(); return null; }
    if (old) return old.isEqualNode(el) ? null : morph(old, el);
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
  // why asks what refused a stream: a browser does not tell. Who is signed out reads that, and not that it is tried again.
  const why = async () => {
    const asked = new AbortController();
    try {
      const r = await fetch(url, { headers: { Accept: "text/event-stream" }, signal: asked.signal });
      window.lobstead.signedOut(r.status === 401);
      if (r.status === 401) settled();
    } catch { /* the server is not there: it is tried again */ }
    asked.abort();
  };
  const open = () => {
    if (stopped || source || !url) return;
    const s = source = new EventSource(url);
    s.onopen = () => {
      settled();
      window.lobstead.signedOut(false);
      setTimeout(() => { if (source === s) failures = 0; }, 3000); // a server that drops at once is not back yet
    };
    s.addEventListener("patch", (e) => {
      if (e.lastEventId) url.searchParams.set("after", e.lastEventId);
      apply(e.data);
    });
    s.addEventListener("gone", gone);
    s.onerror = () => {
      const refused = s.readyState === EventSource.CLOSED; // answered, and not by a stream
      close();
      if (stopped) return;
      if (refused) why();
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
  // A list that was narrowed is followed as it is shown now.
  document.addEventListener("htmx:afterSettle", () => {
    const at = document.querySelector("[data-live-at]")?.dataset.liveAt;
    if (!at || !url || url.href === new URL(at, location.href).href) return;
    close();
    url = new URL(at, location.href);
    open();
  });
  window.lobstead.live = { apply, stop };
})();
