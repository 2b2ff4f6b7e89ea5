"""Teaching a word as a run like any other: begun here for the panel and for scripts. No Gradio in here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PIL import Image

from vlm_core.app.runs import Run, Runs
from vlm_core.app.texts import text
from vlm_core.errors import UserError

if TYPE_CHECKING:
    from vlm_core.model.vlm import VLM

MOST_EXAMPLES = 12
SECONDS, MOST_SECONDS = 20.0, 120.0


def begin_teaching(
    runs: Runs, vlm: VLM, typed: str, pictures: Sequence[Image.Image], seconds: float, language: str = "en"
) -> Run:
    """A run in which a copy of `vlm` learns the word `typed` from pictures of one such thing each.

    Raises UserError, in the page's language, for a model that has learned nothing yet, and Unfit for a word or a
    picture that cannot be taught.
    """
    from vlm_core.learning.teaching import config_of, teach, words_taught
    from vlm_core.scenes.newcomers import Newcomer, read_word

    if vlm.trained_steps == 0:
        raise UserError(text(language, "teach_untrained"))
    newcomer = Newcomer.of(read_word(typed, vlm.tokenizer, words_taught(vlm)), list(pictures))
    return runs.start(
        replace(config_of(vlm), seconds=seconds), pictures[-1],
        lambda _, picture: teach(vlm, newcomer, seconds, picture=picture),
    )  # fmt: skip
