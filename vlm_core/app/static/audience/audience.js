// The phone's side of a room: shows the question, sends the patch that is tapped, and asks now and then what is new.
(() => {
  "use strict";
  const GRID = 14;
  const EVERY = 2000; // ms at least from one question to the server to the next, a little more by lot: phones do not ask in step
  const PATIENCE = 40000; // ms until a question that the server leaves unanswered for as long as nothing is new counts as lost
  const WORDS = JSON.parse(document.getElementById("words").textContent);
  const HERE = location.pathname.replace(/\/+$/, "");
  const at = (id) => document.getElementById(id);
  const board = at("board");
  const now = {
    language: document.documentElement.lang, code: "", room: null, entered: false, news: "",
    cursor: null, chosen: null, told: null, wanted: null, sending: false, timer: 0, asking: null, tag: null,
  };

  // A name by lot, which this tab alone keeps: it makes a second tap replace the first.
  const name = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const voter = (() => {
    try {
      if (!sessionStorage.getItem("voter")) sessionStorage.setItem("voter", name());
      return sessionStorage.getItem("voter");
    } catch { return name(); } // a phone that lets pages keep nothing
  })();

  const say = (key, values = {}) =>
    WORDS[now.language][key].replace(/\{(\w+)\}/g, (_, value) => values[value]);
  const place = (patch) => ({ row: Math.floor(patch / GRID) + 1, column: (patch % GRID) + 1 });
  const put = (element, patch) => {
    element.toggleAttribute("hidden", patch === null);
    if (patch !== null) element.setAttribute("transform", `translate(${patch % GRID} ${Math.floor(patch / GRID)})`);
  };
  const piece = (text, className) => Object.assign(document.createElement("span"), { textContent: text, className });
  const set = (element, text) => { if (element.textContent !== text) element.textContent = text; }; // else it is read out again

  const show = () => {
    document.documentElement.lang = now.language;
    document.querySelectorAll("[data-say]").forEach((element) => set(element, say(element.dataset.say)));
    document.querySelectorAll("[data-language]").forEach((button) =>
      button.setAttribute("aria-pressed", String(button.dataset.language === now.language)));
    document.title = `${say("phone_title")} · Simple VLM`;
    set(at("news"), now.news ? say(now.news) : "");
    at("enter").hidden = Boolean(now.code);
    at("room").hidden = !now.room;
    if (!now.room) return;
    const { before, word, language, picture } = now.room;
    const gap = piece(word ?? "?", word ? "word known" : "word");
    if (!word) gap.append(piece(` (${say("phone_gap")})`, "unseen"));
    at("sentence").lang = language;
    at("sentence").replaceChildren(piece(before.join(language === "zh" ? "" : " "), ""), gap);
    const source = `${HERE}/rooms/${now.code}/pictures/${picture}`;
    const image = board.querySelector("img");
    if (image.getAttribute("src") !== source) image.src = source;
    board.setAttribute("aria-label", say("phone_picture"));
    board.classList.toggle("closed", Boolean(word));
    for (const id of ["hint", "keys"]) at(id).hidden = Boolean(word);
    put(at("here"), word ? null : now.cursor);
    put(at("chosen"), now.chosen);
    set(at("told"), word ? say("phone_revealed") : now.told ? say(now.told.key, place(now.told.patch)) : "");
  };

  const look = async () => {
    clearTimeout(now.timer);
    now.asking?.abort();
    if (!now.code || document.hidden) return;
    const asking = now.asking = new AbortController();
    const began = Date.now();
    now.timer = setTimeout(look, PATIENCE);
    try {
      const headers = now.tag ? { "If-None-Match": now.tag } : {};
      const answer = await fetch(`${HERE}/rooms/${now.code}`, { headers, signal: asking.signal, cache: "no-store" });
      if (answer.status === 404) return leave(now.entered ? "phone_closed" : "phone_unknown");
      if (answer.status !== 304) {
        if (!answer.ok) throw new Error(answer.status);
        const room = await answer.json();
        if (room.question !== now.room?.question) Object.assign(now, { cursor: null, chosen: null, told: null, wanted: null });
        Object.assign(now, { room, entered: true, tag: answer.headers.get("ETag") });
      }
      now.news = "";
    } catch {
      if (asking.signal.aborted) return;
      now.news = "phone_offline";
    }
    show();
    clearTimeout(now.timer);
    now.timer = setTimeout(look, Math.max(EVERY - (Date.now() - began), 0) + Math.random() * EVERY / 4);
  };
  const leave = (news) => {
    clearTimeout(now.timer);
    Object.assign(now, { code: "", room: null, entered: false, news });
    show();
  };
  const enter = (code) => {
    now.code = code.trim().toUpperCase().replace(/[^0-9A-Z]/g, "");
    now.news = "";
    show();
    look();
  };

  // One tap is on its way at a time; of those made meanwhile the last one follows.
  const send = async (patch) => {
    Object.assign(now, { cursor: patch, wanted: patch });
    show();
    if (now.sending) return;
    now.sending = true;
    while (now.wanted !== null && now.room && !now.room.word) {
      const tap = { voter, question: now.room.question, patch: now.wanted };
      now.wanted = null;
      const status = await fetch(`${HERE}/rooms/${now.code}/taps`, { method: "POST", body: JSON.stringify(tap) })
        .then((answer) => answer.status, () => 0);
      if (tap.question !== now.room?.question) continue; // the next one is being asked already, and may have a tap
      if (status === 204) Object.assign(now, { chosen: tap.patch, told: { key: "phone_sent", patch: tap.patch } });
      else if (status === 429) now.told = { key: "phone_busy", patch: tap.patch };
      else if (status === 0) now.told = { key: "phone_offline", patch: tap.patch };
      show();
    }
    now.sending = false;
  };

  board.addEventListener("click", (event) => {
    if (!now.room || now.room.word) return;
    const box = board.querySelector("svg").getBoundingClientRect();
    const along = (offset, side) => Math.min(Math.max(Math.floor((offset / side) * GRID), 0), GRID - 1);
    send(along(event.clientY - box.top, box.height) * GRID + along(event.clientX - box.left, box.width));
  });
  const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  board.addEventListener("keydown", (event) => {
    if (!now.room || now.room.word || event.ctrlKey || event.altKey || event.metaKey) return;
    const step = STEPS[event.key];
    if (!step && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    const from = now.cursor ?? Math.floor(GRID / 2) * (GRID + 1); // the middle
    if (!step) return void send(from);
    const inside = (value) => Math.min(Math.max(value, 0), GRID - 1);
    now.cursor = now.cursor === null ? from : inside(Math.floor(from / GRID) + step[0]) * GRID + inside((from % GRID) + step[1]);
    now.told = { key: "phone_here", patch: now.cursor };
    show();
  });
  document.addEventListener("click", (event) => {
    const language = event.target.closest?.("[data-language]")?.dataset.language;
    if (!language) return;
    now.language = language;
    show();
  });
  at("enter").addEventListener("submit", (event) => {
    event.preventDefault();
    const code = at("code").value.trim().toUpperCase();
    if (location.hash === `#${code}`) follow_address();
    else location.hash = code; // and so to follow_address
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
  const follow_address = () => {
    Object.assign(now, { room: null, entered: false, tag: null });
    enter(location.hash.slice(1));
  };
  addEventListener("hashchange", follow_address);

  let path = "";
  for (let line = 1; line < GRID; line++) path += `M${line} 0v${GRID}M0 ${line}h${GRID}`;
  for (const id of ["lines", "lines-under"]) at(id).setAttribute("d", path);
  show();
  follow_address();
})();
