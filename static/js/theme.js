// theme: the server renders data-theme from the cookie, so nothing flashes; here the choice changes without a reload.
// Contract: <form data-theme-form> with <button name="theme" value="system|light|dark">.
(() => {
  "use strict";
  const { on, all } = window.lobstead;
  on("submit", "[data-theme-form]", (e, form) => {
    const theme = e.submitter && e.submitter.value;
    if (!theme) return;
    e.preventDefault();
    document.documentElement.dataset.theme = theme;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `theme=${theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
    all(document, "[data-theme-form] button").forEach((b) => b.setAttribute("aria-pressed", String(b.value === theme)));
    form.dispatchEvent(new CustomEvent("lobstead:theme", { bubbles: true, detail: { theme } }));
  });
})();
