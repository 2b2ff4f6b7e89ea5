// Lessons: the menu in the header, and the tour: a card that tells the step, a frame around the control it speaks of,
// and an eye on the page that notices by itself when the step is done.
(() => {
  "use strict";
  const { read, tell, make, language, address } = window.bridge;
  const LOOK_EVERY = 150; // ms between looks at the page while a lesson is on
  const SETTLED = 2000; // ms after which the caption of a lesson's picture has come, or is the one already there
  const RIM = 5, ROOM = 14; // px from the control to the outer side of its frame, and to the card or the window's edge
  const state = { data: null, lesson: null, step: 0, done: false, since: null };

  const say = (key, values = {}) =>
    Object.entries(values).reduce((said, [name, value]) => said.replace(`{${name}}`, value), state.data.words[language()][key]);
  const current = () => state.lesson?.steps[state.step];
  const seen = (element) => element && element.getClientRects().length > 0;
  const control = () => [...document.querySelectorAll(current().target)].find(seen);
  // The control, or the part of the page that it is still to appear in.
  const target = () => control() ?? [document.querySelector(current().target.match(/^#[\w-]+/)[0])].find(seen);

  // What the page is like, as far as a step can wait for it.
  const caption_text = () => document.querySelector("#caption-data [data-json]")?.dataset.json ?? "";
  const picture_text = () => document.querySelector("#drawn textarea, #drawn input")?.value ?? "";
  const picture_from_server = () => document.querySelector("#canvas-data [data-json]")?.dataset.json ?? "";
  const run_of = () => document.querySelector("#status [data-run]")?.dataset;
  const watch_anew = () => {
    state.done = false;
    state.since = {
      picture: picture_text(), spoken: read("caption-data")?.language ?? language(), language: language(),
      asked: false, captioned: false, words: new Map(), head: false, click: false, input: false,
    };
  };
  const WATCHED = {
    caption: ({ says, lacks }) => {
      const caption = read("caption-data");
      if (!caption?.done) return false;
      const said = caption.words.map((word) => word.text).join(caption.language === "en" ? " " : "");
      if (says) return said.includes(says[caption.language]);
      if (lacks) return !said.includes(lacks[caption.language]);
      return state.since.captioned;
    },
    word: ({ text, count = 1 }) => {
      const pointed = [...state.since.words.values()];
      return text ? pointed.some(([word, spoken]) => word === text[spoken]) : pointed.length >= count;
    },
    run: ({ step, state: wanted }) => {
      const run = run_of();
      if (!run || run.run === state.before) return false; // an older one, from before the lesson
      return wanted ? run.state === wanted : Number(run.step) > step;
    },
    head: () => state.since.head,
    spoken: () => read("caption-data")?.done && read("caption-data").language !== state.since.spoken,
    language: () => language() !== state.since.language,
    drawn: () => picture_text() !== state.since.picture,
    tab: ({ tab }) => document.getElementById(`${tab}-button`)?.getAttribute("aria-selected") === "true",
    click: () => state.since.click,
    input: () => state.since.input,
  };
  const is_done = () => WATCHED[current().done.on](current().done);
  document.addEventListener("word", (event) => {
    if (!state.lesson) return;
    const caption = read("caption-data");
    const word = caption?.words[event.detail.index];
    if (word) state.since.words.set(event.detail.index, [word.text, caption.language]);
  });
  for (const kind of ["click", "input", "change"])
    document.addEventListener(kind, (event) => {
      if (!state.lesson || !event.target.closest) return;
      if (event.target.closest(kind === "click" ? "#lens-heads button" : "#lens-head")) state.since.head = true;
      if (kind === "click" && event.target.closest("#ask")) state.since.asked = true;
      if (event.target.closest(current().target)) state.since[kind === "click" ? "click" : "input"] = true;
    }, true);

  const watch_captions = () => new MutationObserver(() => { // one that somebody asked for, or drew for; the page may repeat itself
    if (state.since && (state.since.asked || picture_text() !== state.since.picture)) state.since.captioned = true;
  })
    .observe(document.getElementById("caption-data"), { childList: true, subtree: true, attributes: true });

  // The card, and the frame around the control.
  const card = () => document.getElementById("tour-root");
  const frame = () => document.getElementById("tour-frame") ?? document.body.appendChild(make("div", { id: "tour-frame", hidden: "", "aria-hidden": "true" }, make("b")));
  const stands_below = () => getComputedStyle(document.getElementById("tour")).position === "fixed"; // on a phone
  const free = () => { // the part of the window that the card leaves, from top to bottom
    const box = document.getElementById("tour-card").getBoundingClientRect();
    return stands_below() ? [0, box.top] : [box.height, innerHeight];
  };
  const bring_into_view = () => { // once a step, as soon as its control is there; some appear when their part is seen
    const wanted = target(), exactly = Boolean(control());
    if (!wanted || state.coming || state.brought >= 1 + exactly) return;
    state.brought = 1 + exactly;
    const [top, bottom] = free(), box = wanted.getBoundingClientRect();
    if (box.top - ROOM >= top && box.bottom + ROOM <= bottom) return;
    const by = Math.min((box.top + box.bottom - top - bottom) / 2, box.top - ROOM - top); // to the middle, its top in view
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (by) scrollBy({ top: by, behavior: still ? "auto" : "smooth" });
  };
  const put_frame = () => {
    const wanted = state.lesson && target();
    frame().hidden = !wanted;
    if (!wanted) return;
    const box = wanted.getBoundingClientRect();
    Object.assign(frame().style, {
      left: `${Math.max(box.left - RIM, 0)}px`, top: `${box.top - RIM}px`,
      width: `${Math.min(box.width + 2 * RIM, document.documentElement.clientWidth)}px`, height: `${box.height + 2 * RIM}px`,
    });
    frame().firstChild.textContent = state.step + 1;
  };
  const show_step = () => {
    if (!state.lesson) {
      card().replaceChildren();
      document.body.style.removeProperty("--tour-room");
      return void put_frame();
    }
    const { steps, title } = state.lesson, step = current(), last = state.step === steps.length - 1;
    const button = (id, words, press, attributes = {}) => make("button", { type: "button", id, onclick: press, ...attributes }, words);
    if (!document.getElementById("tour-card"))
      card().append(make("section", { id: "tour-card" },
        make("p", { id: "tour-count" }),
        make("div", { id: "tour-told", "aria-live": "polite" }, make("p", { id: "tour-text" }), make("p", { id: "tour-then" })),
        make("div", { id: "tour-buttons" })));
    const put = (id, ...children) => document.getElementById(id).replaceChildren(...children);
    const section = document.getElementById("tour-card");
    section.setAttribute("aria-label", `${say("lesson")}: ${title[language()]}`);
    section.dataset.step = state.step;
    section.dataset.done = state.coming ? "" : String(state.done); // while its picture comes, nothing can be done yet
    put("tour-count", make("b", {}, String(state.step + 1)), `${say("lesson_step", { number: state.step + 1, count: steps.length })} · ${title[language()]}`);
    put("tour-text", step.text[language()]);
    put("tour-then", ...(state.done ? [make("strong", {}, `✓ ${say("lesson_done")} `), step.then?.[language()] ?? ""] : []));
    const focused = document.activeElement?.closest?.("#tour-buttons")?.contains(document.activeElement) && document.activeElement.id;
    put("tour-buttons",
      button("tour-back", say("lesson_back"), () => go(state.step - 1), state.step ? {} : { disabled: "" }),
      button("tour-next", say(last ? "lesson_finish" : "lesson_next"), () => (last ? leave() : go(state.step + 1)), state.done ? { class: "ready" } : {}),
      button("tour-close", say("lesson_close"), leave));
    if (focused) document.getElementById(focused)?.focus();
    document.body.style.setProperty("--tour-room", stands_below() ? `${section.offsetHeight + ROOM}px` : "0px");
    put_frame();
  };
  // Which step brought the picture that is on the canvas; -1 for the lesson's own.
  const brought_by = (step) => state.lesson.steps.findLastIndex(({ picture }, i) => picture && i <= step);
  // The server puts the picture on the canvas and, anew, sets the training; or it says that there is no such lesson.
  const ask_for = (name, step, anew) => {
    state.coming = { began: performance.now(), put: null, picture: picture_from_server(), caption: caption_text() };
    tell("lesson-asked", JSON.stringify({ name, step, anew, language: language(), time: Date.now() }));
  };
  const go = (step) => {
    const before = state.step;
    state.step = Math.min(Math.max(step, 0), state.lesson.steps.length - 1);
    if (brought_by(state.step) !== brought_by(before)) ask_for(state.lesson.name, state.step, false);
    address({ step: state.step + 1 });
    state.brought = 0;
    watch_anew();
    show_step();
  };
  // The lesson's own picture and its caption, as they come in, are nobody's doing.
  const still_arriving = () => {
    const { coming } = state;
    if (!coming) return false;
    const now = performance.now();
    if (coming.put === null && picture_from_server() !== coming.picture) coming.put = now;
    const followed = coming.put !== null && (caption_text() !== coming.caption || now - coming.put > SETTLED);
    if (!followed && now - coming.began < 15 * SETTLED) return true;
    state.coming = null;
    watch_anew();
    show_step();
    return false;
  };
  const look = () => {
    if (!state.lesson) return;
    open_a_tab();
    put_frame();
    const waits = still_arriving();
    bring_into_view();
    if (waits || state.done || !is_done()) return;
    state.done = true;
    show_step();
  };

  // Only the lesson's panels are seen; the others stay where they are, hidden.
  const hide_other_panels = () => {
    const style = document.getElementById("lesson-panels") ?? document.head.appendChild(make("style", { id: "lesson-panels" }));
    if (!state.lesson) return void (style.textContent = "");
    const { panels } = state.lesson;
    const hidden = Object.entries(state.data.parts).flatMap(([name, place]) => (panels.includes(name) ? [] : [place]));
    const tabs = tabs_of(state.lesson);
    if (tabs.length) hidden.push(`#studio [role=tab]${tabs.map((name) => `:not(#${name}-button)`).join("")}`);
    else hidden.push("#studio");
    style.textContent = `${hidden.join(",")}{display:none!important}`;
  };
  const tabs_of = (lesson) => lesson.panels.filter((name) => name.startsWith("tab-"));
  const open_a_tab = () => { // one of the lesson's, once there are any: they come after the page
    const tabs = tabs_of(state.lesson);
    const open = document.querySelector("#studio [role=tab][aria-selected=true]")?.id.replace("-button", "");
    if (tabs.length && open && !tabs.includes(open)) document.getElementById(`${tabs[0]}-button`)?.click();
  };

  const end = () => state.lesson && document.dispatchEvent(new Event("lesson-end"));
  const enter = (name, step = 0) => {
    end();
    ask_for(name, Math.max(step, 0), true);
    state.step = step;
    state.lesson = state.data.lessons.find((lesson) => lesson.name === name) ?? null;
    if (!state.lesson) return void leave();
    document.body.dataset.lesson = name;
    address({ lesson: name });
    hide_other_panels();
    show_menu();
    go(step);
  };
  const leave = () => {
    end();
    state.lesson = null;
    delete document.body.dataset.lesson;
    address({ lesson: null, step: null });
    hide_other_panels();
    show_menu();
    show_step();
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && state.lesson && !event.defaultPrevented && !document.querySelector("dialog[open]")) leave();
  });

  const show_menu = () => {
    const select = make("select", { id: "lesson-menu", onchange: ({ target: { value } }) => {
      state.before = run_of()?.run; // only a run begun in the lesson counts in it
      if (value) enter(value);
      else leave();
    } },
      make("option", { value: "" }, say("lesson_none")),
      ...state.data.lessons.map(({ name, title }) => make("option", { value: name }, title[language()])));
    select.value = state.lesson?.name ?? "";
    const focused = document.activeElement?.id === "lesson-menu";
    let label = document.getElementById("lesson-label");
    if (!label) document.getElementById("tools-root").prepend((label = make("label", { id: "lesson-label" })));
    label.replaceChildren(`${say("lesson")} `, select);
    if (focused) select.focus();
  };

  // The lesson of the address, once captions are in the page's language: its first one is to be, too.
  const open_asked = (since) => {
    const asked = new URL(location.href).searchParams;
    if (!asked.get("lesson")) return;
    const spoken = document.querySelector("#spoken input:checked")?.value;
    if (spoken !== language() && performance.now() - since < 4 * SETTLED) return void setTimeout(() => open_asked(since), 50);
    enter(asked.get("lesson"), Number(asked.get("step") ?? 1) - 1 || 0);
  };
  const begin = () => {
    state.data = read("lessons-data");
    const ready = state.data && document.getElementById("caption-data") && document.getElementById("tools-root") && card() && document.querySelector("#editor[data-ready]") &&
      document.querySelector("#lesson-asked textarea, #lesson-asked input");
    if (!ready) return void setTimeout(begin, 50);
    show_menu();
    new MutationObserver(() => { show_menu(); show_step(); })
      .observe(document.documentElement, { attributes: true, attributeFilter: ["lang"] });
    watch_captions();
    setInterval(look, LOOK_EVERY);
    for (const moved of ["scroll", "resize"]) addEventListener(moved, () => state.lesson && put_frame(), { passive: true });
    open_asked(performance.now());
  };
  begin();
})();
