// terminal-link: the socket of a terminal. It comes back by itself after a break, to the same shell while the server still
// has it. Binary messages are what is typed and shown; text messages are control, one JSON object each.
"use strict";
const ACK = 64 << 10; // bytes worked through between two words about it
const LONGEST = 10_000;

// name is this tab's shell of that instance: a reload finds it again.
const name = (url, fresh) => {
  const key = `terminal:${url}`;
  let id = null;
  try { id = fresh ? null : sessionStorage.getItem(key); } catch { /* private mode */ }
  if (!id) {
    id = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
    try { sessionStorage.setItem(key, id); } catch { /* a reload begins a new shell then */ }
  }
  return id;
};

// link connects; on has size(), ready(word), shown(bytes, done), state(kind, text). Kinds: connecting, open, waiting, exit,
// taken, gone, reload.
export const link = (url, page, on) => {
  let socket = null;
  let tries = 0;
  let timer = 0;
  let unsaid = 0;
  let last = null; // the server's last word before the end

  const tell = (word) => { if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(word)); };
  const done = (of, n) => {
    if (of !== socket) return;
    unsaid += n;
    if (unsaid >= ACK) {
      tell({ type: "ack", bytes: unsaid });
      unsaid = 0;
    }
  };

  const later = (text) => {
    on.state("waiting", text);
    clearTimeout(timer);
    timer = setTimeout(connect, Math.min(LONGEST, 400 * 2 ** tries++));
  };

  // refused asks why there is no socket: a browser does not tell. ready is called when there could be one.
  const refused = async (ready) => {
    try {
      const r = await fetch(page, { headers: { Accept: "application/json" } });
      window.lobstead.signedOut(r.status === 401);
      if ([401, 403, 404].includes(r.status)) return on.state("gone", "You cannot use this terminal any more.");
      const state = await r.json();
      if (state.code === "terminal.stopped" || state.code === "terminal.elsewhere") return on.state("reload", state.message);
      if (state.ready && ready) return ready();
      later(state.message || (tries > 2 ? "The terminal could not be opened: perhaps too many are open. Trying again…" : "Reconnecting…"));
    } catch {
      later("No connection to the server. Trying again…");
    }
  };

  const ended = (opened) => {
    switch (last?.type) {
      case "exit": {
        const text = last.message ? `The shell ended: ${last.message}.` : `The shell ended with code ${last.code}.`;
        name(url, true);
        return refused(() => on.state("exit", text)); // with its instance, perhaps
      }
      case "taken": return on.state("taken", "This shell was opened in another tab.");
      case "gone": return on.state("gone", "You cannot use this terminal any more.");
      case "reconnect": return later("The server restarts. Reconnecting…");
    }
    return opened ? later("The connection was lost. Reconnecting…") : refused();
  };

  const connect = () => {
    clearTimeout(timer);
    last = null;
    unsaid = 0;
    on.state("connecting", "Connecting…");
    const { rows, columns } = on.size();
    const at = new URL(url, location.href);
    at.protocol = at.protocol === "https:" ? "wss:" : "ws:";
    at.search = new URLSearchParams({ session: name(url), rows, columns });
    const mine = socket = new WebSocket(at);
    let opened = false;
    mine.binaryType = "arraybuffer";
    mine.onmessage = (e) => {
      if (mine !== socket) return;
      if (typeof e.data !== "string") {
        on.shown(new Uint8Array(e.data), () => done(mine, e.data.byteLength));
        return;
      }
      const word = JSON.parse(e.data);
      if (word.type !== "ready") {
        last = word;
        return;
      }
      opened = true;
      tries = 0;
      on.ready(word);
      on.state("open", "Connected");
    };
    mine.onclose = () => { if (mine === socket) { socket = null; ended(opened); } };
  };

  return {
    connect,
    fresh: () => { name(url, true); tries = 0; connect(); },
    type: (bytes) => { if (socket?.readyState === WebSocket.OPEN) socket.send(bytes); },
    resize: (rows, columns) => tell({ type: "resize", rows, columns }),
    close: () => tell({ type: "close" }),
  };
};
