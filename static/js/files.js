// files: how many entries of a list are ticked, all and none of them; Enter in a field presses the button beside it; an
// edited text is not lost by leaving its page.
// Contract: form[data-files-select] with .file-pick, [data-pick-all], [data-pick-none], [data-picked] and .file-act;
// textarea[data-unsaved], "true" when what it came with is not saved either.
(() => {
  "use strict";
  const { on, ready } = window.lobstead;
  const count = (form) => {
    const picks = [...form.querySelectorAll(".file-pick")];
    const n = picks.filter((p) => p.checked).length;
    form.querySelector("[data-picked]").textContent = `${n} selected`;
    const box = form.querySelector("[data-pick-all]");
    box.checked = n > 0 && n === picks.length;
    box.indeterminate = n > 0 && n < picks.length;
  };
  const pick = (form, what) => {
    form.querySelectorAll(".file-pick").forEach((p) => { p.checked = what; });
    count(form);
  };
  on("change", "form[data-files-select] .file-pick", (e, p) => count(p.form));
  on("change", "[data-pick-all]", (e, box) => pick(box.form, box.checked));
  on("click", "[data-pick-none]", (e, b) => pick(b.form, false));
  on("keydown", ".file-act input", (e, input) => {
    if (e.key !== "Enter" || e.isComposing) return;
    e.preventDefault();
    input.closest(".file-act").querySelector("[type=submit]").click();
  });
  const counts = () => document.querySelectorAll("form[data-files-select]:has(.file-acts)").forEach(count);
  ready(counts);

  let sent = false;
  on("submit", "form:has([data-unsaved])", () => { sent = true; });
  addEventListener("beforeunload", (e) => {
    const text = document.querySelector("[data-unsaved]");
    if (text && !sent && (text.dataset.unsaved === "true" || text.value !== text.defaultValue)) e.preventDefault();
  });
  // A browser that comes back to a page keeps its ticks.
  addEventListener("pageshow", () => { counts(); sent = false; });
})();
