// once: a form that is being sent is not sent again by a second press. Ten seconds later it may be: what it led to did not
// come, or was a download.
(() => {
  "use strict";
  let sent = new WeakSet();
  document.addEventListener("submit", (e) => {
    if (e.defaultPrevented || e.target.method !== "post") return;
    if (sent.has(e.target)) e.preventDefault();
    sent.add(e.target);
    setTimeout(() => sent.delete(e.target), 10000);
  });
  addEventListener("pageshow", () => { sent = new WeakSet(); });
})();
