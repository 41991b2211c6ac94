// signed: says that the sign-in ended, and leaves the page with what was typed as it is: who signs in in another tab goes on
// here. Shown for an HTMX request, a fetch or a stream that was answered 401, hidden by the first one that works again.
(() => {
  "use strict";
  const out = (is) => {
    const el = document.getElementById("signed-out");
    if (!el) return;
    if (is) el.querySelector("a").href = "/sign-in?next=" + encodeURIComponent(location.pathname + location.search);
    el.hidden = !is;
  };
  document.addEventListener("htmx:responseError", (e) => { if (e.detail.xhr.status === 401) out(true); });
  document.addEventListener("htmx:beforeSwap", (e) => { if (e.detail.xhr.status !== 401) out(false); });
  window.lobstead.signedOut = out;
})();
