"""Sabotage lessons: what spoiled data does to a model, measured, for a class that is to find out what was spoiled.

The faults are chosen among the settings of a run; here a model is diagnosed.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import gradio as gr

from vlm_core.app.faults import name_faults
from vlm_core.app.messages import telling
from vlm_core.app.runs import Runs
from vlm_core.app.shared import Shared
from vlm_core.app.speakers import bundled_model, once, speaking
from vlm_core.app.texts import Labels, table, text
from vlm_core.errors import UserError

if TYPE_CHECKING:
    from vlm_core.insight.symptoms import Symptoms

TITLE = "sabotage_title"
SYMPTOMS = {
    "red": "symptom_red",
    "center": "symptom_center",
    "single": "symptom_single",
    "exact": "symptom_exact",
    "pointing": "symptom_pointing",
    "occlusion": "symptom_occlusion",
}
STRIKING = 0.2
"""A symptom that is so much off the bundled model's is marked."""


@dataclass(frozen=True)
class SabotagePanel:
    intro: gr.HTML
    diagnose: gr.Button
    findings: gr.HTML
    found: gr.State
    """(what the model is called, its symptoms, the bundled model's, known faults); None before a diagnosis."""
    reveal: gr.Checkbox
    labels: Labels


def build(language: str) -> SabotagePanel:
    intro = gr.HTML(show_intro(language), elem_id="sabotage-intro")
    with gr.Row(elem_classes="tight"):
        diagnose = gr.Button(text(language, "diagnose"), variant="primary", elem_id="diagnose", min_width=160)
        reveal = gr.Checkbox(False, label=text(language, "sabotage_reveal"), elem_id="sabotage-reveal", min_width=160)
    findings = gr.HTML("", elem_id="findings")
    labels: Labels = [(diagnose, {"value": "diagnose"}), (reveal, {"label": "sabotage_reveal"})]
    return SabotagePanel(intro, diagnose, findings, gr.State(None), reveal, labels)


def wire(panel: SabotagePanel, shared: Shared) -> None:
    shown = [panel.found, panel.reveal, shared.language]
    panel.diagnose.click(
        telling(lambda *asked: diagnose(shared.runs, *asked), 2),
        [shared.speaker, shared.run_id, shared.moment, panel.reveal, shared.language],
        [panel.found, panel.findings, shared.message],
        show_progress="minimal", concurrency_limit=2, concurrency_id="diagnose", api_name=False,
    )  # fmt: skip
    quick = {"show_progress": "hidden", "queue": False, "api_name": False}
    panel.reveal.change(show_findings, shown, panel.findings, **quick)
    shared.language.change(show_findings, shown, panel.findings, **quick)
    shared.language.change(show_intro, shared.language, panel.intro, **quick)


def diagnose(
    runs: Runs, speaker: str, run_id: str, moment: int | None, reveal: bool, language: str
) -> tuple[tuple, str]:
    """Measure the model that speaks: (what was found, the same as HTML)."""
    from vlm_core.insight.symptoms import find_symptoms
    from vlm_core.learning.teaching import config_of

    vlm, _, name, _ = speaking(runs, speaker, run_id, moment)
    if vlm.trained_steps == 0:
        raise UserError(text(language, "diagnose_untrained"))
    config = config_of(vlm)
    healthy = healthy_symptoms(config.level, config.style)
    symptoms = healthy if name == "bundled" else find_symptoms(vlm, config.level, config.style)
    found = name, symptoms, healthy, config.sabotage
    return found, show_findings(found, reveal, language)


@once
def healthy_symptoms(level: int, style: str) -> Symptoms:
    """The bundled model's on such pictures, measured here and now."""
    from vlm_core.insight.symptoms import find_symptoms

    return find_symptoms(bundled_model(), level, style)


def show_intro(language: str) -> str:
    return f"<p>{escape(text(language, 'sabotage_intro'))}</p>"


def show_findings(found: tuple | None, reveal: bool, language: str) -> str:
    """Each symptom of the model beside the bundled one's; what had been spoiled only if that is to be revealed."""
    if found is None:
        return ""
    name, symptoms, healthy, faults = found
    words = table(language)
    columns = ("symptom", "model_bundled" if name == "bundled" else "model_run", "model_bundled")
    head = "".join(f'<th scope="col">{escape(words[key])}</th>' for key in columns)
    rows = []
    for symptom, key in SYMPTOMS.items():
        here, there = getattr(symptoms, symptom), getattr(healthy, symptom)
        if here is None:
            rows.append(
                f'<tr data-symptom="{symptom}"><th scope="row">{escape(words[key])}</th>'
                f'<td colspan="2">{escape(words["symptom_not_asked"])}</td></tr>'
            )
            continue
        striking = abs(here - there) >= STRIKING
        mark = f' <strong title="{escape(words["symptom_striking"])}">◀ {escape(words["symptom_striking"])}</strong>'
        rows.append(
            f'<tr data-symptom="{symptom}" data-striking="{str(striking).lower()}">'
            f'<th scope="row">{escape(text(language, key, chance=f"{symptoms.chance:.0%}"))}</th>'
            f"<td>{here:.0%}{mark if striking else ''}</td><td>{there:.0%}</td></tr>"
        )
    told = ""
    if reveal:
        faults = name_faults(faults, language)
        told = text(language, "sabotage_was", faults=faults) if faults else words["sabotage_none"]
        told = f'<p class="truth" role="status">{escape(told)}</p>'
    return f'<table class="figures"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>{told}'
