// The word lens: draws what the server sent of a caption. Pointing at a word paints its map without asking anyone.
(() => {
  "use strict";
  const { read, follow, make, svg, percent } = window.bridge;
  const { VIRIDIS, FULL, squares, contour, level } = window.maps;
  const state = { picture: "", caption: null, labels: {}, word: 0, choice: null }; // choice: null until somebody picks a head

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
  // Where what the word speaks of is known: did the map point at it, and how much of it lies there?
  const truth = (word, cells) => {
    if (!word.touched) return [];
    const total = cells.reduce((sum, value) => sum + value, 0) || 1;
    const mass = word.touched.reduce((sum, i) => sum + cells[i], 0) / total;
    const top = Math.max(...cells);
    const peaks = cells.flatMap((value, i) => (value >= top * (1 - 1e-5) ? [i] : []));
    const hit = peaks.length === 1 && word.touched.includes(peaks[0]); // a tie points nowhere
    const told = state.labels.truth_mass.replace("{mass}", percent(mass)).replace("{chance}", percent(word.touched.length / cells.length));
    return [make("p", { class: "truth", "data-hit": String(hit) },
      `${state.labels.truth} `, make("strong", {}, hit ? state.labels.truth_hit : state.labels.truth_miss),
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
    overlay.dataset.word = word ? word.text : "";
    if (!word) return;
    const { keys, grid } = state.caption;
    const { cells, nothing } = map_of(word, choice());
    overlay.append(...squares(cells, grid), ...level(cells, grid, 1 / keys));
    if (word.touched) {
      const touched = new Set(word.touched);
      overlay.append(svg("path", { d: contour((i) => touched.has(i), grid), class: "object" }));
    }
    details.append(
      make("p", { class: "spoken" }, `${word.text} `, make("strong", {}, percent(word.probability))),
      ...truth(word, cells),
      make("p", { class: "small" }, `${state.labels.instead}:`),
      make("ol", { class: "alternatives" }, ...word.alternatives.map(([text, share]) =>
        make("li", {}, make("span", { class: "bar", style: `width:${(100 * share).toFixed(1)}%` }), `${text} `,
          make("em", {}, percent(share))))),
      make("p", { class: "null" }, `${state.labels.null_mass}: `, make("strong", {}, percent(nothing))),
      make("p", { class: "entropy" }, `${state.labels.entropy}: `, make("strong", {}, percent(entropy(cells)))),
    );
    const heads = document.querySelector("#lens-heads");
    heads.replaceChildren(...["mean", ...head_ids()].map((id) => {
      const small = svg("svg", { viewBox: `0 0 ${state.caption.grid} ${state.caption.grid}`, "aria-hidden": "true" });
      small.append(...squares(map_of(word, id).cells, grid));
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
    paint();
    // For panels that say more of the word looked at.
    document.dispatchEvent(new CustomEvent("word", { detail: { index: i } }));
  };

  const head_choices = () => {
    const select = make("select", { id: "lens-head", onchange: (event) => { state.choice = event.target.value; paint(); } },
      ...["mean", ...head_ids()].map((id) => make("option", { value: id }, head_name(id))));
    if (![...select.options].some((option) => option.value === state.choice)) state.choice = null;
    select.value = choice();
    return make("label", { class: "small" }, `${state.labels.layer_head} `, select);
  };

  const legend = () => {
    const { keys } = state.caption;
    const uniform = (100 / keys / FULL).toFixed(2);
    return make("div", { class: "legend" },
      make("span", { class: "small" }, `${state.labels.attention}: 0`),
      make("span", { class: "ramp", style: `background:linear-gradient(90deg,${VIRIDIS.join(",")})` },
        make("i", { style: `left:${uniform}%` })),
      make("span", { class: "small" }, `≥ ${100 * FULL} %`),
      make("span", { class: "small key" }, `▏${state.labels.uniform} (${(100 / keys).toFixed(1)} %)`));
  };

  const render = () => {
    const root = document.querySelector("#lens-root");
    if (!root) return;
    if (!state.caption) {
      root.replaceChildren(make("p", { class: "hint" }, state.labels.lens_hint || ""));
      return;
    }
    const focused = document.activeElement?.closest?.("#lens-root .word")?.dataset.index;
    const { words, language, grid } = state.caption;
    const row = make("p", { class: "words", lang: language }, ...words.map((word, i) =>
      make("button", {
        type: "button", class: `word${word.probability < state.caption.unsure ? " unsure" : ""}`, "data-index": i, "aria-pressed": "false",
        onpointerenter: () => pick(i), onfocus: () => pick(i), onclick: () => pick(i),
      }, make("span", { class: "text" }, word.text), make("span", { class: "chance" }, percent(word.probability)))));
    const overlay = svg("svg", { id: "lens-overlay", viewBox: `0 0 ${grid} ${grid}`, "aria-hidden": "true" });
    root.replaceChildren(row,
      make("div", { class: "view" },
        make("div", { class: "stage" }, make("img", { src: state.picture, alt: words.map((word) => word.text).join(" ") }), overlay),
        make("div", { class: "side" }, head_choices(), make("div", { id: "lens-details", "aria-live": "polite" }))),
      legend(),
      make("div", { id: "lens-heads", role: "group", "aria-label": state.labels.all_heads }));
    root.dataset.done = String(state.caption.done);
    state.word = Math.min(state.word, Math.max(words.length - 1, 0));
    paint();
    if (focused !== undefined) root.querySelector(`.word[data-index="${focused}"]`)?.focus();
  };

  const refresh = () => {
    const before = state.caption;
    state.labels = read("lens-words") || state.labels;
    state.picture = read("picture-data") || state.picture;
    state.caption = read("caption-data");
    if (state.caption && before?.done && !state.caption.done) state.word = 0;
    render();
  };
  follow(["picture-data", "caption-data", "lens-words"], refresh);
})();
