// For a hall: presenter mode, its shortcuts, light and dark.
(() => {
  "use strict";
  const { read, make, language, address } = window.bridge;
  const state = { words: null };
  const say = (key) => state.words[language()][key];
  const presenting = () => document.body.classList.contains("presenting");
  const dark = () => document.body.classList.contains("dark");

  const present = (on) => {
    document.body.classList.toggle("presenting", on);
    address({ present: on ? "1" : null });
  };
  // Gradio reads __theme when the page is loaded, and follows the system where the address does not say.
  const turn = (to_dark) => {
    document.body.classList.toggle("dark", to_dark);
    address({ __theme: to_dark ? "dark" : "light" });
  };

  const press = (id) => document.querySelector(`#${id}:not([disabled])`)?.click();
  const next_word = (by) => {
    const words = [...document.querySelectorAll("#lens-root .word")];
    if (!words.length) return;
    const now = words.findIndex((word) => word.getAttribute("aria-pressed") === "true");
    words[(now + by + words.length) % words.length].click();
  };
  const next_head = (by) => {
    const select = document.getElementById("lens-head");
    if (!select) return;
    select.selectedIndex = (select.selectedIndex + by + select.length) % select.length;
    select.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const SHORTCUTS = {
    PageDown: () => press("tour-next"), n: () => press("tour-next"), // a pointer with buttons sends PageDown
    PageUp: () => press("tour-back"), b: () => press("tour-back"),
    ArrowRight: () => next_word(1), ArrowLeft: () => next_word(-1),
    ArrowDown: () => next_head(1), ArrowUp: () => next_head(-1),
    d: () => turn(!dark()),
    "?": () => show_help(),
  };
  const HELP = [
    ["N PgDn / B PgUp", "help_step"], ["→ ←", "help_word"], ["↓ ↑", "help_head"], ["D", "help_theme"],
    ["P", "help_presenter"], ["Esc", "help_leave"], ["?", "help_help"],
  ];
  const TAKES_KEYS = "input:not([type=button]), textarea, select, [contenteditable=true], [role=tab], [role=slider], [role=listbox], [role=radio], dialog";
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !state.words) return;
    if (event.target.closest?.(TAKES_KEYS)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const act = key === "p" && presenting() ? () => present(false) : presenting() && SHORTCUTS[key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  const show_help = () => {
    document.getElementById("shortcuts")?.remove();
    const dialog = make("dialog", { id: "shortcuts", "aria-labelledby": "shortcuts-title" },
      make("h2", { id: "shortcuts-title" }, say("help_title")),
      make("table", {}, make("tbody", {}, ...HELP.map(([keys, key]) =>
        make("tr", {}, make("th", { scope: "row" }, ...keys.split(/( \/ | )/).map(keycap)), make("td", {}, say(key)))))),
      make("form", { method: "dialog" }, make("button", {}, say("help_close"))));
    document.body.append(dialog);
    dialog.showModal();
  };
  const keycap = (part) => (["", "/"].includes(part.trim()) ? part : make("kbd", {}, part));

  const show_tools = () => {
    const root = document.getElementById("tools-root");
    const focused = document.activeElement?.closest?.("#tools-buttons button")?.id;
    const tool = (id, words, onclick, attributes = {}) => make("button", { type: "button", id, onclick, ...attributes }, words);
    let group = document.getElementById("tools-buttons");
    if (!group) root.append((group = make("span", { id: "tools-buttons" })));
    group.replaceChildren(
      tool("present", say("presenter"), () => present(!presenting()), { "aria-pressed": String(presenting()) }),
      tool("theme", say(dark() ? "theme_light" : "theme_dark"), () => turn(!dark())),
      tool("help", "?", show_help, { "aria-label": say("help"), title: say("help") }));
    if (focused) document.getElementById(focused)?.focus();
  };

  const begin = () => {
    state.words = read("lessons-data")?.words ?? null;
    if (!state.words || !document.getElementById("tools-root")) return void setTimeout(begin, 50);
    if (new URL(location.href).searchParams.get("present") === "1") document.body.classList.add("presenting");
    show_tools();
    new MutationObserver(show_tools).observe(document.documentElement, { attributes: true, attributeFilter: ["lang"] });
    new MutationObserver(show_tools).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  };
  begin();
})();
