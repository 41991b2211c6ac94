// passkey: [data-passkey] buttons ask the browser's authenticator. "sign-in" and "second" sign in, "add" keeps a new
// one under the name in its form.
(() => {
  "use strict";
  const { on } = window.lobstead;
  const bytes = (s) => Uint8Array.from(atob(s.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (b) =>
    btoa(String.fromCharCode(...new Uint8Array(b))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  // options turns what the server wrote into what the browser takes.
  const options = ({ publicKey: k }) => {
    const o = { ...k, challenge: bytes(k.challenge) };
    if (k.user) o.user = { ...k.user, id: bytes(k.user.id) };
    for (const list of ["allowCredentials", "excludeCredentials"])
      if (k[list]) o[list] = k[list].map((c) => ({ ...c, id: bytes(c.id) }));
    return { publicKey: o };
  };
  // written is the way back.
  const written = (c) => {
    const response = { clientDataJSON: text(c.response.clientDataJSON) };
    for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"])
      if (c.response[part]) response[part] = text(c.response[part]);
    if (c.response.getTransports) response.transports = c.response.getTransports();
    return { id: c.id, rawId: text(c.rawId), type: c.type, clientExtensionResults: {}, response };
  };
  const send = async (path, body) => {
    const r = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(body),
    });
    const answer = await r.json().catch(() => ({}));
    if (!r.ok) throw new Error(answer.error || "The server did not answer. Try again.");
    return answer;
  };

  const signIn = async (body) => {
    const asked = options(await send("/sign-in/passkey/options", body));
    const credential = written(await navigator.credentials.get(asked));
    return send("/sign-in/passkey", { credential });
  };
  const acts = {
    "sign-in": (b) => signIn({ next: b.dataset.next || "/" }),
    second: () => signIn({ second: true }),
    add: async (b) => {
      const asked = options(await send("/settings/security/passkeys/options", {}));
      const credential = written(await navigator.credentials.create(asked));
      return send("/settings/security/passkeys", { name: b.form.elements.name.value, credential });
    },
  };
  const words = {
    NotAllowedError: "No passkey was used: it was cancelled, or took too long.",
    InvalidStateError: "This device has a passkey for you already.",
    SecurityError: "Passkeys work only at the server's own address.",
  };

  on("click", "[data-passkey]", async (e, b) => {
    e.preventDefault();
    if (b.form && !b.form.reportValidity()) return;
    const status = document.querySelector("[data-passkey-status]");
    b.disabled = true;
    status.textContent = "";
    try {
      if (!window.PublicKeyCredential || !navigator.credentials) throw new Error("This browser knows no passkeys here.");
      const { to } = await acts[b.dataset.passkey](b);
      location.assign(to);
    } catch (err) {
      status.textContent = words[err.name] || err.message;
      b.disabled = false;
    }
  });
})();
