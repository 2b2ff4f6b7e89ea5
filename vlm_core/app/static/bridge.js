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
  return { read, tell, follow, make, svg, percent };
})();
