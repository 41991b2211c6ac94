// dialog: native <dialog>, opened and closed by attributes; the opener is a link to a page that does the same.
// Contract: [data-dialog-open="id"], [data-dialog-close], input[data-confirm="text"] (arms its form's submit button),
// <dialog data-dialog-auto> opens at load.
(() => {
  "use strict";
  const { on, ready, all } = window.lobstead;
  on("click", "[data-dialog-open]", (e, b) => {
    const d = document.getElementById(b.dataset.dialogOpen);
    if (!d || e.metaKey || e.ctrlKey) return;
    e.preventDefault();
    const menu = b.closest("details[data-menu]");
    if (menu) menu.open = false;
    if (!d.open) d.showModal();
  });
  on("click", "[data-dialog-close]", (e, b) => {
    const d = b.closest("dialog");
    if (!d) return;
    e.preventDefault();
    d.close();
  });
  // A press that starts and ends on the backdrop closes; one that only ends there (a selection) does not.
  let pressed = null;
  document.addEventListener("pointerdown", (e) => { pressed = e.target; });
  document.addEventListener("click", (e) => {
    const d = e.target;
    if (!(d instanceof HTMLDialogElement) || pressed !== d) return;
    const r = d.getBoundingClientRect();
    if (e.clientX < r.left || e.clientX > r.right || e.clientY < r.top || e.clientY > r.bottom) d.close();
  });
  const arm = (input) => {
    const form = input.form;
    if (!form) return;
    const ok = input.value.trim() === input.dataset.confirm;
    form.querySelectorAll("[type=submit]").forEach((b) => { b.disabled = !ok; });
  };
  document.addEventListener("input", (e) => {
    if (e.target.matches("input[data-confirm]")) arm(e.target);
  });
  ready((root) => {
    all(root, "input[data-confirm]").forEach(arm);
    all(root, "dialog[data-dialog-auto]").forEach((d) => { if (!d.open) d.showModal(); });
  });
})();
