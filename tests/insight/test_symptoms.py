"""A sound model has no symptoms; one that says one thing whatever it sees has all of them."""

import pytest
import torch

from vlm_core import VLM
from vlm_core.insight.symptoms import find_symptoms


@pytest.fixture(scope="module")
def bundled():
    return VLM.from_pretrained()


def test_a_sound_model_is_found_sound(bundled):
    found = find_symptoms(bundled)
    assert max(found.red, found.center, found.single) < 0.1
    assert min(found.exact, found.pointing) > 0.85 > found.chance and found.occlusion > 0.1


def test_a_model_that_always_says_red_is_found_out():
    vlm = VLM.from_pretrained()
    red = [vlm.tokenizer.vocabulary.index(token) for token in ("red", "红")]
    with torch.no_grad():
        vlm.decoder.projection.bias[red] += 40
    vlm.run["config"]["languages"] = ["en"]
    found = find_symptoms(vlm)
    assert found.red > 0.9 and found.exact < 0.1
