// The address bar: a run and the language live there, so that a reloaded tab finds both again.
(() => {
  "use strict";
  const { address } = window.bridge;
  const watch = () => {
    const status = document.getElementById("status");
    const language = document.getElementById("language");
    const note = document.getElementById("note");
    if (!status || !language || !note) return void setTimeout(watch, 50);
    new MutationObserver(() => {
      const run = status.querySelector("[data-run]");
      if (run) address({ run: run.dataset.run });
    }).observe(status, { childList: true, subtree: true });
    language.addEventListener("change", (event) => {
      address({ lang: event.target.value });
      document.documentElement.lang = event.target.value;
    });

    // What somebody has unfolded in the note stays so when the note is told anew.
    let unfolded = false;
    note.addEventListener("click", (event) => {
      const details = event.target.closest("summary")?.parentElement;
      if (details) unfolded = !details.open;
    });
    new MutationObserver(() => note.querySelectorAll("details").forEach((details) => (details.open = unfolded)))
      .observe(note, { childList: true, subtree: true });
  };
  document.documentElement.lang = new URL(location.href).searchParams.get("lang") || "en";
  watch();
})();
