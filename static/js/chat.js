// chat: the composer and the flow. Without JavaScript the composer is a plain form and the flow a plain page.
// Contract: [data-chat] around all; form[data-composer] with textarea[data-composer-input]; form[data-chat-stop];
// [data-chat-flow] scrolls its first child; [data-chat-latest] is the pill; [data-chat-tools] folds every card;
// [data-recall] marks what ↑ brings back. A send answers with patches as in live.js, or HX-Location / HX-Redirect.
(() => {
  "use strict";
  const { on, ready, all, touched } = window.lobstead;
  const touch = matchMedia("(hover: none) and (pointer: coarse)");
  const fieldSizing = CSS.supports("field-sizing", "content");

  // The composer.
  const grow = (t) => {
    if (fieldSizing) return;
    t.style.height = "auto";
    t.style.height = `${t.scrollHeight}px`;
  };
  const put = (form, text, files) => {
    const t = form.querySelector("[data-composer-input]");
    t.value = text;
    grow(t);
    window.lobstead.attach.set(form, files);
  };
  const key = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
  const follow = (answer) => {
    const to = answer.headers.get("HX-Redirect") || answer.headers.get("HX-Location");
    if (!to) return false;
    location.assign(to.startsWith("{") ? JSON.parse(to).path : to);
    return true;
  };
  const said = (answer) => {
    try { return JSON.parse(answer.headers.get("HX-Trigger")).toast; } catch { return null; }
  };
  const post = async (form, body) => {
    const headers = { "HX-Request": "true", Accept: "text/html", "Idempotency-Key": key() };
    const answer = await fetch(form.action, { method: "POST", body, headers });
    window.lobstead.signedOut(answer.status === 401);
    if (answer.status === 401) throw new Error("You are signed out.");
    const note = said(answer);
    if (!answer.ok) throw new Error(note ? note.text : `The server refused it (${answer.status}).`);
    if (note) window.lobstead.toast(note.kind, note.text);
    if (!follow(answer)) window.lobstead.live.apply(await answer.text());
  };
  let turnstile = Promise.resolve(); // messages leave in the order in which they were written
  const send = (form) => {
    const input = form.querySelector("[data-composer-input]");
    const text = input.value;
    const files = window.lobstead.attach.get(form);
    if (!text.trim() && !files.length) return;
    const body = new FormData(form);
    put(form, "", []);
    stick = true;
    toEnd();
    turnstile = turnstile.then(() => post(form, body)).catch((err) => {
      // What was written meanwhile stays, after what did not go out.
      put(form, input.value ? `${text}\n${input.value}` : text, files.concat(window.lobstead.attach.get(form)));
      window.lobstead.toast("bad", `Not sent. ${err instanceof TypeError ? "The server did not answer." : err.message}`);
      input.focus();
    });
  };
  on("submit", "form[data-composer]", (e, form) => {
    if (e.defaultPrevented) return;
    e.preventDefault();
    send(form);
  });
  on("input", "[data-composer-input]", (e, t) => grow(t));
  on("keydown", "[data-composer-input]", (e, t) => {
    if (e.isComposing || e.defaultPrevented) return;
    if (e.key === "Enter" && !e.shiftKey && !touch.matches) {
      e.preventDefault();
      t.form.requestSubmit();
    } else if (e.key === "ArrowUp" && t.value === "") {
      const last = [...document.querySelectorAll("[data-recall]")].pop();
      if (!last) return;
      e.preventDefault();
      t.value = last.textContent.trim();
      t.setSelectionRange(t.value.length, t.value.length);
      grow(t);
    }
  });
  document.addEventListener("keydown", (e) => {
    if (e.key !== "Escape" || e.defaultPrevented || e.isComposing || document.querySelector("dialog[open]")) return;
    const stop = document.querySelector("form[data-chat-stop]:not([hidden])");
    if (stop && document.querySelector("[data-chat]")) stop.requestSubmit();
  });

  // The flow: it follows the end only while the reader is there.
  let stick = true;
  const flow = () => document.querySelector("[data-chat-flow]");
  const atEnd = (f) => f.scrollHeight - f.scrollTop - f.clientHeight < 48;
  const pill = (show) => {
    const p = document.querySelector("[data-chat-latest]");
    if (p) p.hidden = !show;
  };
  const toEnd = () => {
    const f = flow();
    if (f) f.scrollTop = f.scrollHeight;
    pill(false);
  };
  const grown = new ResizeObserver(() => {
    const f = flow();
    if (!f) return;
    if (stick) toEnd();
    else pill(!atEnd(f));
  });
  const watch = (f) => {
    if (f.dataset.watched) return;
    f.dataset.watched = "1";
    let top = 0, height = 0;
    f.addEventListener("scroll", () => {
      // A patch that shrinks and grows the flow moves it too: only a move in an unchanged flow is the reader's.
      if (atEnd(f)) stick = true;
      else if (f.scrollTop < top && f.scrollHeight === height) stick = false;
      top = f.scrollTop;
      height = f.scrollHeight;
      pill(!stick);
    }, { passive: true });
    stick = !location.hash;
    if (stick) toEnd();
    grown.observe(f);
    if (f.firstElementChild) grown.observe(f.firstElementChild);
  };
  // What comes before the first entry does not move what is being read.
  document.addEventListener("htmx:beforeSwap", (e) => {
    const f = e.target.id === "earlier" && flow();
    if (!f) return;
    const below = f.scrollHeight - f.scrollTop;
    stick = false;
    queueMicrotask(() => { f.scrollTop = f.scrollHeight - below; });
  });
  on("click", "[data-chat-latest]", () => { stick = true; toEnd(); });
  // Opening a card is reading: the flow stays where it is.
  on("click", "[data-chat-flow] summary", () => { stick = false; });
  on("click", "[data-chat-tools]", (e, b) => {
    const open = b.getAttribute("aria-pressed") !== "true";
    b.setAttribute("aria-pressed", String(open));
    stick = false;
    document.querySelectorAll("[data-chat-flow] details.tool").forEach((d) => { d.open = open; touched.add(d); });
  });
  ready((root) => {
    all(root, "[data-chat-flow]").forEach(watch);
    all(root, "[data-composer-input]").forEach(grow);
  });
})();
