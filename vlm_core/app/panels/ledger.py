"""Past runs: what this browser has trained, each with settings, curve and scores, to be brought back with one click."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import gradio as gr

from vlm_core.app.curves import draw_curves, words_of_curves
from vlm_core.app.messages import telling
from vlm_core.app.runs import Run, Runs
from vlm_core.app.settings import recalled, say_settings
from vlm_core.app.shared import Shared
from vlm_core.app.texts import LANGUAGE_NAMES, Labels, table, text

TITLE = "ledger"
MOST_LISTED = 20
"""Runs of one browser, the newest; ledger.js remembers as many ids."""


@dataclass(frozen=True)
class LedgerPanel:
    entries: gr.HTML
    listed: gr.Textbox
    """The ids of this browser's runs, the newest first and with commas between, as ledger.js keeps them, and the state
    of the page's run; told when the list is looked at and that has changed; never seen."""
    asked: gr.Textbox
    """The id of the run that somebody wants back, as ledger.js tells it, and when; never seen."""
    labels: Labels


def build(language: str) -> LedgerPanel:
    entries = gr.HTML(show_ledger([], "", language), elem_id="ledger")
    listed = gr.Textbox("", label="runs", elem_id="ledger-listed", elem_classes="data-only")
    asked = gr.Textbox("", label="run", elem_id="ledger-asked", elem_classes="data-only")
    return LedgerPanel(entries, listed, asked, [])


def wire(panel: LedgerPanel, shared: Shared) -> None:
    runs, quick = shared.runs, {"show_progress": "hidden", "queue": False, "api_name": False}

    def show(listed: str, run_id: str, language: str) -> str:
        return show_ledger(kept(runs, listed), run_id, language)

    def recall(asked: str, language: str) -> tuple:
        return recalled(runs, asked.partition(" ")[0], language)

    for told in (panel.listed.change, shared.language.change):
        told(show, [panel.listed, shared.run_id, shared.language], panel.entries, **quick)
    taken = [shared.run_id, shared.speaker, *shared.settings]
    panel.asked.change(
        telling(recall, len(taken)), [panel.asked, shared.language], [*taken, shared.message],
        show_progress="hidden", concurrency_limit=8, api_name=False,  # through the queue: see page.py
    )  # fmt: skip


def kept(runs: Runs, listed: str) -> list[Run]:
    """Those of a browser's runs that the server still keeps; `listed` as LedgerPanel has it."""
    found = [runs.get(run_id) for run_id in listed.partition(" ")[0].split(",")[:MOST_LISTED]]
    return [run for run in found if run]


def show_ledger(runs: list[Run], here: str, language: str) -> str:
    """The list as HTML; `here` is the run that the page shows now."""
    words = table(language)
    if not runs:
        return f"<p>{escape(words['ledger_empty'])}</p>"
    entries = "".join(f"<li>{_entry(run, here, language)}</li>" for run in runs)
    return f'<p>{escape(words["ledger_intro"])}</p><ol class="ledger">{entries}</ol>'


def _entry(run: Run, here: str, language: str) -> str:
    words = table(language)
    if run.id == here:
        button = f'<strong class="here">{escape(words["ledger_here"])}</strong>'
    else:
        button = f'<button type="button" data-recall="{escape(run.id)}">{escape(words["ledger_recall"])}</button>'
    seconds = text(language, "elapsed", seconds=f"{run.seconds:.0f}")
    facts = [words[run.state], text(language, "step", step=run.step), seconds]
    if run.recognized:
        facts.append(text(language, "ledger_taught", word=run.recognized[0].word))
    if run.controls and run.controls.steered:
        facts.append(words["ledger_steered"])
    if not run.life and not run.live:
        facts.append(words["ledger_no_life"])
    return (
        f'<div class="told" data-listed="{escape(run.id)}" data-state="{run.state}">'
        f"<p>{escape(say_settings(run.config, language))}</p><p>{escape(' · '.join(facts))}</p>"
        f"<p>{escape(_scores(run, language))}</p>{button}</div>"
        f"<div>{draw_curves(run.losses, run.scores, words_of_curves(language))}</div>"
    )


def _scores(run: Run, language: str) -> str:
    """The newest scores in one line."""
    words = table(language)
    if not run.scores:
        return words["ledger_unscored"]
    newest = run.scores[-1]
    told = [f"{words[LANGUAGE_NAMES[name]]} {share:.0%}" for name, share in newest["exact_match"].items()]
    if not {"hit", "mass", "chance"} <= set(newest):  # a run that was loaded may lack them
        return f"{words['exact_match']}: {', '.join(told)}"
    told += [f"{words['pointing_game']} {newest['hit']:.0%}", f"{words['mass_in_mask']} {newest['mass']:.0%}"]
    return f"{words['exact_match']}: {', '.join(told)} ({words['race_chance']} {newest['chance']:.0%})"
