// See the machine: draws the boxes that the server fills, and the arrows between them, for the word and patch looked at.
(() => {
  "use strict";
  const { read, tell, make, svg, percent, whenSeen, language } = window.bridge;
  const { VIRIDIS, DIVERGING, FULL, signed, square, squares, level, contour, ramp } = window.maps;
  const WIDE = 1000; // px of the diagram from which its two lanes run from left to right
  const GUTTER = 26; // px left of the boxes when they stand below each other
  const PICTURE = ["pixels", "patches", "glances", "embeddings", "positions", "encoder", "image_tokens"];
  const TEXT = ["text_tokens", "causal", "scores", "cross", "context", "feed_forward", "logits"];
  const state = { data: null, words: {}, word: 0, patch: null, heads: {}, open: "" }; // patch: null until somebody picks one

  const ask = () => tell("machine-asked", JSON.stringify({ word: state.word, patch: state.patch, at: Date.now() }));
  const say = (key, values = {}) => Object.entries(values).reduce(
    (text, [name, value]) => text.replaceAll(`{${name}}`, value), state.words[language()]?.[key] ?? "");
  const number = (value) => value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2).replace("-", "−");
  const shape = (sides) => `(${sides.join(", ")})`;
  const picked = (box) => {
    const head = state.heads[box.stage];
    return box.views[head] ?? box.views[head?.split(".")[0]] ?? Object.values(box.views)[0];
  };

  // Pictures of a tensor. Each states its scale.
  const canvas = (columns, rows, kind, label, ...children) =>
    svg("svg", { viewBox: `0 0 ${columns} ${rows}`, class: `tensor ${kind}`, role: "img", "aria-label": label }, ...children);
  const on_grid = (children, label, below = false) => {
    const { grid, picture, patch } = state.data;
    const mark = contour((i) => i === patch, grid);
    const image = below ? [svg("image", { href: picture, width: grid, height: grid })] : [];
    const drawing = canvas(grid, grid, "on-grid", label, ...image, ...children,
      svg("path", { d: mark, class: "patch under" }), svg("path", { d: mark, class: "patch" }));
    drawing.addEventListener("click", (event) => {
      const box = drawing.getBoundingClientRect();
      const at = (share) => Math.max(0, Math.min(grid - 1, Math.floor(share * grid)));
      pick_patch(at((event.clientY - box.top) / box.height) * grid + at((event.clientX - box.left) / box.width));
    });
    return drawing;
  };
  const even = () => 1 / state.data.keys;
  const limit_of = (cells) => Math.max(...cells.map(Math.abs));
  const spread = (cells) => {
    const limit = limit_of(cells);
    return ramp(DIVERGING, `−${number(limit)}`, number(limit));
  };
  const null_share = (text) => make("p", {}, `${say("machine_null")}: `, make("strong", {}, text));
  const DRAW = {
    picture: () => [on_grid([], say("box_pixels"), true), ramp(["#000", "#fff"], "0", "1")],
    patches: () => {
      const { grid } = state.data;
      let lines = "";
      for (let i = 0; i <= grid; i++) lines += `M${i} 0v${grid}M0 ${i}h${grid}`;
      return [on_grid([svg("path", { d: lines, class: "cuts" })], say("box_patches"), true)];
    },
    patch: () => {
      const { grid, size, picture, patch } = state.data;
      const image = svg("image", { href: picture, x: -(patch % grid), y: -Math.floor(patch / grid), width: grid, height: grid });
      return [canvas(1, 1, "close", say("machine_about", where(patch)), image),
        make("p", {}, say("machine_about", where(patch)), ` (${size} × ${size})`)];
    },
    glances: ({ cells, squares: shown }) => [
      make("div", { class: "row" }, ...shown.map((values, i) => {
        const side = Math.sqrt(values.length);
        const label = say("machine_pixels_wide", { pixels: side * cells[i] });
        return make("figure", {}, canvas(side, side, "glance", label, ...values.map((value, j) =>
          square(j, side, `rgb(${Math.round(255 * value)} ${Math.round(255 * value)} ${Math.round(255 * value)})`))),
          make("figcaption", {}, `${side * cells[i]} px`));
      })), ramp(["#000", "#fff"], "0", "1")],
    strip: ({ cells, columns, label }) => {
      const limit = limit_of(cells);
      return [canvas(columns, Math.ceil(cells.length / columns), "strip", say(label),
        ...cells.map((value, i) => square(i, columns, signed(value, limit)))), make("p", { class: "label" }, say(label)), spread(cells)];
    },
    alike: ({ cells }) => [
      on_grid(cells.map((value, i) => square(i, state.data.grid, signed(value, 1))), say("machine_alike")),
      make("p", {}, say("machine_alike")), ramp(DIVERGING, "−1", "1")],
    map: ({ cells, null: nothing }) => {
      const { grid } = state.data;
      return [on_grid([...squares(cells, grid), ...level(cells, grid, even())], say("box_cross"), true),
        ramp(VIRIDIS, "0", `≥ ${100 * FULL} %`, even() / FULL),
        ...(nothing == null ? [] : [null_share(percent(nothing))])];
    },
    scores: ({ cells, null: nothing }) => {
      const limit = limit_of(nothing === null ? cells : [...cells, nothing]);
      return [on_grid(cells.map((value, i) => square(i, state.data.grid, signed(value, limit))), say("box_scores")),
        ramp(DIVERGING, `−${number(limit)}`, number(limit)),
        ...(nothing === null ? [] : [null_share(number(nothing))])];
    },
    tokens: ({ items }) => [make("ol", { class: "tokens" }, ...items.map(([text, id]) =>
      make("li", {}, make("span", { lang: state.data.language }, text), make("small", {}, String(id)))))],
    shares: ({ items }) => [bars(items.map(([text, share]) => [text, share, percent(share)]))],
    choices: ({ items }) => [bars(items.map(([text, logit, share]) => [text, share, percent(share), number(logit)]))],
  };
  // Bars from 0 to 100 %, each with its number; a logit before it where there is one. A closed box has room for five.
  const bars = (rows) => make("ol", { class: "bars" }, ...rows.map(([text, share, said, logit], i) =>
    make("li", { class: rows.filter((other, j) => other[1] > share || (other[1] === share && j < i)).length < 5 ? "" : "minor" }, make("i", { style: `width:${(100 * share).toFixed(1)}%` }), make("span", { lang: state.data.language }, text),
      make("em", {}, ...(logit === undefined ? [] : [make("small", {}, `${logit} → `)]), said))));

  const where = (patch) => ({ row: Math.floor(patch / state.data.grid) + 1, column: patch % state.data.grid + 1 });
  const wanted = () => state.patch ?? state.data.patch; // what was asked for may not have come yet
  const pick_patch = (patch) => { state.patch = patch; ask(); };

  // A box: its title opens and closes what there is to know.
  const box_of = (box) => {
    const [first] = picked(box).pictures;
    const lane = PICTURE.includes(box.name) ? 1 : 2;
    const boxes = state.data.boxes.filter(({ name }) => (lane === 1 ? PICTURE : TEXT).includes(name));
    const open = state.open === box.name;
    const title = make("button", {
      type: "button", id: `machine-box-${box.name}`, "aria-expanded": String(open), "aria-controls": "machine-details", title: say("machine_open"),
      onclick: () => { state.open = open ? "" : box.name; render(); focus_on(box.name); },
    }, say(`box_${box.name}`));
    return make("section", {
      class: "box", "data-box": box.name, "data-open": String(open),
      style: `--lane:${lane};--column:${boxes.indexOf(box) + (lane === 1 ? 8 - boxes.length : 1)}`,
    }, make("h3", {}, title), make("div", { class: "drawing" }, ...DRAW[first.kind](first)),
      make("p", { class: "shape" }, shape(picked(box).shape)));
  };
  const focus_on = (name) => document.querySelector(`#machine-root [data-box="${name}"] button`)?.focus();

  const details_of = (box) => {
    const view = picked(box);
    const [min, mean, max, norm] = view.numbers.map(number);
    const heads = Object.entries(box.views);
    const figure = (picture, ...caption) => make("figure", {}, ...caption, ...DRAW[picture.kind](picture));
    const each_head = heads.map(([id, { pictures }]) => figure(pictures[0], make("figcaption", {}, head_name(id))));
    const figures = heads.length < 2 ? view.pictures.map((picture) => figure(picture))
      : [...each_head, ...view.pictures.slice(1).map((picture) => figure(picture, make("figcaption", {}, head_name(state.heads[box.stage]))))];
    return make("div", { id: "machine-details", role: "region", "aria-label": say(`box_${box.name}`), style: `--lane:${PICTURE.includes(box.name) ? 1 : 2}` },
      make("p", { class: "tell" }, say(`tell_${box.name}`)),
      make("p", { class: "figures" }, `${say("machine_shape")} `, make("strong", {}, shape(view.shape)), " · ",
        say("machine_numbers", { min, mean, max, norm })),
      make("p", { class: "figures" }, `${say("machine_first")} ${view.values.map(number).join(", ")} …`),
      make("div", { class: "row" }, ...figures),
      ...box.code.map(({ file, line, code }) => make("figure", { class: "code" },
        make("figcaption", {}, `${file}:${line}`), make("pre", { tabindex: "0" }, make("code", {}, code)))));
  };
  const head_name = (id) => {
    const [layer, head] = id.split(".");
    const named = `${say("layer")} ${Number(layer) + 1}`;
    return head === undefined ? named : `${named} ${say("head")} ${Number(head) + 1}`;
  };

  // Arrows, as wide as the page allows: along a lane, and from the picture's lane to where words meet it.
  const lines_between = () => {
    const names = (lane) => lane.filter((name) => state.data.boxes.some((box) => box.name === name));
    const along = [names(PICTURE), names(TEXT)].flatMap((lane) => lane.slice(1).map((name, i) => [lane[i], name, ""]));
    return [...along, ["image_tokens", "scores", say("machine_keys")], ["image_tokens", "context", say("machine_values")]];
  };
  const connect = () => {
    const diagram = document.querySelector("#machine-root .diagram");
    if (!diagram?.offsetParent) return;
    diagram.dataset.wide = String(diagram.clientWidth >= WIDE);
    const home = diagram.getBoundingClientRect();
    const place = (name) => {
      const box = diagram.querySelector(`[data-box="${name}"]`).getBoundingClientRect();
      const [left, top] = [box.left - home.left, box.top - home.top];
      return { left, top, right: left + box.width, bottom: top + box.height, x: left + box.width / 2, y: top + box.height / 2 };
    };
    const wide = diagram.dataset.wide === "true";
    const drawn = lines_between().flatMap(([from, to, text], i) => {
      const [a, b] = [place(from), place(to)];
      if (text && wide) {
        const above = b.top - 22;
        return [arrow(`M${a.x} ${a.bottom}V${above}H${b.x}V${b.top - 3}`), svg("text", { x: b.x + 8, y: b.top - 6 }, text)];
      }
      if (text) {
        const [x, down] = [text === say("machine_keys") ? 16 : 6, b.top + 14];
        return [arrow(`M${a.left} ${a.bottom - 14}H${x}V${down}H${b.left - 3}`)];
      }
      if (wide) return [arrow(`M${a.right} ${a.top + 20}H${b.left - 3}`)];
      return from === "image_tokens" ? [] : [arrow(`M${a.x} ${a.bottom}V${b.top - 3}`)];
    });
    diagram.querySelector(".arrows").replaceChildren(tip(), ...drawn);
  };
  const arrow = (d) => svg("path", { d, class: "arrow", "marker-end": "url(#machine-tip)" });
  const tip = () => svg("marker", {
    id: "machine-tip", viewBox: "0 0 10 10", refX: 9, refY: 5, markerWidth: 7, markerHeight: 7, orient: "auto-start-reverse",
  }, svg("path", { d: "M0 0L10 5L0 10z", class: "tip" }));

  // Which word, patch and heads: by keyboard as well as by pointing.
  const choice = (label, id, options, value, change) => make("label", {}, `${label} `,
    make("select", { id, onchange: (event) => change(event.target.value) },
      ...options.map(([each, text]) => make("option", { value: each, ...(String(each) === String(value) ? { selected: "" } : {}) }, text))));
  const choices = () => {
    const { caption, word, patch, grid, layers, heads } = state.data;
    const along = [...Array(grid).keys()].map((i) => [i, String(i + 1)]);
    const of_stage = (stage) => [...Array(layers[stage]).keys()].flatMap((layer) =>
      [...Array(heads).keys()].map((head) => [`${layer}.${head}`, head_name(`${layer}.${head}`)]));
    const pick_head = (stage) => (id) => { state.heads[stage] = id; render(); document.getElementById(`machine-${stage}`)?.focus(); };
    return make("div", { class: "choices" },
      choice(say("machine_word"), "machine-word", caption.map((text, i) => [i, `${i + 1} ${text}`]), word, (i) => { state.word = Number(i); ask(); }),
      choice(say("machine_row"), "machine-row", along, Math.floor(patch / grid), (row) => pick_patch(Number(row) * grid + wanted() % grid)),
      choice(say("machine_column"), "machine-column", along, patch % grid, (column) => pick_patch(wanted() - wanted() % grid + Number(column))),
      choice(say("machine_encoder_head"), "machine-encoder", of_stage("encoder"), state.heads.encoder, pick_head("encoder")),
      choice(say("machine_decoder_head"), "machine-decoder", of_stage("decoder"), state.heads.decoder, pick_head("decoder")));
  };
  const lane_title = (lane, key) => make("p", { class: "lane", style: `--lane:${lane}` }, say(key));

  const render = () => {
    const root = document.querySelector("#machine-root");
    if (!root) return;
    if (!state.data?.boxes) {
      root.replaceChildren(make("p", { class: "hint" }, say("machine_empty")));
      return;
    }
    const focused = root.contains(document.activeElement) && document.activeElement.id;
    const { boxes, speaker, steps, said, word } = state.data;
    const who = steps ? say(`speaker_${speaker}`, { steps: steps.toLocaleString("en"), step: steps }) : say("speaker_untrained");
    const drawn = boxes.flatMap((box) => (state.open === box.name ? [box_of(box), details_of(box)] : [box_of(box)]));
    const begins = drawn.findIndex((element) => element.dataset.box === "text_tokens");
    drawn.splice(begins, 0, lane_title(2, "machine_lane_text"));
    root.replaceChildren(
      make("p", { class: "who" }, `${who} ${say("machine_said", { place: word + 1 })} `, make("strong", { lang: state.data.language }, said)),
      choices(), make("p", { class: "hint" }, say("machine_pick", { even: percent(even()) })),
      make("div", { class: "diagram", style: `--gutter:${GUTTER}px` },
        svg("svg", { class: "arrows", "aria-hidden": "true" }), lane_title(1, "machine_lane_picture"), ...drawn));
    root.dataset.word = said;
    root.dataset.patch = state.data.patch;
    new ResizeObserver(connect).observe(root.querySelector(".diagram"));
    connect();
    if (focused) document.getElementById(focused)?.focus();
  };

  const take = () => {
    state.words = read("machine-words") ?? state.words;
    const data = read("machine-data");
    const other = data?.boxes && (state.data?.layers?.decoder !== data.layers.decoder || state.data?.heads !== data.heads || state.data?.head !== data.head);
    state.data = data;
    if (data?.boxes) {
      state.word = data.word;
      if (other) state.heads = { encoder: "0.0", decoder: data.head };
    }
    render();
  };
  const change = whenSeen("machine", ["caption-data"], () => { if (read("caption-data")?.done !== false) ask(); });
  document.addEventListener("word", (event) => {
    if (state.word === event.detail.index) return;
    state.word = event.detail.index;
    change();
  });
  window.bridge.follow(["machine-data", "machine-words"], take);
  new MutationObserver(render).observe(document.documentElement, { attributes: true, attributeFilter: ["lang"] });
})();
