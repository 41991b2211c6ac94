// upload: files of a workspace in pieces. An upload that was cut, by the network or a reload, goes on when the same file
// is chosen again: its id is remembered by name, size and time until it is complete.
// Contract: form[data-upload=URL][data-upload-dir][data-upload-piece] with input[type=file], [data-upload-list] and
// #upload-template; without this module the form posts the files whole.
(() => {
  "use strict";
  const { on } = window.lobstead;
  const RETRIES = 5;
  const key = (url, dir, f) => `upload:${url}:${dir}:${f.name}:${f.size}:${f.lastModified}`;
  const remember = (k, id) => { try { id ? localStorage.setItem(k, id) : localStorage.removeItem(k); } catch { /* private mode */ } };
  const recall = (k) => { try { return localStorage.getItem(k); } catch { return null; } };
  const size = (n) => { // as the server says them
    const unit = n >= 2 ** 30 ? [2 ** 30, "GB"] : n >= 2 ** 20 ? [2 ** 20, "MB"] : n >= 1024 ? [1024, "KB"] : [1, n === 1 ? "byte" : "bytes"];
    return `${(n / unit[0]).toFixed(1).replace(/\.0$/, "")} ${unit[1]}`;
  };
  const pause = (ms) => new Promise((go) => setTimeout(go, ms));

  const ask = async (method, url, body, type) => {
    const r = await fetch(url, { method, body, headers: { Accept: "application/json", ...(type && { "Content-Type": type }) } });
    window.lobstead.signedOut(r.status === 401);
    const answer = await r.json().catch(() => ({}));
    if (!r.ok) throw Object.assign(new Error(answer.error || answer.message || `The server answered ${r.status}`), { status: r.status });
    return answer;
  };

  const lineFor = (form, f) => {
    const line = document.getElementById("upload-template").content.firstElementChild.cloneNode(true);
    line.querySelector("[data-upload-name]").textContent = f.name;
    const cancel = line.querySelector("[data-upload-cancel]");
    cancel.setAttribute("aria-label", `Cancel the upload of ${f.name}`);
    const bar = line.querySelector("progress");
    bar.setAttribute("aria-label", `Progress of ${f.name}`);
    form.querySelector("[data-upload-list]").append(line);
    const state = line.querySelector("[data-upload-state]");
    return {
      line, cancel,
      end: () => { bar.remove(); cancel.remove(); },
      say: (text) => { state.textContent = text; },
      at: (n) => { bar.value = f.size ? n / f.size : 1; },
    };
  };

  // open finds where an earlier upload of this file stands, or begins one: by a name that is free, or over what has it.
  const open = async (url, dir, f, overwrite) => {
    const k = key(url, dir, f);
    const old = recall(k);
    if (old) {
      try {
        return await ask("GET", `${url}/${old}`);
      } catch { remember(k, null); }
    }
    const dot = f.name.lastIndexOf(".");
    const [stem, ext] = dot > 0 ? [f.name.slice(0, dot), f.name.slice(dot)] : [f.name, ""];
    for (let n = 1; ; n++) {
      const name = n === 1 ? f.name : `${stem} (${n})${ext}`;
      try {
        const up = await ask("POST", url, JSON.stringify({ path: dir === "." ? name : `${dir}/${name}`, size: f.size, overwrite }), "application/json");
        remember(k, up.id);
        return up;
      } catch (e) {
        if (e.status !== 409 || n > 50) throw e;
      }
    }
  };

  const send = async (form, f) => {
    const url = form.dataset.upload;
    const dir = form.dataset.uploadDir;
    const piece = Number(form.dataset.uploadPiece);
    const view = lineFor(form, f);
    const stop = new AbortController();
    const over = form.elements.exists?.value === "replace";
    let up = null;
    view.cancel.addEventListener("click", () => stop.abort());
    try {
      up = await open(url, dir, f, over);
      for (let tries = 0; !up.done;) {
        if (stop.signal.aborted) throw new Error("cancelled");
        view.at(up.offset);
        view.say(`${size(up.offset)} of ${size(f.size)}`);
        try {
          up = await ask("PUT", `${url}/${up.id}?offset=${up.offset}`, f.slice(up.offset, up.offset + piece), "application/octet-stream");
          tries = 0;
        } catch (e) {
          if (++tries > RETRIES || (e.status && e.status < 500 && e.status !== 409)) throw e;
          view.say("Interrupted, trying again…");
          await pause(500 * 2 ** tries);
          up = await ask("GET", `${url}/${up.id}`).catch(() => up);
        }
      }
      remember(key(url, dir, f), null);
      const name = up.path.split("/").pop();
      view.say(`Uploaded, ${size(f.size)}${name === f.name ? "" : `. Kept both: this one is ${name}`}`);
      view.end();
      return true;
    } catch (e) {
      if (stop.signal.aborted) {
        if (up) await ask("POST", `${url}/${up.id}/delete`).catch(() => {});
        remember(key(url, dir, f), null);
        view.line.remove();
      } else {
        const refused = [400, 403, 413, 422].includes(e.status); // the same file would be again
        view.say(refused ? e.message : `${e.message}. Choose the file again to go on.`);
        view.line.classList.add("bad");
        view.end();
      }
      return false;
    }
  };

  // One after the other: pieces of several files at once would only share the line. At the end the list shows what is there;
  // what became of each file stays written above it.
  let queue = Promise.resolve();
  let open_ = 0;
  const start = (form, files) => {
    if (!open_) form.querySelector("[data-upload-list]").replaceChildren();
    for (const f of files) {
      open_++;
      queue = queue.then(() => send(form, f)).then(() => {
        if (--open_ > 0) return;
        window.htmx.ajax("GET", location.href.split("#")[0], { target: "#file-rows", select: "#file-rows", swap: "outerHTML" });
      });
    }
  };

  on("submit", "form[data-upload]", (e, form) => {
    const input = form.querySelector("input[type=file]");
    if (!input.files.length) return;
    e.preventDefault();
    start(form, [...input.files]);
    input.value = "";
  });
  const target = (e) => e.dataTransfer && [...e.dataTransfer.types].includes("Files") && document.querySelector("form[data-upload]");
  document.addEventListener("dragover", (e) => {
    const form = target(e);
    if (form) { e.preventDefault(); form.classList.add("drop"); }
  });
  document.addEventListener("dragleave", (e) => {
    if (!e.relatedTarget) document.querySelectorAll("form[data-upload].drop").forEach((f) => f.classList.remove("drop"));
  });
  document.addEventListener("drop", (e) => {
    const form = target(e);
    if (!form) return;
    e.preventDefault();
    form.classList.remove("drop");
    location.hash = "upload"; // where the form is, and says how far it is
    start(form, [...e.dataTransfer.files]);
  });
  addEventListener("beforeunload", (e) => { if (open_ > 0) e.preventDefault(); });
})();
