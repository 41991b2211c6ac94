// attach: files of a composer. Chosen, pasted or dropped files are kept in one <input type="file">, so that the plain
// multipart form posts them; the tray shows each with a preview and a way out.
// Contract: form[data-composer] with input[type=file][data-attach], [data-attach-tray] and #tray-template.
(() => {
  "use strict";
  const { on } = window.lobstead;
  const kept = new WeakMap(); // input → File[]
  const size = (n) => n < 1024 ? `${n} B` : n < 1048576 ? `${Math.round(n / 1024)} KB` : `${(n / 1048576).toFixed(1)} MB`;

  const draw = (form, files) => {
    const tray = form.querySelector("[data-attach-tray]");
    const mould = document.getElementById("tray-template");
    if (!tray || !mould) return;
    tray.querySelectorAll("img").forEach((i) => URL.revokeObjectURL(i.src));
    tray.replaceChildren(...files.map((f, i) => {
      const item = mould.content.firstElementChild.cloneNode(true);
      const img = item.querySelector("img");
      if (f.type.startsWith("image/")) {
        img.src = URL.createObjectURL(f);
        item.querySelector("svg").remove();
      } else img.remove();
      item.querySelector("[data-tray-name]").textContent = f.name;
      item.querySelector("[data-tray-size]").textContent = size(f.size);
      const out = item.querySelector("[data-tray-remove]");
      out.dataset.trayRemove = String(i);
      out.setAttribute("aria-label", `Remove ${f.name}`);
      return item;
    }));
  };
  const set = (form, files) => {
    const input = form.querySelector("input[type=file][data-attach]");
    if (!input) return;
    const transfer = new DataTransfer();
    files.forEach((f) => transfer.items.add(f));
    input.files = transfer.files;
    kept.set(input, files);
    draw(form, files);
  };
  const get = (form) => kept.get(form.querySelector("input[type=file][data-attach]")) || [];
  const add = (form, files) => {
    const max = Number(form.dataset.attachMax || 25) * 1048576;
    const fits = [...files].filter((f) => f.size <= max);
    if (fits.length < files.length) window.lobstead.toast("warn", `Files up to ${form.dataset.attachMax || 25} MB can be attached.`);
    if (fits.length) set(form, get(form).concat(fits));
  };
  // Pasted screenshots are all called image.png: give them a name that tells them apart.
  const named = (files) => [...files].map((f) => f.name !== "image.png" ? f
    : new File([f], `pasted-${new Date().toISOString().slice(11, 19).replaceAll(":", "")}.png`, { type: f.type }));

  on("change", "input[type=file][data-attach]", (e, input) => add(input.form, input.files));
  on("click", "[data-tray-remove]", (e, b) => {
    const form = b.closest("form");
    const at = Number(b.dataset.trayRemove);
    set(form, get(form).filter((_, i) => i !== at));
    const input = form.querySelector("[data-composer-input]");
    if (input) input.focus();
  });
  on("paste", "form[data-composer]", (e, form) => {
    if (!e.clipboardData || !e.clipboardData.files.length) return;
    e.preventDefault();
    add(form, named(e.clipboardData.files));
  });
  const carries = (e) => e.dataTransfer && [...e.dataTransfer.types].includes("Files");
  const target = (e) => carries(e) && e.target instanceof Element && (e.target.closest("[data-chat]") || document).querySelector("form[data-composer]");
  document.addEventListener("dragover", (e) => {
    const form = target(e);
    if (!form) return;
    e.preventDefault();
    form.classList.add("drop");
  });
  document.addEventListener("dragleave", (e) => {
    if (!e.relatedTarget) document.querySelectorAll("form.drop").forEach((f) => f.classList.remove("drop"));
  });
  document.addEventListener("drop", (e) => {
    const form = target(e);
    if (!form) return;
    e.preventDefault();
    form.classList.remove("drop");
    add(form, e.dataTransfer.files);
  });
  window.lobstead.attach = { get, set, add };
})();
