// The address bar: a run and the language live there, so that a reloaded tab finds both again.
(() => {
  "use strict";
  const set = (name, value) => {
    const address = new URL(location.href);
    if (address.searchParams.get(name) === value) return;
    address.searchParams.set(name, value);
    history.replaceState(history.state, "", address);
  };
  const watch = () => {
    const status = document.getElementById("status");
    const language = document.getElementById("language");
    if (!status || !language) return void setTimeout(watch, 50);
    new MutationObserver(() => {
      const run = status.querySelector("[data-run]");
      if (run) set("run", run.dataset.run);
    }).observe(status, { childList: true, subtree: true });
    language.addEventListener("change", (event) => {
      set("lang", event.target.value);
      document.documentElement.lang = event.target.value;
    });
    document.documentElement.lang = new URL(location.href).searchParams.get("lang") || "en";
  };
  watch();
})();
