// The canvas: brush, eraser, stamps, undo. After every change the server is told what it shows, as the model sees it.
(() => {
  "use strict";
  const BRUSH = 20, ERASER = 48, STAMP = 0.19, MOST_UNDO = 30; // px on the canvas, and share of its side
  const STILL_FREE = 12; // a place whose colours differ by no more is empty

  const begin = () => {
    const editor = document.getElementById("editor");
    const canvas = editor?.querySelector("canvas");
    const source = document.getElementById("canvas-data");
    if (!canvas || !source || !document.querySelector("#drawn textarea, #drawn input")) return void setTimeout(begin, 50);
    const side = canvas.width;
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    const seen = Object.assign(document.createElement("canvas"), { width: canvas.dataset.seen, height: canvas.dataset.seen });
    const before = []; // what undo goes back to
    let last = null; // where the stroke is

    const wipe = () => { pen.fillStyle = "#fff"; pen.fillRect(0, 0, side, side); };
    const remember = () => { before.push(pen.getImageData(0, 0, side, side)); if (before.length > MOST_UNDO) before.shift(); };
    const tell = () => {
      seen.getContext("2d").drawImage(canvas, 0, 0, seen.width, seen.height);
      window.bridge.tell("drawn", seen.toDataURL("image/png"));
    };
    const change = (work) => { remember(); work(); tell(); };
    const paint = () => editor.querySelector("input[name=paint]:checked");

    const at = (event) => {
      const box = canvas.getBoundingClientRect();
      return [(event.clientX - box.left) * side / box.width, (event.clientY - box.top) * side / box.height];
    };
    const stroke = (to) => {
      const chosen = paint();
      pen.strokeStyle = chosen.value;
      pen.lineWidth = chosen.classList.contains("eraser") ? ERASER : BRUSH;
      pen.lineCap = pen.lineJoin = "round";
      pen.beginPath();
      pen.moveTo(...last);
      pen.lineTo(...to);
      pen.stroke();
      last = to;
    };
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      canvas.setPointerCapture(event.pointerId);
      remember();
      last = at(event);
      stroke(last);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!last) return;
      for (const point of event.getCoalescedEvents?.() ?? [event]) stroke(at(point));
    });
    for (const end of ["pointerup", "pointercancel"])
      canvas.addEventListener(end, () => { if (last) { last = null; tell(); } });

    // Stamps go to the first of nine places that is free, the middle first.
    const thirds = [1 / 6, 1 / 2, 5 / 6].map((share) => Math.min(Math.max(share, STAMP + 0.02), 0.98 - STAMP) * side);
    const places = thirds.flatMap((y) => thirds.map((x) => [x, y]))
      .sort((a, b) => Math.hypot(a[0] - side / 2, a[1] - side / 2) - Math.hypot(b[0] - side / 2, b[1] - side / 2));
    const free = ([x, y]) => {
      const reach = STAMP * side;
      const { data } = pen.getImageData(x - reach, y - reach, 2 * reach, 2 * reach);
      const low = [255, 255, 255], high = [0, 0, 0];
      for (let i = 0; i < data.length; i += 16)
        for (let c = 0; c < 3; c++) {
          low[c] = Math.min(low[c], data[i + c]);
          high[c] = Math.max(high[c], data[i + c]);
        }
      return high.every((value, c) => value - low[c] <= STILL_FREE);
    };
    const stamp = (button) => {
      const [x, y] = places.find(free) ?? places[0];
      const corners = button.querySelector("polygon").getAttribute("points").split(" ").map((pair) => pair.split(",").map(Number));
      pen.fillStyle = paint().value;
      pen.beginPath();
      for (const [dx, dy] of corners) pen.lineTo(x + dx * STAMP * side, y + dy * STAMP * side);
      pen.fill();
    };
    document.addEventListener("click", (event) => {
      const button = event.target.closest?.("#editor [data-shape], #clear, #undo");
      if (!button) return;
      if (button.id === "clear") change(wipe);
      else if (button.id === "undo") { if (before.length) { pen.putImageData(before.pop(), 0, 0); tell(); } }
      else change(() => stamp(button));
    });

    // A picture from the server: a ready one, a random one, an upload. What shows it changes at other times as well.
    let shown = null;
    new MutationObserver(() => {
      const holder = source.querySelector("[data-json]");
      if (!holder || holder.dataset.json === shown) return;
      shown = holder.dataset.json;
      const picture = new Image();
      picture.onload = () => change(() => {
        pen.imageSmoothingEnabled = false; // each of its pixels becomes four, and comes back as it was
        pen.drawImage(picture, 0, 0, side, side);
      });
      picture.src = JSON.parse(holder.dataset.json).image;
    }).observe(source, { childList: true, subtree: true, attributes: true });
    wipe();
    editor.dataset.ready = "true";
  };
  begin();
})();
