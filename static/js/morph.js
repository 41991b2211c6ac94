// morph: makes the old element into the new one in place. What is the same stays the same node, so that typed words, the
// focus, a selection, a press that is not released yet and an opened card outlive a patch. Elements are told apart by
// id; those without one by their place.
(() => {
  "use strict";
  const { touched } = window.lobstead;
  const same = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id || "") === (b.id || "");
  // A person's doing, or the browser's.
  const kept = (el, name) => name === "open" && (el.nodeName === "DIALOG" || touched.has(el));
  const attributes = (old, now) => {
    for (const { name, value } of [...now.attributes]) {
      if (old.getAttribute(name) !== value && !kept(old, name)) old.setAttribute(name, value);
    }
    for (const { name } of [...old.attributes]) {
      if (!now.hasAttribute(name) && !kept(old, name)) old.removeAttribute(name);
    }
  };
  // The one that next is made of: by its id, else the first of its kind before what has an id.
  const match = (next, at, known) => {
    if (next.id) return known.get(next.id);
    if (!at || same(at, next)) return at;
    if (next.nodeType !== Node.ELEMENT_NODE) return null;
    for (let n = at; n && !n.id; n = n.nextSibling) if (same(n, next)) return n;
    return null;
  };
  // Where the browser can, what is moved keeps the focus in it.
  const move = (parent, el, at) => (parent.moveBefore ? parent.moveBefore(el, at) : parent.insertBefore(el, at));
  const children = (old, now) => {
    const wanted = new Set([...now.children].map((c) => c.id).filter(Boolean));
    const known = new Map([...old.children].filter((c) => wanted.has(c.id)).map((c) => [c.id, c]));
    let at = old.firstChild;
    for (const next of [...now.childNodes]) {
      const mine = match(next, at, known);
      if (!mine) {
        old.insertBefore(next, at);
        continue;
      }
      while (at && at !== mine && !wanted.has(at.id)) { // what stood before it is gone
        const gone = at;
        at = at.nextSibling;
        gone.remove();
      }
      if (at === mine) at = mine.nextSibling;
      else move(old, mine, at);
      morph(mine, next);
    }
    while (at) {
      const gone = at;
      at = at.nextSibling;
      gone.remove();
    }
  };
  // morph gives the element that stands there then.
  const morph = (old, now) => {
    if (old.isEqualNode(now)) return old;
    if (!same(old, now)) {
      old.replaceWith(now);
      return now;
    }
    if (old.nodeType !== Node.ELEMENT_NODE) {
      old.data = now.data;
      return old;
    }
    // A moment that is the same is written in the viewer's zone already.
    if (old.nodeName === "TIME" && old.dateTime === now.dateTime) return old;
    attributes(old, now);
    children(old, now);
    return old;
  };
  window.lobstead.morph = morph;
})();
