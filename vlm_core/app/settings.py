"""The settings of a run as the page has them: one value each, named as in an address. No Gradio in here."""

from __future__ import annotations

from vlm_core.app.faults import read_faults
from vlm_core.app.runs import Runs
from vlm_core.app.texts import text
from vlm_core.config import TrainConfig
from vlm_core.errors import UserError
from vlm_core.learning.controls import MOST_RATE

KINDS = {
    "seconds": float, "level": int, "style": str, "objective": str, "preset": str, "seed": int,
    "sabotage": read_faults, "learning_rate": float, "optimizer": str, "heads": int, "width": int,
    "languages": lambda asked: ",".join(sorted(asked.split(","))),
}  # fmt: skip
"""The settings by the names an address uses, in the order of `configure`."""
CHOICES = {
    "level": {1: "level_1", 2: "level_2", 3: "level_3"},
    "style": {"clean": "style_clean", "drawn": "style_drawn"},
    "objective": {"captions": "objective_captions", "grounded": "objective_grounded"},
    "preset": {"lecture": "preset_lecture", "classic": "preset_classic"},
    "optimizer": {"muon": "optimizer_muon", "adamw": "optimizer_adamw"},
    "heads": {0: "heads_0", 1: "heads_1", 2: "heads_2", 4: "heads_4", 8: "heads_8"},
    "width": {0: "width_0", 32: "width_32", 64: "width_64", 96: "width_96", 128: "width_128"},
    "languages": {"en,zh": "languages_both", "en": "languages_en", "zh": "languages_zh"},
}
"""Values that a setting can have, with the keys of their words; the others are numbers."""
EVALUATIONS = 12
MOST_SECONDS = 3600
SNAPSHOTS = 60
"""Copies of the model that a run keeps for the time machine."""


def configure(
    seconds: float, level: int, style: str, objective: str, preset: str, seed: int, sabotage: list[str] | None = None,
    learning_rate: float = 1.0, optimizer: str = "muon", heads: int = 0, width: int = 0, languages: str = "en,zh",
) -> TrainConfig:  # fmt: skip
    """Settings as a config; 0 heads or width are the preset's own. Raises UserError for what no run can do."""
    if not 1 <= (seconds or 0) <= MOST_SECONDS:
        raise UserError(
            f"A run here lasts 1 to {MOST_SECONDS} seconds; choose a number of them.",
            f"这里的训练可进行 1 到 {MOST_SECONDS} 秒;请选择一个秒数。",
        )
    if not 0 < (learning_rate or 0) <= MOST_RATE:
        raise UserError(
            f"The learning rate is above 0 and at most {MOST_RATE:g} times the recipe's.",
            f"学习率要大于 0,最多是默认值的 {MOST_RATE:g} 倍。",
        )
    return TrainConfig(
        seconds=seconds, level=level, style=style, objective=objective, preset=preset, seed=int(seed or 0),
        sabotage=tuple(sabotage or ()), learning_rate=learning_rate, optimizer=optimizer, heads=heads or None,
        width=width or None, languages=tuple(languages.split(",")), evaluations=EVALUATIONS, snapshots=SNAPSHOTS,
    )  # fmt: skip


def settings_of(config: TrainConfig) -> tuple:
    """A config as settings: the inverse of `configure`."""
    return (
        config.seconds, config.level, config.style, config.objective, config.preset, config.seed,
        list(config.sabotage), config.learning_rate, config.optimizer, config.heads or 0, config.width or 0,
        ",".join(sorted(config.languages)),
    )  # fmt: skip


def settings_asked(asked: dict) -> tuple:
    """Settings that an address asks for by name, None for the others; all None if no run could have them."""
    try:
        settings = [kind(asked[name]) if name in asked else None for name, kind in KINDS.items()]
        defaults = settings_of(TrainConfig())
        configure(*(default if value is None else value for default, value in zip(defaults, settings, strict=True)))
    except ValueError:  # a UserError is one, too
        return (None,) * len(KINDS)
    return tuple(settings)


def recalled(runs: Runs, run_id: str, language: str) -> tuple:
    """What makes a run the page's own: (its id, who speaks, its settings). Raises UserError if it is not kept."""
    run = runs.get(run_id)
    if run is None:
        raise UserError(text(language, "run_gone"))
    return run.id, "run", *settings_of(run.config)


def say_value(name: str, value, language: str) -> str:
    """A setting's value in words: "drawn by hand"."""
    keys = CHOICES.get(name)
    return text(language, keys[value]) if keys else f"{value:g}"


def say_settings(config: TrainConfig, language: str, without: tuple[str, ...] = ()) -> str:
    """What a run was asked to do, in one line: "Seconds 60 · Level 2: up to two · …"; what is as ever is left out."""
    usual = dict(zip(KINDS, settings_of(TrainConfig()), strict=True))
    always = ("seconds", "level", "style", "objective", "preset", "seed")
    chosen = dict(zip(KINDS, settings_of(config), strict=True))
    said = []
    if config.steps is not None:  # a budget of steps stands in for one of seconds
        del chosen["seconds"]
        said.append(f"{text(language, 'steps')} {config.steps:,}")
    said += [
        f"{text(language, name)} {say_value(name, value, language)}"
        for name, value in chosen.items()
        if name not in (*without, "sabotage") and (name in always or value != usual[name])
    ]
    # By which fault is for the class to find out.
    return " · ".join([*said, text(language, "spoiled")] if config.sabotage else said)
