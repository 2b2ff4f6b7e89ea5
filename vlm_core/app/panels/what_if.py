"""Looks at or depends on: change what the model sees, and see which words needed it. Drawn by static/what_if.js."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from PIL import Image

from vlm_core.app import questions
from vlm_core.app.images import data_uri
from vlm_core.app.questions import AskingPanel, Question
from vlm_core.app.shared import Shared
from vlm_core.app.texts import table, text
from vlm_core.errors import UserError
from vlm_core.pictures import SIDE
from vlm_core.scenes.repaint import colors_in, repaint
from vlm_core.scenes.world import CHINESE, COLORS, LANGUAGES

if TYPE_CHECKING:
    from vlm_core.insight.what_if import WhatIf
    from vlm_core.model.intervention import Intervention
    from vlm_core.model.vlm import VLM

TITLE = "what_if"
WORDS = (
    "what_if_empty", "what_if_brush", "what_if_hidden_means", "what_if_hidden", "what_if_hide_looked",
    "what_if_hide_all", "what_if_show_all", "what_if_heads", "what_if_heads_mean", "what_if_layer", "what_if_repaint",
    "what_if_repaint_as", "what_if_repaint_nothing", "what_if_no_colors", "what_if_said", "what_if_says",
    "what_if_column_word", "what_if_column_chance", "what_if_column_now", "what_if_bars_mean", "what_if_before",
    "what_if_after", "what_if_force", "what_if_free", "what_if_forced", "what_if_needed", "what_if_unneeded",
    "what_if_unseen", "what_if_disagree", "what_if_need", "what_if_need_told", "what_if_need_none", "what_if_reset",
    "what_if_map", "what_if_nothing_said", "layer", "head", "speaker_bundled", "speaker_run", "speaker_untrained",
)  # fmt: skip
STEPS = 10_000
"""Attention is sent in whole ten-thousandths."""


@dataclass(frozen=True)
class Wanted:
    """What what_if.js asks for: the changes somebody made."""

    hidden: frozenset[int]
    heads_off: frozenset[tuple[int, int]]
    forced: dict[int, str]
    """Words by their place in the caption."""
    swap: tuple[str, str] | None
    """A colour of the picture's objects, and the one it is repainted in."""
    need: int | None
    """The place of the word whose need is to be measured."""
    at: float
    """Tells this question from others."""

    @classmethod
    def read(cls, asked: str, language: str) -> Wanted:
        """From JSON: {"hidden": [patch], "off": [[layer, head]], "forced": {place: word}, "swap": [colour, colour] or
        null, "need": place or null, "at": number}; what is left out is not changed. Raises UserError for anything else.
        """
        try:
            told = json.loads(asked)
            swap = told.get("swap")
            if swap is not None and not (len(swap) == 2 and set(swap) <= set(COLORS)):
                raise ValueError(f"no two colours: {swap}")
            return cls(
                frozenset(map(int, told.get("hidden", ()))),
                frozenset((int(layer), int(head)) for layer, head in told.get("off", ())),
                {int(place): str(word) for place, word in told.get("forced", {}).items()},
                None if swap is None else tuple(swap),
                None if told.get("need") is None else int(told["need"]),
                float(told.get("at", 0)),
            )
        except (ValueError, TypeError, AttributeError) as error:
            raise UserError(text(language, "what_if_unreadable")) from error

    def intervention(self, vlm: VLM, language: str) -> Intervention:
        """For a model; a head that it does not have is none to switch off. Raises UserError for what it cannot do."""
        from vlm_core.model.intervention import Intervention

        config, vocabulary = vlm.config, vlm.tokenizer.vocabulary
        if len(self.hidden) >= config.patches and not config.null_key:
            raise UserError(text(language, "what_if_no_null_key"))
        if not set(self.forced.values()) <= set(vocabulary):
            raise UserError(text(language, "what_if_unreadable"))
        off = {(layer, head) for layer, head in self.heads_off if layer < config.decoder_layers and head < config.heads}
        forced = tuple((place, vocabulary.index(word)) for place, word in self.forced.items())
        return Intervention(self.hidden, frozenset(off), forced)


def build(language: str) -> AskingPanel:
    words = {each: {key: table(each)[key] for key in WORDS} | {"colors": name_colors(each)} for each in LANGUAGES}
    return questions.build("what-if", words)


def wire(panel: AskingPanel, shared: Shared) -> None:
    questions.wire(panel, shared, show_effects)


def name_colors(language: str) -> dict[str, str]:
    """The world's colours as the page calls them."""
    return {name: CHINESE[name] if language == "zh" else name for name in COLORS}


def show_effects(question: Question) -> dict:
    """The caption without and with the changes that are asked for."""
    from vlm_core.insight.what_if import measure_need, what_if

    wanted = Wanted.read(question.asked, question.language)
    picture, spoken, (vlm, _, name, _) = question.picture, question.spoken, question.speaker
    intervention = wanted.intervention(vlm, question.language)
    other = repaint(picture, *wanted.swap) if wanted.swap else None
    found = what_if(vlm, picture, spoken, intervention, other)
    need = None
    if wanted.need is not None and 0 <= wanted.need < len(found.before.tokens):
        need = {"word": wanted.need, **measure_need(vlm, picture, spoken, wanted.need).told()}
    told = {"at": wanted.at, "speaker": name, "steps": vlm.trained_steps, "language": spoken, "need": need}
    return {**told, **as_shown(vlm, picture, other, intervention, found)}


def as_shown(
    vlm: VLM, picture: Image.Image, other: Image.Image | None, intervention: Intervention, found: WhatIf
) -> dict:
    """What of it goes to the page."""
    from vlm_core.insight.what_if import looked_at, mean_map

    config = vlm.config
    before = [
        {
            "text": token.text,
            "probability": round(token.probability, 4),
            "after": round(effect.after, 4),
            "looked": round(effect.looked, 4),
            "fall": round(effect.fall, 4),
            "verdict": effect.verdict,
            "looked_at": looked_at(token, vlm),
        }
        for token, effect in zip(found.before.tokens, found.effects, strict=True)
    ]
    now = [
        {
            "text": token.text,
            "probability": round(token.probability, 4),
            "alternatives": [
                (word, round(share, 4)) for word, share in token.alternatives if word not in vlm.tokenizer.specials
            ],
            "map": (mean_map(token, intervention.heads_off) * STEPS).round().astype(int).tolist(),
        }
        for token in found.after.tokens
    ]
    return {
        "repainted": None if other is None else data_uri(other),
        "colors": _colors_in(picture.tobytes()),
        "grid": config.grid,
        "keys": vlm.config.keys,
        "scale": STEPS,
        "layers": config.decoder_layers,
        "heads": config.heads,
        "before": before,
        "now": now,
    }


@lru_cache(maxsize=32)
def _colors_in(pixels: bytes) -> tuple[str, ...]:
    """Of a picture that is asked about again and again."""
    return colors_in(Image.frombytes("RGB", (SIDE, SIDE), pixels))
