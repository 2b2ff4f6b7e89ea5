// What every script of the page uses: to read what the server sent, to tell it something, to make elements.
window.bridge = (() => {
  "use strict";
  // The data that the server put into a hidden HTML component; null if there is none.
  const read = (id) => {
    const holder = document.querySelector(`#${id} [data-json]`);
    return holder ? JSON.parse(holder.dataset.json) : null;
  };
  // Put text into a hidden Textbox, as if somebody had typed it.
  const tell = (id, text) => {
    const holder = document.querySelector(`#${id} textarea, #${id} input`);
    if (!holder) return;
    const prototype = Object.getPrototypeOf(holder); // the page's framework watches its own setter
    Object.getOwnPropertyDescriptor(prototype, "value").set.call(holder, text);
    holder.dispatchEvent(new Event("input", { bubbles: true }));
  };
  // Call `refresh` now and after every change of the components called `ids`, once all of them are there.
  const follow = (ids, refresh) => {
    const sources = ids.map((id) => document.getElementById(id));
    if (sources.some((source) => !source)) return void setTimeout(() => follow(ids, refresh), 50);
    let asked = false;
    const observer = new MutationObserver(() => {
      if (asked) return;
      asked = true;
      requestAnimationFrame(() => { asked = false; refresh(); });
    });
    for (const source of sources) observer.observe(source, { childList: true, subtree: true, attributes: true });
    refresh();
  };
  // Call `ask` once the element `root` can be seen and what the components `ids` hold has changed since it was asked for:
  // what nobody looks at is not computed. Returns a function that says that something else has changed.
  const whenSeen = (root, ids, ask) => {
    let stale = false, seen = false;
    const check = () => { if (stale && seen) { stale = false; ask(); } };
    const change = () => { stale = true; check(); };
    const watcher = new IntersectionObserver((entries) => { seen = entries.at(-1).isIntersecting; check(); });
    follow([root], () => { watcher.disconnect(); watcher.observe(document.getElementById(root)); });
    follow(ids, change);
    return change;
  };
  const fill = (element, attributes, children) => {
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  };
  const make = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
  const svg = (tag, attributes = {}, ...children) =>
    fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
  const percent = (share) => (share >= 0.995 ? "100 %" : `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`);
  // The page's language, "en" or "zh".
  const language = () => (document.documentElement.lang === "zh" ? "zh" : "en");
  // Set what the address says, so that a reloaded tab is as it was; null takes a name out of it.
  const address = (values) => {
    const now = new URL(location.href);
    for (const [name, value] of Object.entries(values))
      if (value === null) now.searchParams.delete(name);
      else now.searchParams.set(name, value);
    if (now.href !== location.href) history.replaceState(history.state, "", now);
  };
  return { read, tell, follow, whenSeen, make, svg, percent, language, address };
})();
