// Play: the slider of the time machine goes through the run by itself, from where it stands or from the beginning.
(() => {
  "use strict";
  const EVERY = 280; // ms from one moment to the next: time enough to read a changed word
  let playing = null;
  const stop = () => { clearInterval(playing); playing = null; };
  const forward = () => {
    const slider = document.querySelector("#life-slider input[type=range]");
    if (!slider || Number(slider.value) >= Number(slider.max)) return stop();
    slider.value = Number(slider.value) + 1;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    slider.dispatchEvent(new Event("pointerup", { bubbles: true }));
  };
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("#play")) return;
    if (playing) return stop();
    const slider = document.querySelector("#life-slider input[type=range]");
    if (Number(slider.value) >= Number(slider.max)) slider.value = Number(slider.min) - 1;
    playing = setInterval(forward, EVERY);
    forward();
  });
})();
