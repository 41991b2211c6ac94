// copy: [data-copy] copies the text of [data-copy-text] in the nearest [data-copy-from] (or of itself).
// Rendered markdown brings bare <pre> blocks: each gets a copy button here.
(() => {
  "use strict";
  const { on, ready, all } = window.lobstead;
  const write = async (text) => {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
    const t = document.createElement("textarea");
    t.value = text;
    t.setAttribute("readonly", "");
    t.style.position = "fixed";
    t.style.opacity = "0";
    document.body.append(t);
    t.select();
    const ok = document.execCommand("copy");
    t.remove();
    if (!ok) throw new Error("refused");
  };
  on("click", "[data-copy]", async (e, b) => {
    e.preventDefault();
    const from = b.closest("[data-copy-from]");
    const source = from && from.querySelector("[data-copy-text], pre, code");
    const text = b.dataset.copy || (source ? source.textContent : "");
    try {
      await write(text.replace(/\n$/, ""));
    } catch {
      window.lobstead.toast("warn", "The browser refused to copy. Select the text instead.");
      return;
    }
    const label = b.getAttribute("aria-label");
    b.classList.add("done");
    b.setAttribute("aria-label", "Copied");
    setTimeout(() => {
      b.classList.remove("done");
      if (label) b.setAttribute("aria-label", label);
    }, 1600);
  });
  ready((root) => {
    const mould = document.getElementById("copy-template");
    if (!mould) return;
    all(root, ".prose pre").forEach((pre) => {
      if (pre.closest("[data-copy-from], .tail")) return;
      const box = document.createElement("div");
      box.className = "code";
      box.dataset.copyFrom = "";
      pre.replaceWith(box);
      box.append(pre, mould.content.firstElementChild.cloneNode(true));
    });
  });
})();
