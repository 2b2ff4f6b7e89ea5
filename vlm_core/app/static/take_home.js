// Take it home: copies code, saves the picture, and has the code follow the run.
(() => {
  "use strict";
  const { read, tell, follow, make } = window.bridge;
  const base = () => location.origin + location.pathname;

  // Where the page is not served over https a browser has no clipboard to write to, but a selection to copy from.
  const copy = async (text) => {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
    const holder = make("textarea", { style: "position:fixed;opacity:0" });
    holder.value = text;
    document.body.append(holder);
    holder.select();
    document.execCommand("copy");
    holder.remove();
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("#take-code .snippet button");
    if (button) {
      await copy(button.parentElement.querySelector("code").textContent);
      const said = button.textContent;
      if (said === button.dataset.copied) return;
      button.textContent = button.dataset.copied;
      setTimeout(() => { button.textContent = said; }, 1500);
    }
    if (event.target.closest?.("#api-docs")) document.querySelector("footer .show-api").click();
    if (event.target.closest?.("#save-picture")) {
      const picture = document.querySelector("#editor canvas")?.toDataURL("image/png");
      make("a", { href: read("picture-data") ?? picture, download: "picture.png" }).click();
    }
  });

  const fill_in = () => {
    for (const place of document.querySelectorAll("#take-code [data-address]"))
      if (place.textContent !== base()) place.textContent = base();
  };
  setInterval(fill_in, 300); // the tab's elements come and go, so there is none to watch

  follow(["status", "take-watched"], () => {
    const run = document.querySelector("#status [data-run]");
    const now = run ? `${run.dataset.run} ${run.dataset.state}` : "";
    const known = document.querySelector("#take-watched textarea, #take-watched input");
    if (known && known.value !== now) tell("take-watched", now);
  });
})();
