// The runs of this browser: their ids are kept here, so that nobody else sees them. The list is asked for when it is looked
// at and something has changed; a button brings a run back. A race lives in the address, like the page's run.
(() => {
  "use strict";
  const { tell, whenSeen, follow, address } = window.bridge;
  const KEY = "simple-vlm-runs", MOST = 20;
  const mine = () => {
    try { return JSON.parse(localStorage.getItem(KEY)) || []; } catch { return []; }
  };
  const remember = (root) => {
    const known = mine();
    const found = [...document.querySelectorAll(`#${root} [data-run]`)].map((run) => run.dataset.run);
    const fresh = found.filter((id) => !known.includes(id));
    if (fresh.length) localStorage.setItem(KEY, JSON.stringify([...fresh, ...known].slice(0, MOST)));
    const race = document.querySelector("#race-view [data-race]");
    if (race) address({ race: race.dataset.race });
  };
  follow(["status"], () => remember("status"));
  follow(["race-view"], () => remember("race-view"));

  const changed = whenSeen("ledger", ["status"], () => {
    const run = document.querySelector("#status [data-run]")?.dataset;
    const racing = [...document.querySelectorAll("#race-view [data-run]")].map(({ dataset }) => dataset.state);
    tell("ledger-listed", `${mine().join(",")} ${run?.run} ${run?.state} ${racing}`);
  });
  follow(["race-view"], changed);
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#ledger [data-recall]");
    if (button) tell("ledger-asked", `${button.dataset.recall} ${Date.now()}`); // the same run may be asked for twice
  });
})();
