// scroll: what scrolls sideways can be reached by keyboard (rendered tables and code, wide tables), and tabs show where
// one is.
(() => {
  "use strict";
  const { ready, all } = window.lobstead;
  const selector = ".prose table, .prose pre, .table-wrap, .tool-body > pre";
  const reach = (root) => all(root, selector).forEach((el) => {
    if (el.scrollWidth > el.clientWidth) el.tabIndex = 0;
  });
  const show = (root) => all(root, ".tabs > [aria-current]").forEach((tab) => {
    const bar = tab.parentElement;
    const at = tab.getBoundingClientRect().left - bar.getBoundingClientRect().left + bar.scrollLeft;
    bar.scrollLeft = at - (bar.clientWidth - tab.offsetWidth) / 2;
  });
  ready(reach);
  ready(show);
  let timer = 0;
  addEventListener("resize", () => {
    clearTimeout(timer);
    timer = setTimeout(() => { reach(document); show(document); }, 60);
  });
})();
