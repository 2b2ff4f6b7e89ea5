// Looks at or depends on: the person changes what the model sees; the server says what that does to each word.
(() => {
  "use strict";
  const { read, tell, follow, whenSeen, make, svg, percent, language } = window.bridge;
  const { squares, level } = window.maps;
  const untouched = () => ({ hidden: new Set(), off: new Set(), forced: {}, swap: ["", ""] });
  const state = {
    words: {}, data: null, changes: untouched(), word: 0,
    cursor: 0, // the patch that the keyboard is at
    asked: 0, // counts the questions
    measure: null, need: null, // the word whose need is asked for, and the last answer
    picture: "", said: "", // what the changes are of
  };

  const say = (key, values = {}) => Object.entries(values).reduce(
    (text, [name, value]) => text.replaceAll(`{${name}}`, value), state.words[language()]?.[`what_if_${key}`] ?? "");
  const name = (key) => state.words[language()]?.[key] ?? "";
  const points = (fall) => {
    const whole = Math.round(-100 * fall);
    return whole > 0 ? `+${whole}` : whole < 0 ? `−${-whole}` : "±0";
  };
  const part = (id) => document.getElementById(`what-if-${id}`);

  const ask = () => {
    const { hidden, off, forced, swap } = state.changes;
    state.asked += 1;
    part("root").dataset.asked = state.asked;
    tell("what-if-asked", JSON.stringify({
      hidden: [...hidden], off: [...off].map((head) => head.split(".").map(Number)), forced,
      swap: swap[0] && swap[1] ? swap : null, need: state.measure, at: state.asked,
    }));
  };
  const changed = () => { paint(); ask(); };
  const reset = () => { state.changes = untouched(); update(); ask(); };

  // Hiding patches, with the pointer or the keyboard.
  const hide = (patches, hidden = true) => {
    for (const patch of patches) hidden ? state.changes.hidden.add(patch) : state.changes.hidden.delete(patch);
    changed();
  };
  const every_patch = () => [...Array(state.data.grid ** 2).keys()];
  const brush = (holder) => {
    let hiding = null; // whether this stroke hides or shows
    const patch_at = (event) => {
      const { grid } = state.data;
      const area = holder.getBoundingClientRect();
      const cell = (share) => Math.min(Math.max(Math.floor(share * grid), 0), grid - 1);
      return cell((event.clientY - area.top) / area.height) * grid + cell((event.clientX - area.left) / area.width);
    };
    const sweep = (events) => {
      const patches = events.map(patch_at).filter((patch) => state.changes.hidden.has(patch) !== hiding);
      state.cursor = patch_at(events.at(-1));
      if (patches.length) hide(patches, hiding);
    };
    holder.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      holder.setPointerCapture(event.pointerId);
      hiding = !state.changes.hidden.has(patch_at(event));
      sweep([event]);
    });
    holder.addEventListener("pointermove", (event) => {
      if (hiding === null) return;
      const between = event.getCoalescedEvents?.() ?? [];
      sweep(between.length ? between : [event]);
    });
    for (const end of ["pointerup", "pointercancel"]) holder.addEventListener(end, () => { hiding = null; });
    holder.addEventListener("keydown", (event) => {
      const { grid } = state.data;
      const column = state.cursor % grid, row = Math.floor(state.cursor / grid);
      const to = {
        ArrowLeft: [Math.max(column - 1, 0), row], ArrowRight: [Math.min(column + 1, grid - 1), row],
        ArrowUp: [column, Math.max(row - 1, 0)], ArrowDown: [column, Math.min(row + 1, grid - 1)],
      }[event.key];
      if (!to && event.key !== " ") return;
      event.preventDefault(); // the page does not scroll
      if (!to) return hide([state.cursor], !state.changes.hidden.has(state.cursor));
      state.cursor = to[1] * grid + to[0];
      paint();
    });
  };

  // What stays while answers come and go, so that a stroke or an open list is not cut short.
  const button = (id, text, onclick) => make("button", { type: "button", id: `what-if-${id}`, onclick }, text);
  const build = () => {
    const { grid } = state.data;
    const stage = make("div", { id: "what-if-stage", tabindex: "0", role: "application", "aria-label": say("brush"), "aria-describedby": "what-if-count" },
      make("img", { alt: "", draggable: "false" }), svg("svg", { id: "what-if-overlay", viewBox: `0 0 ${grid} ${grid}`, "aria-hidden": "true" }));
    brush(stage);
    const word = () => state.data.before[state.word];
    document.getElementById("what-if-root").replaceChildren(
      make("p", { id: "what-if-who", class: "small" }),
      make("div", { class: "sides" },
        make("div", { class: "changes" }, stage,
          make("p", { class: "small", id: "what-if-count", "aria-live": "polite" }),
          make("div", { class: "buttons" },
            button("looked", "", () => { state.changes.hidden = new Set(word()?.looked_at); changed(); }),
            button("all", say("hide_all"), () => hide(every_patch())), button("none", say("show_all"), () => hide(every_patch(), false))),
          make("p", { class: "small" }, say("brush")), make("p", { class: "small" }, say("hidden_means")),
          make("fieldset", { id: "what-if-heads" }), make("div", { id: "what-if-colors" }),
          button("reset", say("reset"), reset)),
        make("div", { class: "effects" },
          make("div", { id: "what-if-captions", "aria-live": "polite" }), make("p", { id: "what-if-disagree", role: "status" }),
          make("table", { id: "what-if-rows" }),
          make("p", { class: "small" }, say("bars_mean")),
          button("measure", "", () => { state.measure = state.word; ask(); }), make("p", { id: "what-if-measured", role: "status" }))));
  };

  // The picture with what is hidden and where the word that is looked at looks now.
  const paint = () => {
    const { data, changes } = state;
    const { grid, keys, scale } = data;
    const now = data.now[state.word];
    const cells = now ? now.map.map((value) => value / scale) : null;
    const cell = (patch, kind) => svg("rect", { x: patch % grid, y: Math.floor(patch / grid), width: 1, height: 1, class: kind });
    part("overlay").replaceChildren(
      svg("defs", {}, svg("pattern", { id: "what-if-hatch", width: 0.5, height: 0.5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
        svg("rect", { width: 0.5, height: 0.5, fill: "#d8d8d8" }), svg("rect", { width: 0.25, height: 0.5, fill: "#4a4a4a" }))),
      ...(cells ? [...squares(cells, grid), ...level(cells, grid, 1 / keys)] : []),
      ...[...changes.hidden].map((patch) => cell(patch, "gone")), cell(state.cursor, "cursor"));
    part("count").textContent = [
      say("hidden", { count: changes.hidden.size, patches: grid ** 2 }), ...(now ? [say("map", { place: state.word + 1 })] : []),
    ].join(" · ");
    const word = data.before[state.word];
    part("looked").textContent = say("hide_looked", { word: word?.text ?? "" });
    part("measure").textContent = say("need", { word: word?.text ?? "" });
    part("looked").disabled = part("measure").disabled = !word;
    document.querySelectorAll("#what-if-rows .word").forEach((button) => button.setAttribute("aria-pressed", String(Number(button.dataset.index) === state.word)));
  };

  const head_switches = () => {
    const { layers, heads } = state.data;
    const { off } = state.changes;
    const toggle = (ids, on) => { for (const id of ids) on ? off.delete(id) : off.add(id); update(); ask(); };
    const box = (key, ids, text) => {
      const input = make("input", { type: "checkbox", "data-key": key, onchange: () => toggle(ids, input.checked) });
      input.checked = ids.every((id) => !off.has(id));
      return make("label", {}, input, ` ${text}`);
    };
    const ids = (layer) => [...Array(heads).keys()].map((head) => `${layer}.${head}`);
    part("heads").replaceChildren(make("legend", {}, say("heads")),
      ...[...Array(layers).keys()].map((layer) => make("div", { class: "layer" },
        box(`layer ${layer}`, ids(layer), say("layer", { layer: layer + 1 })),
        ...ids(layer).map((id, head) => box(id, [id], `${name("layer")} ${layer + 1} ${name("head")} ${head + 1}`)))),
      make("p", { class: "small" }, say("heads_mean")));
  };

  const color_choices = () => {
    const { colors } = state.data;
    const named = state.words[language()].colors;
    const { swap } = state.changes;
    const choose = (place, text, names) => {
      const select = make("select", { "data-key": `color ${place}`, onchange: () => { swap[place] = select.value; update(); ask(); } },
        make("option", { value: "" }, say("repaint_nothing")), ...names.map((each) => make("option", { value: each }, named[each])));
      select.value = swap[place];
      return make("label", {}, `${text} `, select);
    };
    part("colors").replaceChildren(...(colors.length
      ? [choose(0, say("repaint"), colors), choose(1, say("repaint_as"), Object.keys(named).filter((each) => each !== swap[0]))]
      : [make("p", { class: "small" }, say("no_colors"))]));
  };

  // Each word as it was said, how likely it was and is, and what is said in its place.
  const bars = (before, after) => {
    const bar = (kind, share) => make("div", { class: `bar ${kind}` },
      make("span", { class: "track" }, make("i", { style: `width:${(100 * share).toFixed(1)}%` })), make("b", {}, percent(share)), make("em", {}, say(kind)));
    return make("div", { class: "bars" }, bar("before", before), bar("after", after));
  };
  const force = (place) => {
    const { now } = state.data;
    const { forced } = state.changes;
    const token = now[place];
    if (!token) return "";
    const select = make("select", { "data-key": `force ${place}`, "aria-label": say("force", { place: place + 1 }), onchange: () => {
      if (select.value) forced[place] = select.value;
      else delete forced[place];
      ask();
    } });
    const [first, share] = token.alternatives[0] ?? ["", 0];
    select.append(make("option", { value: "" }, say("free", { word: first, chance: percent(share) })));
    const others = token.alternatives.slice(1).map(([text, chance]) => [text, `${text} ${percent(chance)}`]);
    if (forced[place] && !others.some(([text]) => text === forced[place])) others.push([forced[place], `${forced[place]} ${percent(token.probability)}`]);
    select.append(...others.map(([text, label]) => make("option", { value: text }, label)));
    select.value = forced[place] ?? "";
    return make("span", { class: "now" }, make("span", { class: "small narrow" }, `${say("says")}: `), make("strong", { lang: state.data.language }, token.text),
      ...(forced[place] ? [make("em", {}, say("forced"))] : []), select);
  };
  const rows = () => {
    const { before, now, language: lang } = state.data;
    const lines = [...Array(Math.max(before.length, now.length)).keys()].flatMap((place) => {
      const word = before[place];
      const other = word && now[place]?.text !== word.text;
      const line = make("tr", { class: other ? "other" : "", "data-place": place },
        make("th", { scope: "row" }, word ? make("button", { type: "button", class: "word", "data-index": place, "data-key": `word ${place}`, lang, onclick: () => { state.word = place; paint(); } }, word.text) : ""),
        make("td", {}, word ? bars(word.probability, word.after) : ""), make("td", {}, force(place)));
      if (!word?.verdict) return [line];
      const told = say(word.verdict, { looked: percent(word.looked), fall: points(word.fall) });
      return [line, make("tr", {}, make("td", { colspan: "3", class: `verdict ${word.verdict}` }, told))];
    });
    part("rows").replaceChildren(
      make("thead", {}, make("tr", {}, ...["column_word", "column_chance", "column_now"].map((key) => make("th", { scope: "col" }, say(key))))),
      make("tbody", {}, ...lines));
    const torn = before.filter(({ verdict }) => verdict === "unneeded" || verdict === "unseen").map(({ text }) => text);
    part("disagree").textContent = torn.length ? say("disagree", { words: torn.join(language() === "zh" ? "、" : ", ") }) : "";
  };
  const captions = () => {
    const { before, now, language: lang } = state.data;
    const line = (key, tokens, others) => make("p", { class: key },
      make("span", { class: "small" }, `${say(key)}: `),
      ...(tokens.length ? tokens.map(({ text }, i) => make(text === others[i]?.text ? "span" : "mark", { lang }, text)) : [say("nothing_said")]));
    part("captions").replaceChildren(line("said", before, before), line("says", now, before));
  };
  const measured = () => {
    const { need, data } = state;
    const text = need && data.before[need.word]?.text;
    part("measured").textContent = !text ? "" : !need.hidden ? say("need_none", { word: text }) : say("need_told", {
      word: text, hidden: need.hidden, before: percent(need.probability), after: percent(need.probability - need.attended),
      fall: points(need.attended), random: points(need.random), draws: need.draws, most: points(need.most),
    });
  };

  const update = () => {
    if (!part("root")) return;
    if (!state.data?.before) return part("root").replaceChildren(make("p", { class: "hint" }, say("empty")));
    if (!part("stage")) build();
    const key = document.activeElement?.closest?.("#what-if-root [data-key]")?.dataset.key;
    const { repainted, speaker, steps, before, at } = state.data;
    part("stage").firstChild.src = repainted ?? state.picture;
    part("who").textContent = steps ? name(`speaker_${speaker}`).replace("{steps}", steps.toLocaleString("en")).replace("{step}", steps) : name("speaker_untrained");
    state.word = Math.min(state.word, Math.max(before.length - 1, 0));
    head_switches();
    color_choices();
    rows();
    captions();
    measured();
    paint();
    if (key) part("root").querySelector(`[data-key="${key}"]`)?.focus();
    part("root").dataset.answered = at;
  };
  const take = () => {
    state.words = read("what-if-words") ?? state.words;
    const data = read("what-if-data");
    if (data && data.at !== state.data?.at && data.need) { state.need = data.need; state.measure = null; }
    state.data = data;
    update();
  };

  // Changes belong to the picture they were made on, forced words and what was measured to its caption, too.
  const change = whenSeen("what-if", ["caption-data"], () => {
    const caption = read("caption-data");
    if (!caption) { state.data = null; return update(); }
    if (!caption.done) return;
    const picture = read("picture-data");
    const said = JSON.stringify([caption.language, caption.words.map(({ text }) => text)]);
    if (picture !== state.picture) state.changes = untouched();
    if (picture !== state.picture || said !== state.said) {
      state.changes.forced = {};
      state.need = state.measure = null;
    }
    Object.assign(state, { picture, said });
    ask();
  });
  document.addEventListener("word", (event) => {
    state.word = event.detail.index;
    if (part("stage")) paint();
  });
  follow(["what-if-data", "what-if-words"], take);
  new MutationObserver(() => { part("root")?.replaceChildren(); update(); }).observe(document.documentElement, { attributes: true, attributeFilter: ["lang"] });
})();
