"""Spoiled training data in the page's words."""

from __future__ import annotations

from html import escape

from vlm_core.app.texts import text
from vlm_core.config import TrainConfig

FAULTS = {
    "red_circles": "sabotage_red_circles",
    "shuffled_captions": "sabotage_shuffled_captions",
    "no_distractors": "sabotage_no_distractors",
    "one_position": "sabotage_one_position",
}
"""The faults of `TrainConfig.sabotage` with the keys of their names."""


def name_faults(faults: tuple[str, ...], language: str) -> str:
    return "; ".join(text(language, FAULTS[fault]) for fault in faults)


def read_faults(asked: str) -> list[str]:
    """Faults as an address names them, with commas between."""
    return [fault for fault in asked.split(",") if fault]


def warn_of_faults(config: TrainConfig | None, language: str) -> str:
    """HTML that says that a run's data is spoiled, empty if it is not. By which fault is for the class to find out."""
    if config is None or not config.sabotage:
        return ""
    return f'<p class="spoiled" role="alert">{escape(text(language, "sabotage_warning"))}</p>'
