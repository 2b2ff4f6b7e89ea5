"""The rendering process gives what rendering here gives, in order, and its death is noticed."""

import numpy as np
import pytest

from vlm_core.learning.renderer import BatchRenderer
from vlm_core.scenes.batches import training_batch
from vlm_core.scenes.tokenizer import WordTokenizer

ARGUMENTS = {"run_seed": 1, "size": 3, "level": 2, "languages": ("en",), "tokenizer": WordTokenizer(), "keep": 48}


def test_batches_are_those_rendered_here_in_the_styles_asked_for():
    with BatchRenderer(first=5, style=lambda index: "clean" if index < 7 else "drawn", **ARGUMENTS) as renderer:
        for index in range(5, 9):
            expected = training_batch(index=index, style="clean" if index < 7 else "drawn", **ARGUMENTS)
            np.testing.assert_array_equal(renderer.next().patches, expected.patches)


def test_a_child_that_dies_is_noticed_at_once():
    with BatchRenderer(first=0, style=lambda index: "clean", **ARGUMENTS) as renderer:
        renderer.next()
        renderer._child.kill()
        with pytest.raises(RuntimeError, match="renders training pictures ended"):
            for _ in range(10):
                renderer.next()


def test_leaving_ends_the_child():
    with BatchRenderer(first=0, style=lambda index: "clean", **ARGUMENTS) as renderer:
        pass
    assert renderer._child.poll() is not None
