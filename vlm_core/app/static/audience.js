// A room of the audience is gone when the lesson ends that it belongs to.
(() => {
  "use strict";
  document.addEventListener("lesson-end", () => document.getElementById("audience-close")?.click());
})();
