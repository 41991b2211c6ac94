// time: <time datetime data-time="relative|clock|date"> is written in the viewer's zone and kept fresh; the absolute
// moment is on hover. The server's own text stands until then and has the same shape, so nothing moves.
(() => {
  "use strict";
  const { ready, all } = window.lobstead;
  const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
  const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
  const units = [[60, "s", 1], [3600, "min", 60], [86400, "h", 3600], [30 * 86400, "d", 86400]];
  // Same words as ui.Relative in Go; beyond thirty days a date says more than a count.
  const relative = (at, now) => {
    const s = Math.round((now - at) / 1000);
    const n = Math.abs(s);
    if (n < 5) return "just now";
    for (const [limit, unit, size] of units) {
      if (n < limit) return s > 0 ? `${Math.floor(n / size)} ${unit} ago` : `in ${Math.floor(n / size)} ${unit}`;
    }
    return day.format(at);
  };
  const write = (el, now) => {
    const at = new Date(el.getAttribute("datetime"));
    if (isNaN(at)) return;
    const kind = el.dataset.time;
    const text = kind === "clock" ? clock.format(at) : kind === "date" ? day.format(at) : relative(at, now);
    if (el.textContent !== text) el.textContent = text;
    if (!el.title || !el.dataset.zoned) {
      el.title = full.format(at);
      el.dataset.zoned = "1";
    }
  };
  const fresh = (root) => {
    const now = new Date();
    all(root, "time[data-time]").forEach((el) => write(el, now));
    // Ages without a word around them: <span data-since="…"> counts seconds, minutes, hours up.
    all(root, "[data-since]").forEach((el) => {
      const n = Math.max(0, Math.floor((now - new Date(el.dataset.since)) / 1000));
      const [, unit, size] = units.find(([limit]) => n < limit) || units[3];
      el.textContent = `${Math.floor(n / size)} ${unit}`;
    });
  };
  ready(fresh);
  setInterval(() => { if (!document.hidden) fresh(document); }, 1000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) fresh(document); });
})();
