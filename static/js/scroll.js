// scroll: what scrolls sideways can be reached by keyboard (rendered tables and code, wide tables).
(() => {
  "use strict";
  const { ready, all } = window.lobstead;
  const selector = ".prose table, .prose pre, .table-wrap, .tool-body > pre";
  const reach = (root) => all(root, selector).forEach((el) => {
    if (el.scrollWidth > el.clientWidth) el.tabIndex = 0;
  });
  ready(reach);
  let timer = 0;
  addEventListener("resize", () => {
    clearTimeout(timer);
    timer = setTimeout(() => reach(document), 60);
  });
})();
