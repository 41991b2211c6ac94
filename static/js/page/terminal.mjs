// terminal: the page of an instance's shell. Contract: [data-terminal=SOCKET][data-terminal-page=URL] with
// [data-terminal-screen], [data-terminal-state], [data-terminal-again], and buttons [data-terminal-do=WHAT] and
// [data-terminal-key=NAME].
"use strict";
import "/static/terminal-csp.mjs";
import { Terminal } from "/static/xterm.mjs";
import { FitAddon } from "/static/xterm-fit.mjs";
import { link } from "/static/terminal-link.mjs";

const KEYS = { esc: "\x1b", tab: "\t", interrupt: "\x03", end: "\x04" };
const ARROWS = { up: "A", down: "B", right: "C", left: "D" };
const box = document.querySelector("[data-terminal]");
const screen = box.querySelector("[data-terminal-screen]");
const state = box.querySelector("[data-terminal-state]");
const again = box.querySelector("[data-terminal-again]");
const button = (what) => box.querySelector(`[data-terminal-do=${what}]`);
const keep = (k, v) => { try { return v === undefined ? localStorage.getItem(k) : localStorage.setItem(k, v); } catch { return null; } };
const say = (text) => { state.textContent = text; };
const encoder = new TextEncoder();

// colours are the page's own; xterm.js moves those that would be too faint.
const colours = () => {
  const css = getComputedStyle(document.documentElement);
  const v = (n) => css.getPropertyValue(`--${n}`).trim();
  const [black, red, green, yellow, blue, magenta, cyan, white] = ["line-strong", "bad", "ok", "warn", "info", "code-key", "code-cyan", "muted"].map(v);
  return {
    background: v("surface"), foreground: v("text"), cursor: v("accent"), cursorAccent: v("surface"), selectionBackground: v("accent-soft"), selectionForeground: v("text"),
    black, red, green, yellow, blue, magenta, cyan, white, brightBlack: v("faint"), brightRed: v("accent"), brightGreen: v("code-str"), brightYellow: v("code-num"),
    brightBlue: v("code-fn"), brightMagenta: magenta, brightCyan: cyan, brightWhite: v("text"),
  };
};

await document.fonts.load("14px 'Geist Mono'").catch(() => {});
const term = new Terminal({
  fontFamily: "'Geist Mono', ui-monospace, Menlo, monospace", fontSize: innerWidth < 640 ? 12 : 13.5, lineHeight: 1.2, scrollback: 5000, theme: colours(),
  minimumContrastRatio: 4.5, cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches, macOptionIsMeta: true,
  screenReaderMode: keep("terminal:reader") === "1", linkHandler: { activate: () => {} }, // what an agent prints leads nowhere
});
const fit = new FitAddon();
term.loadAddon(fit);
term.open(screen);
fit.fit();

let quiet = 0; // bytes of a replay that are not drawn yet: what they ask the terminal was answered long ago
let held = false; // Ctrl on the screen
const wire = link(box.dataset.terminal, box.dataset.terminalPage, {
  size: () => ({ rows: term.rows, columns: term.cols }),
  ready: (word) => {
    term.reset();
    quiet = word.replay || 0;
    wire.resize(term.rows, term.cols);
  },
  shown: (bytes, done) => term.write(bytes, () => {
    quiet = Math.max(0, quiet - bytes.length);
    done();
  }),
  state: (kind, text) => {
    say(text);
    box.dataset.terminalIs = kind;
    const words = { exit: "New shell", taken: "Use it here" };
    again.hidden = !words[kind];
    again.textContent = words[kind] || "";
    button("close").disabled = kind !== "open";
    if (kind === "reload") location.reload();
  },
});
// Sizes on the way to another are not worth a redraw, which some shells do badly. What is typed finds the right one.
let settled = 0;
const settle = () => {
  clearTimeout(settled);
  if (screen.clientHeight) fit.fit();
};
const send = (bytes) => { if (!quiet) { settle(); wire.type(bytes); } };
const type = (text) => send(encoder.encode(text));
const hold = (on) => {
  held = on;
  box.querySelector("[data-terminal-key=ctrl]").setAttribute("aria-pressed", String(on));
};

term.onData((text) => {
  if (held && text.length === 1 && text >= "@" && text <= "~") text = String.fromCharCode(text.toUpperCase().charCodeAt(0) & 31);
  if (held) hold(false);
  type(text);
});
term.onBinary((text) => send(Uint8Array.from(text, (c) => c.charCodeAt(0))));
term.onResize(({ rows, cols }) => wire.resize(rows, cols));
new ResizeObserver(() => { clearTimeout(settled); settled = setTimeout(settle, 100); }).observe(screen);
const recolour = () => { term.options.theme = colours(); };
new MutationObserver(recolour).observe(document.documentElement, { attributeFilter: ["data-theme"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);

const acts = {
  copy: async () => {
    if (!term.hasSelection()) return say("Select something first");
    try {
      await navigator.clipboard.writeText(term.getSelection());
      say("Copied");
    } catch { say("The browser does not let this page copy: use its menu."); }
  },
  paste: async () => {
    try {
      term.paste(await navigator.clipboard.readText());
      term.focus();
    } catch { say("The browser does not let this page read the clipboard: paste by its menu, or Ctrl+Shift+V."); }
  },
  reader: () => {
    const on = !term.options.screenReaderMode;
    term.options.screenReaderMode = on;
    keep("terminal:reader", on ? "1" : "0");
    button("reader").setAttribute("aria-pressed", String(on));
  },
  close: () => wire.close(),
};
button("reader").setAttribute("aria-pressed", String(term.options.screenReaderMode));

// Keys that are the page's: everything else is the shell's, Tab too.
term.attachCustomKeyEventHandler((e) => {
  if (e.type !== "keydown" || !e.ctrlKey || !e.shiftKey) return true;
  if (e.code === "KeyL") {
    e.preventDefault();
    button("copy").focus();
    return false;
  }
  if (e.code === "KeyC" && term.hasSelection()) {
    e.preventDefault();
    acts.copy();
    return false;
  }
  return e.code !== "KeyV"; // the browser pastes
});

box.addEventListener("click", (e) => {
  const b = e.target.closest("button");
  if (!b) return;
  if (b.dataset.terminalDo) acts[b.dataset.terminalDo]();
  const k = b.dataset.terminalKey;
  if (k === "ctrl") hold(!held);
  else if (ARROWS[k]) type(`\x1b${term.modes.applicationCursorKeysMode ? "O" : "["}${ARROWS[k]}`);
  else if (k) type(KEYS[k]);
  if (k) term.focus();
});
again.addEventListener("click", () => {
  if (box.dataset.terminalIs === "taken") wire.connect();
  else wire.fresh();
  term.focus();
});
wire.connect();
term.focus();
