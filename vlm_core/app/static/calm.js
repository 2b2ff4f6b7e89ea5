// Gradio 6.31 shows a tracker while a page loads, which goes on counting seconds sixty times each of them once it has left
// the page: a tenth of a core, in every open tab, that the model would learn with. Such counters count four times a second.
(() => {
  "use strict";
  const frame = window.requestAnimationFrame.bind(window);
  const counts = (callback) => {
    const code = String(callback);
    return code.length < 120 && code.includes("performance.now()") && code.includes("1e3");
  };
  window.requestAnimationFrame = (callback) => (counts(callback) ? setTimeout(callback, 250, performance.now()) : frame(callback));
})();
