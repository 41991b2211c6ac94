// terminal-csp: lets xterm.js run under a policy without inline styles. It writes its rules into <style> elements and
// colours into style attributes; here the rules go into constructed sheets and the attributes through the CSSOM, which
// the policy allows. Imported before xterm.js is used, on the terminal's page only.
"use strict";
const make = document.createElement.bind(document);

// sheet stands in for a <style> element: what is written into it applies as long as it was not removed.
const sheet = () => {
  const stand = make("span");
  const rules = new CSSStyleSheet();
  stand.hidden = true;
  Object.defineProperty(stand, "textContent", {
    get: () => "",
    set: (text) => {
      rules.replaceSync(text);
      if (!document.adoptedStyleSheets.includes(rules)) document.adoptedStyleSheets.push(rules);
    },
  });
  stand.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((s) => s !== rules);
    Element.prototype.remove.call(stand);
  };
  return stand;
};

document.createElement = (name, options) => name === "style" ? sheet() : make(name, options);

HTMLSpanElement.prototype.setAttribute = function (name, value) {
  if (name === "style") this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
};
