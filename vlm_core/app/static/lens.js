// The word lens: draws what the server sent of a caption. Pointing at a word paints its map without asking anyone.
(() => {
  "use strict";
  const { read, follow, make, svg, percent } = window.bridge;
  const { VIRIDIS, FULL, squares, contour, level } = window.maps;
  const LEAST_DRAG = 6; // px; less is a click
  const state = {
    picture: "", caption: null, labels: {}, word: 0,
    chosen: { place: 0, text: "" }, // the word that somebody picked, which captions to come may have elsewhere
    choice: null, // null until somebody picks a head
    own: false, // each map is scaled to its own brightest patch
    box: null, // what somebody boxed: its first and last column and row
  };
  // The share of attention that takes the last colour of a map.
  const full = (cells) => (state.own ? Math.max(...cells) || 1 : FULL);

  // The map and null mass of a word for a head ("layer.head"), or the mean of all; both absolute shares.
  const map_of = (word, choice) => {
    const { steps } = state.caption;
    const heads = word.maps.flatMap((layer, l) => layer_heads(word, l));
    const picked = choice === "mean" ? heads : heads.filter((head) => head.id === choice);
    const cells = new Array(picked[0].map.length).fill(0);
    let nothing = 0;
    for (const head of picked) {
      head.map.forEach((value, i) => (cells[i] += value / steps / picked.length));
      nothing += head.nothing / picked.length;
    }
    return { cells, nothing };
  };
  const layer_heads = (word, l) =>
    word.maps[l].map((map, h) => ({ id: `${l}.${h}`, map, nothing: word.null[l][h] }));
  const choice = () => state.choice ?? state.caption.head;
  const head_ids = () => state.caption.words[0]?.maps.flatMap((layer, l) => layer.map((_, h) => `${l}.${h}`)) ?? [];
  const head_name = (id) => {
    if (id === "mean") return state.labels.mean;
    const [l, h] = id.split(".").map((part) => Number(part) + 1);
    return `${state.labels.layer} ${l} ${state.labels.head} ${h}`;
  };

  // How spread out a map is: its entropy as a share of that of a uniform one.
  const entropy = (cells) => {
    const total = cells.reduce((sum, value) => sum + value, 0);
    if (!total) return 1;
    return cells.reduce((sum, value) => (value ? sum - value / total * Math.log(value / total) : sum), 0) / Math.log(cells.length);
  };
  // The patches of what the word speaks of: those that somebody boxed, else those of a known picture's object.
  const touched_by = (word) => {
    if (!state.box) return word.touched;
    const { grid } = state.caption;
    const { left, top, right, bottom } = state.box;
    const rows = Array.from({ length: bottom - top + 1 }, (_, row) => row + top);
    return rows.flatMap((row) => Array.from({ length: right - left + 1 }, (_, column) => row * grid + column + left));
  };
  // Where what the word speaks of is known: did the map point at it, and how much of it lies there?
  const truth = (touched, cells) => {
    if (!touched) return [];
    const total = cells.reduce((sum, value) => sum + value, 0) || 1;
    const mass = touched.reduce((sum, i) => sum + cells[i], 0) / total;
    const top = Math.max(...cells);
    const peaks = cells.flatMap((value, i) => (value >= top * (1 - 1e-5) ? [i] : []));
    const hit = peaks.length === 1 && touched.includes(peaks[0]); // a tie points nowhere
    const told = state.labels.truth_mass.replace("{mass}", percent(mass)).replace("{chance}", percent(touched.length / cells.length));
    return [make("p", { class: "truth", "data-hit": String(hit) },
      `${state.box ? state.labels.truth_box : state.labels.truth} `, make("strong", {}, hit ? state.labels.truth_hit : state.labels.truth_miss),
      make("meter", { min: 0, max: 1, value: mass.toFixed(4), "aria-label": told }), make("span", { class: "small" }, told))];
  };

  const paint = () => {
    const overlay = document.querySelector("#lens-overlay");
    const word = state.caption?.words[state.word];
    if (!overlay) return;
    overlay.replaceChildren();
    document.querySelectorAll("#lens-root .word").forEach((button, i) =>
      button.setAttribute("aria-pressed", String(i === state.word)));
    const details = document.querySelector("#lens-details");
    details.replaceChildren();
    show_box();
    overlay.dataset.word = word ? word.text : "";
    if (!word) return;
    const { keys, grid } = state.caption;
    const { cells, nothing } = map_of(word, choice());
    overlay.append(...squares(cells, grid, full(cells)), ...level(cells, grid, 1 / keys));
    const touched = touched_by(word);
    if (touched && !state.box) {
      const inside = new Set(touched);
      overlay.append(svg("path", { d: contour((i) => inside.has(i), grid), class: "object" }));
    }
    explain_colors(cells);
    details.append(
      make("p", { class: "spoken" }, `${word.text} `, make("strong", {}, percent(word.probability))),
      ...truth(touched, cells),
      make("p", { class: "small" }, `${state.labels.instead}:`),
      make("ol", { class: "alternatives" }, ...word.alternatives.map(([text, share]) =>
        make("li", {}, make("span", { class: "bar", style: `width:${(100 * share).toFixed(1)}%` }), `${text} `,
          make("em", {}, percent(share))))),
      make("p", { class: "null" }, `${state.labels.null_mass}: `, make("strong", {}, percent(nothing))),
      make("p", { class: "entropy" }, `${state.labels.entropy}: `, make("strong", {}, percent(entropy(cells)))),
    );
    const heads = document.querySelector("#lens-heads");
    heads.style.setProperty("--heads", word.maps[0].length); // a row for each layer
    heads.replaceChildren(...["mean", ...head_ids()].map((id) => {
      const small = svg("svg", { viewBox: `0 0 ${state.caption.grid} ${state.caption.grid}`, "aria-hidden": "true" });
      const { cells: theirs } = map_of(word, id);
      small.append(...squares(theirs, grid, full(theirs)));
      return make("button", { type: "button", "aria-pressed": String(id === choice()), "data-head": id, onclick: () => pick_head(id) },
        make("span", { class: "stage" }, make("img", { src: state.picture, alt: "" }), small), head_name(id));
    }));
  };

  const pick_head = (id) => {
    state.choice = id;
    document.querySelector("#lens-head").value = id;
    paint();
    document.querySelector(`#lens-heads [data-head="${id}"]`)?.focus();
  };
  const pick = (i) => {
    state.word = i;
    state.chosen = { place: i, text: state.caption.words[i].text };
    paint();
    // For panels that say more of the word looked at.
    document.dispatchEvent(new CustomEvent("word", { detail: { index: i } }));
  };

  const show = (i) => { // a finger has no other way to ask for the map, which may lie below the window's edge
    pick(i);
    document.querySelector("#lens-stage").scrollIntoView({ block: "nearest" });
  };

  const head_choices = () => {
    const select = make("select", { id: "lens-head", onchange: (event) => { state.choice = event.target.value; paint(); } },
      ...["mean", ...head_ids()].map((id) => make("option", { value: id }, head_name(id))));
    if (![...select.options].some((option) => option.value === state.choice)) state.choice = null;
    select.value = choice();
    return make("label", { class: "small" }, `${state.labels.layer_head} `, select);
  };

  // What the colours of the map stand for.
  const explain_colors = (cells) => {
    const { keys } = state.caption;
    const top = full(cells);
    const uniform = Math.min(100 / keys / top, 100).toFixed(2);
    document.querySelector("#lens-legend").replaceChildren(
      make("span", { class: "small" }, `${state.labels.attention}: 0`),
      make("span", { class: "ramp", style: `background:linear-gradient(90deg,${VIRIDIS.join(",")})` },
        make("i", { style: `left:${uniform}%` })),
      make("span", { class: "small top" }, state.own ? `${percent(top)} (${state.labels.brightest})` : `≥ ${100 * FULL} %`),
      make("span", { class: "small key" }, `▏${state.labels.uniform} (${(100 / keys).toFixed(1)} %)`));
    document.querySelector("#lens-stage").dataset.scale = state.own ? "own" : "absolute";
    const told = document.querySelector("#lens-scale-told");
    told.textContent = state.own ? state.labels.own_scale_on : "";
    told.hidden = !state.own;
  };
  const scale_switch = () => {
    const box = make("input", { type: "checkbox", role: "switch", id: "lens-own-scale", onchange: () => { state.own = box.checked; paint(); } });
    box.checked = state.own;
    return make("label", { class: "small switch" }, box, ` ${state.labels.own_scale}`);
  };

  // A box around an object, of whole patches: dragged with the pointer, or set in the middle and moved with the keyboard.
  const set_box = (box) => { state.box = box; paint(); };
  const stage = (overlay, words) => {
    const box = make("div", { id: "lens-box", tabindex: "0", role: "application", "aria-label": state.labels.box_keys, onkeydown: move_box });
    const holder = make("div", { class: "stage", id: "lens-stage" },
      make("img", { src: state.picture, alt: words.map((word) => word.text).join(" "), draggable: "false" }), overlay, box);
    const { grid } = state.caption;
    const cell = (share) => Math.min(Math.max(Math.floor(share * grid), 0), grid - 1);
    const patch_at = (x, y) => {
      const area = holder.getBoundingClientRect();
      return [cell((x - area.left) / area.width), cell((y - area.top) / area.height)];
    };
    let start = null;
    holder.addEventListener("pointerdown", (event) => { start = event.button ? null : [event.clientX, event.clientY]; });
    holder.addEventListener("pointermove", (event) => {
      if (!start || Math.hypot(event.clientX - start[0], event.clientY - start[1]) < LEAST_DRAG) return;
      holder.setPointerCapture(event.pointerId);
      const [x, y] = patch_at(...start);
      const [column, row] = patch_at(event.clientX, event.clientY);
      set_box({ left: Math.min(x, column), right: Math.max(x, column), top: Math.min(y, row), bottom: Math.max(y, row) });
    });
    for (const end of ["pointerup", "pointercancel"]) holder.addEventListener(end, () => { start = null; });
    return holder;
  };
  const move_box = (event) => {
    if (event.key === "Delete" || event.key === "Escape") {
      event.preventDefault(); // Escape ends nothing else
      return toggle_box();
    }
    const [right, down] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
    if (!right && !down) return;
    event.preventDefault(); // the page does not scroll
    const { grid } = state.caption;
    const box = { ...state.box, right: state.box.right + right, bottom: state.box.bottom + down };
    if (!event.shiftKey) Object.assign(box, { left: box.left + right, top: box.top + down });
    if (box.left >= 0 && box.top >= 0 && box.left <= box.right && box.top <= box.bottom && box.right < grid && box.bottom < grid) set_box(box);
  };
  const toggle_box = () => {
    const middle = Math.floor(state.caption.grid / 2);
    set_box(state.box ? null : { left: middle - 3, right: middle + 2, top: middle - 3, bottom: middle + 2 });
    document.querySelector(state.box ? "#lens-box" : "#lens-boxing").focus();
  };
  const show_box = () => {
    const box = document.querySelector("#lens-box");
    box.hidden = !state.box;
    document.querySelector("#lens-stage").classList.toggle("boxed", Boolean(state.box));
    document.querySelector("#lens-boxing").textContent = state.box ? state.labels.box_remove : state.labels.box_draw;
    document.querySelector("#lens-box-told").textContent = state.box ? state.labels.box_keys : state.labels.box_hint;
    if (!state.box) return;
    const { left, top, right, bottom } = state.box;
    const share = (patches) => `${(100 * patches / state.caption.grid).toFixed(3)}%`;
    Object.assign(box.style, { left: share(left), top: share(top), width: share(right - left + 1), height: share(bottom - top + 1) });
  };

  // Where the chosen word stands now: the same word, nearest its old place, or else whatever is said there.
  const find_chosen = (words) => {
    const { place, text } = state.chosen;
    const same = words.flatMap((word, i) => (word.text === text ? [i] : []));
    same.sort((a, b) => Math.abs(a - place) - Math.abs(b - place));
    return same[0] ?? Math.max(Math.min(place, words.length - 1), 0);
  };

  const render = () => {
    const root = document.querySelector("#lens-root");
    if (!root) return;
    if (!state.caption) {
      root.replaceChildren(make("p", { class: "hint" }, state.labels.lens_hint || ""));
      return;
    }
    const holder = root.contains(document.activeElement) ? document.activeElement : null;
    const { words, language, grid } = state.caption;
    const row = make("p", { class: "words", lang: language }, ...words.map((word, i) =>
      make("button", {
        type: "button", class: `word${word.probability < state.caption.unsure ? " unsure" : ""}`, "data-index": i, "aria-pressed": "false",
        onpointerenter: () => pick(i), onfocus: () => state.giving_back || pick(i), onclick: () => show(i),
      }, make("span", { class: "text" }, word.text), make("span", { class: "chance" }, percent(word.probability)))));
    const overlay = svg("svg", { id: "lens-overlay", viewBox: `0 0 ${grid} ${grid}`, "aria-hidden": "true" });
    root.replaceChildren(row,
      make("div", { class: "view" },
        make("div", { class: "seen" }, stage(overlay, words),
          make("button", { type: "button", id: "lens-boxing", onclick: toggle_box }), make("p", { id: "lens-box-told", class: "small" })),
        make("div", { class: "side" }, head_choices(), make("div", { id: "lens-details", "aria-live": "polite" }))),
      make("div", { class: "legend" }, make("div", { id: "lens-legend" }), scale_switch(),
        make("p", { id: "lens-scale-told", class: "small", hidden: "" })),
      make("div", { id: "lens-heads", role: "group", "aria-label": state.labels.all_heads }));
    root.dataset.done = String(state.caption.done);
    state.word = find_chosen(words);
    paint();
    const place = holder?.matches(".word") ? `.word[data-index="${state.word}"]`
      : holder?.dataset.head ? `[data-head="${holder.dataset.head}"]` : holder?.id && `#${holder.id}`;
    state.giving_back = true; // what had the focus has it again, which is nobody's choice of a word
    if (place) root.querySelector(place)?.focus();
    state.giving_back = false;
  };

  const refresh = () => {
    const { caption: before, picture } = state;
    state.labels = read("lens-words") || state.labels;
    state.picture = read("picture-data") || state.picture;
    state.caption = read("caption-data");
    if (state.picture !== picture) state.box = null; // a box belongs to the picture that it was drawn on
    if (state.caption && before?.done && !state.caption.done) state.chosen = { place: 0, text: "" };
    render();
  };
  // What is shown, for panels that draw it again elsewhere.
  window.bridge.lens = () => ({
    chosen: [state.word, state.caption?.words[state.word]?.text ?? ""], head: state.caption ? choice() : "",
    caption: state.caption, picture: read("picture-data"),
  });
  follow(["picture-data", "caption-data", "lens-words"], refresh);
})();
