// The word lens: draws what the server sent of a caption. Pointing at a word paints its map without asking anyone.
(() => {
  "use strict";
  // Viridis, nine stops: even in lightness and readable with any colour vision.
  const VIRIDIS = ["#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725"];
  const FULL = 0.25; // attention on one patch that takes the last colour; absolute, the same for every word
  const state = { picture: "", caption: null, labels: {}, word: 0, choice: null }; // choice: null until somebody picks a head

  const read = (id) => {
    const holder = document.querySelector(`#${id} [data-json]`);
    return holder ? JSON.parse(holder.dataset.json) : null;
  };
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  };
  const svg = (tag, attributes = {}) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  const percent = (share) => (share >= 0.995 ? "100 %" : `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`);

  const color = (value) => {
    const place = Math.min(value / FULL, 1) * (VIRIDIS.length - 1);
    return VIRIDIS[Math.round(place)];
  };

  // The map and null mass of a word for the chosen head, or the mean of all; both absolute shares.
  const chosen = (word) => {
    const { steps } = state.caption;
    const heads = word.maps.flatMap((layer, l) => layer_heads(word, l));
    const choice = state.choice ?? state.caption.head;
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
    const { grid, keys } = state.caption;
    const { cells, nothing } = chosen(word);
    const uniform = 1 / keys;
    cells.forEach((value, i) => {
      const [row, column] = [Math.floor(i / grid), i % grid];
      overlay.append(svg("rect", {
        x: column, y: row, width: 1, height: 1, fill: color(value),
        "fill-opacity": Math.min(0.9, 3.2 * value / FULL).toFixed(3), "data-attention": value.toFixed(5),
      }));
    });
    // The uniform level as a contour: a line between patches above it and patches not.
    let path = "";
    const above = (row, column) =>
      row >= 0 && column >= 0 && row < grid && column < grid && cells[row * grid + column] > uniform;
    for (let row = 0; row <= grid; row++)
      for (let column = 0; column <= grid; column++) {
        if (above(row, column) !== above(row - 1, column)) path += `M${column} ${row}h1`;
        if (above(row, column) !== above(row, column - 1)) path += `M${column} ${row}v1`;
      }
    overlay.append(svg("path", { d: path, class: "contour under" }), svg("path", { d: path, class: "contour" }));
    details.append(
      make("p", { class: "spoken" }, `${word.text} `, make("strong", {}, percent(word.probability))),
      make("p", { class: "small" }, `${state.labels.instead}:`),
      make("ol", { class: "alternatives" }, ...word.alternatives.map(([text, share]) =>
        make("li", {}, make("span", { class: "bar", style: `width:${(100 * share).toFixed(1)}%` }), `${text} `,
          make("em", {}, percent(share))))),
      make("p", { class: "null" }, `${state.labels.null_mass}: `, make("strong", {}, percent(nothing))),
    );
  };

  const pick = (i) => { state.word = i; paint(); };

  const head_choices = () => {
    const word = state.caption.words[0];
    const ids = word ? word.maps.flatMap((_, l) => layer_heads(word, l).map((head) => head.id)) : [];
    const name = (id) => {
      const [l, h] = id.split(".").map((part) => Number(part) + 1);
      return `${state.labels.layer} ${l} ${state.labels.head} ${h}`;
    };
    const select = make("select", { id: "lens-head", onchange: (event) => { state.choice = event.target.value; paint(); } },
      make("option", { value: "mean" }, state.labels.mean),
      ...ids.map((id) => make("option", { value: id }, name(id))));
    if (![...select.options].some((option) => option.value === state.choice)) state.choice = null;
    select.value = state.choice ?? state.caption.head;
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
      legend());
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
  const watch = () => {
    const sources = ["picture-data", "caption-data", "lens-words"].map((id) => document.getElementById(id));
    if (sources.some((source) => !source)) return void setTimeout(watch, 50);
    let asked = false;
    const soon = () => {
      if (asked) return;
      asked = true;
      requestAnimationFrame(() => { asked = false; refresh(); });
    };
    const observer = new MutationObserver(soon);
    for (const source of sources) observer.observe(source, { childList: true, subtree: true, attributes: true });
    refresh();
  };
  watch();
})();
