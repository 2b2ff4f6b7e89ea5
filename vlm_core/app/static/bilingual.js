// The bilingual lens: both captions, a line between words that speak of the same thing, their maps and the difference.
(() => {
  "use strict";
  const { read, tell, follow, make, svg, percent, whenSeen, language } = window.bridge;
  const { VIRIDIS, DIVERGING, FULL, signed, square, squares, level, ramp } = window.maps;
  const LANGUAGES = ["en", "zh"];
  const state = { data: null, words: {}, pair: 0 };

  const say = (key, values = {}) => Object.entries(values).reduce(
    (text, [name, value]) => text.replaceAll(`{${name}}`, value), state.words[language()]?.[key] ?? "");
  const name_of = (each) => say(each === "en" ? "english" : "chinese");
  const spelled = (pair, each) => {
    const { first, count } = pair[each];
    return state.data.captions[each].words.slice(first, first + count).join(each === "en" ? " " : "");
  };
  const both = (pair) => pair.en && pair.zh;

  // A caption as units: words that have a pair are buttons, with all their tokens in one; the rest is plain.
  const row_of = (each) => {
    const { captions, pairs } = state.data;
    const units = [];
    for (let i = 0; i < captions[each].words.length;) {
      const index = pairs.findIndex((pair) => pair[each]?.first === i);
      if (index < 0) units.push(make("span", { class: "plain" }, captions[each].words[i++]));
      else {
        units.push(make("button", {
          type: "button", class: `unit${both(pairs[index]) ? "" : " alone"}${both(pairs[index]) && !pairs[index].agree ? " differs" : ""}`,
          "data-pair": index, "data-language": each, "aria-pressed": "false",
          onpointerenter: () => pick(index), onfocus: () => pick(index), onclick: () => pick(index),
        }, spelled(pairs[index], each)));
        i += pairs[index][each].count;
      }
    }
    return make("p", { class: "row", lang: each }, ...units);
  };

  const stage = (name, label, ...drawn) => {
    const { grid } = state.data;
    return make("figure", { "data-map": name },
      svg("svg", { viewBox: `0 0 ${grid} ${grid}`, class: "stage", role: "img", "aria-label": label }, ...drawn),
      make("figcaption", {}, label));
  };
  const picture = (kind) => {
    const { grid, picture: href } = state.data;
    return svg("image", { href, width: grid, height: grid, class: kind });
  };
  const map_of = (pair, each) => {
    const { grid, keys, null_key } = state.data;
    const word = pair[each];
    const label = say(each === "en" ? "bilingual_english" : "bilingual_chinese", { word: word ? spelled(pair, each) : "" });
    if (!word) return make("figure", { "data-map": each }, make("p", {}, say("bilingual_alone", { language: name_of(each) })));
    const figure = stage(each, label, picture("below"), ...squares(word.map, grid), ...level(word.map, grid, 1 / keys));
    figure.append(make("p", {}, `${percent(word.probability)}`, ...(null_key ? [` · ${say("null_mass")}: ${percent(word.null)}`] : [])));
    return figure;
  };
  const difference_of = (pair) => {
    const { grid } = state.data;
    const cells = pair.en.map.map((value, i) => value - pair.zh.map[i]);
    const rects = cells.map((value, i) => {
      const rect = square(i, grid, signed(value, FULL));
      rect.dataset.difference = value.toFixed(5);
      return rect;
    });
    return stage("difference", say("bilingual_difference"), ...rects, picture("faint"));
  };
  const measured = (pair) => {
    const told = [make("p", { class: "like", "data-cosine": pair.like.cosine, "data-overlap": pair.like.overlap },
      say("bilingual_same", { overlap: percent(pair.like.overlap), cosine: pair.like.cosine.toFixed(2) }))];
    if (pair.other !== null) told.push(make("p", {}, say("bilingual_other", { cosine: pair.other.toFixed(2) })));
    if (pair.en.count > 1 || pair.zh.count > 1) told.push(make("p", {}, say("bilingual_first", {
      en: state.data.captions.en.words[pair.en.first], zh: state.data.captions.zh.words[pair.zh.first] })));
    return told;
  };

  const paint = () => {
    const root = document.querySelector("#bilingual-root");
    const view = root?.querySelector(".view");
    if (!view) return;
    const pair = state.data.pairs[state.pair];
    root.dataset.pair = pair ? LANGUAGES.map((each) => (pair[each] ? spelled(pair, each) : "")).join("=") : "";
    for (const button of root.querySelectorAll(".unit"))
      button.setAttribute("aria-pressed", String(Number(button.dataset.pair) === state.pair));
    if (!pair) return void view.replaceChildren(make("p", {}, say("bilingual_no_pairs")));
    view.replaceChildren(
      make("div", { class: "maps" }, ...LANGUAGES.map((each) => map_of(pair, each)), ...(both(pair) ? [difference_of(pair)] : [])),
      make("div", { class: "measured", "aria-live": "polite" }, ...(both(pair) ? measured(pair) : [])));
    join();
  };
  const pick = (index) => { if (index !== state.pair) { state.pair = index; paint(); } };

  // Lines between the two rows, from the middle of one word to the middle of its partner.
  const join = () => {
    const box = document.querySelector("#bilingual-root .captions");
    if (!box?.offsetParent) return;
    const home = box.getBoundingClientRect();
    const lines = state.data.pairs.flatMap((pair, i) => {
      const [above, below] = LANGUAGES.map((each) =>
        box.querySelector(`.unit[data-pair="${i}"][data-language="${each}"]`)?.getBoundingClientRect());
      if (!above || !below) return [];
      const at = (rect) => rect.left - home.left + rect.width / 2;
      return [svg("line", {
        x1: at(above), y1: above.bottom - home.top, x2: at(below), y2: below.top - home.top,
        class: `${i === state.pair ? "chosen" : ""}${pair.agree ? "" : " differs"}`,
      })];
    });
    box.querySelector(".lines").replaceChildren(...lines);
  };

  // Whether both say the same, in one sentence each.
  const verdicts = () => {
    const { captions, pairs, taught } = state.data;
    const list = (texts) => texts.join(language() === "zh" ? "、" : ", ");
    const said = LANGUAGES.filter((each) => !taught.includes(each)).map((each) => say("bilingual_untaught", { language: name_of(each) }));
    const broken = LANGUAGES.filter((each) => !captions[each].caption);
    if (broken.length) said.push(say("bilingual_broken", { language: list(broken.map(name_of)) }));
    const differing = pairs.filter((pair) => both(pair) && !pair.agree).map((pair) => `${spelled(pair, "en")} ≠ ${spelled(pair, "zh")}`);
    const lonely = pairs.filter((pair) => !both(pair)).map((pair) => spelled(pair, pair.en ? "en" : "zh"));
    if (differing.length) said.push(say("bilingual_differ", { words: list(differing) }));
    if (lonely.length) said.push(say("bilingual_elsewhere", { words: list(lonely) }));
    return said.length ? said : [say("bilingual_agree")];
  };
  const head_name = () => {
    const { head } = state.data;
    return head ? `${say("layer")} ${head[0] + 1} ${say("head")} ${head[1] + 1}` : say("mean");
  };

  const render = () => {
    const root = document.querySelector("#bilingual-root");
    if (!root) return;
    if (!state.data?.pairs) {
      root.replaceChildren(make("p", { class: "hint" }, say("bilingual_empty")));
      delete root.dataset.pair;
      return;
    }
    const held = document.activeElement?.closest?.("#bilingual-root .unit");
    const focused = held && `.unit[data-pair="${held.dataset.pair}"][data-language="${held.dataset.language}"]`;
    const { keys, speaker, steps, captions, pairs } = state.data;
    const who = steps ? say(`speaker_${speaker}`, { steps: steps.toLocaleString("en"), step: steps }) : say("speaker_untrained");
    const agree = verdicts().length === 1 && verdicts()[0] === say("bilingual_agree");
    root.replaceChildren(
      make("p", { class: "who" }, `${who} ${say("bilingual_maps", { head: head_name() })}`),
      make("div", { class: "captions" }, svg("svg", { class: "lines", "aria-hidden": "true" }), ...LANGUAGES.map(row_of)),
      make("div", { class: "verdict", "data-agree": String(agree) }, ...verdicts().map((text) => make("p", {}, text))),
      make("p", { class: "hint" }, say("bilingual_hint")),
      make("div", { class: "view" }),
      make("div", { class: "legends" },
        make("div", {}, `${say("attention")}: `, ramp(VIRIDIS, "0", `≥ ${100 * FULL} %`, 1 / keys / FULL),
          ` ▏${say("uniform")} (${(100 / keys).toFixed(1)} %)`),
        make("div", {}, `${say("bilingual_difference")}: `, ramp(DIVERGING, `≤ −${100 * FULL} %`, `≥ +${100 * FULL} %`), ` ${say("bilingual_more")}`)));
    root.dataset.captions = LANGUAGES.map((each) => captions[each].words.join(each === "en" ? " " : "")).join("=");
    state.pair = Math.min(state.pair, Math.max(pairs.length - 1, 0));
    new ResizeObserver(join).observe(root.querySelector(".captions"));
    paint();
    if (focused) root.querySelector(focused)?.focus();
  };

  const take = () => {
    const before = state.data?.pairs ? JSON.stringify(state.data.captions) : "";
    state.words = read("bilingual-words") ?? state.words;
    state.data = read("bilingual-data");
    if (state.data?.pairs && JSON.stringify(state.data.captions) !== before) {
      const first = state.data.pairs.findIndex(both);
      state.pair = Math.max(first, 0);
    }
    render();
  };
  whenSeen("bilingual", ["caption-data"], () => {
    if (read("caption-data")?.done !== false) tell("bilingual-asked", String(Date.now()));
  });
  // The word looked at above is looked at here too.
  document.addEventListener("word", (event) => {
    const each = read("caption-data")?.language;
    const index = state.data?.pairs?.findIndex((pair) =>
      pair[each] && pair[each].first <= event.detail.index && event.detail.index < pair[each].first + pair[each].count) ?? -1;
    if (index >= 0) pick(index);
  });
  follow(["bilingual-data", "bilingual-words"], take);
  new MutationObserver(render).observe(document.documentElement, { attributes: true, attributeFilter: ["lang"] });
})();
