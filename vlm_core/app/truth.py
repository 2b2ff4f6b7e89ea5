"""What the words of a caption should look at, where the picture's objects are known. No Gradio in here."""

from __future__ import annotations

from collections.abc import Iterator

from vlm_core.scenes import Scene
from vlm_core.scenes.scene import patch_coverage

Truth = list[tuple[str, list[int] | None]]


def truth_of(scene: Scene | None, vlm, language: str) -> Truth:
    """Each token of a scene's one right caption, with the patches that what it speaks of touches (None: nothing to
    see); empty if nobody knows what the picture shows."""
    if scene is None:
        return []
    covered = patch_coverage(scene) > 0  # (n, 196)
    ids, slots, things = vlm.tokenizer.encode_words(scene.words(language), language)
    truth: Truth = []
    for token, slot, thing in list(zip(ids, slots, things, strict=True))[2:-1]:
        seen = covered[thing] if thing is not None else covered.any(axis=0) if slot == "relation" else None
        truth.append((vlm.tokenizer.token_text(token), None if seen is None else seen.nonzero()[0].tolist()))
    return truth


def as_far_as_true(tokens: list, truth: Truth) -> Iterator[list[int] | None]:
    """The touched patches of each token until one is said that is not true: what it should look at is then unknown."""
    still_true = True
    for place, token in enumerate(tokens):
        still_true = still_true and place < len(truth) and truth[place][0] == token.text
        yield truth[place][1] if still_true else None
