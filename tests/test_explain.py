"""The tour prints the figures of the model it walks through, not those of another."""

import re

import pytest
import torch

from vlm_core import UserError, sample_scene
from vlm_core.explain import explain
from vlm_core.model.vision import patchify

PICTURE = sample_scene(seed=11).image


@pytest.fixture(scope="module")
def tour(vlm):
    return list(explain(vlm, PICTURE, "zh"))


def words(tour):
    return [part for part in tour if part.startswith("8.")]


def plain(part):
    return " ".join(part.split())


def test_it_says_how_many_parameters_there_are_and_that_they_are_untrained(vlm, tour):
    assert f"{vlm.num_parameters:,} parameters" in tour[0]
    assert "UNTRAINED" in tour[0]


def test_its_words_and_probabilities_are_those_of_the_caption(vlm, tour):
    tokens = tuple(vlm.stream(PICTURE, "zh"))
    steps = words(tour)
    assert len(steps) == min(len(tokens) + 1, vlm.config.max_text - 1)  # one more to say that it is done
    for token, step in zip(tokens, steps, strict=False):
        assert step.splitlines()[0].endswith(f": {token.text}")
        assert re.search(rf"{re.escape(token.text)} -?[\d.]+ → {token.probability:.4f}", plain(step))
    assert tokens
    assert "".join(vlm.caption(PICTURE, "zh").text.split()) in "".join(tour[-1].split())


def test_logits_and_first_probability_are_those_of_a_plain_forward_pass(vlm, tour):
    prompt = [vlm.tokenizer.begin_id, vlm.tokenizer.language_id("zh")]
    with torch.no_grad():
        logits = vlm(vlm.pixels(PICTURE), torch.tensor([prompt]))[0, -1]
    best = int(logits.argmax())
    assert f"{logits[best]:.2f} → {logits.softmax(dim=0)[best]:.4f}" in plain(words(tour)[0])


def test_the_attention_it_prints_is_whole_and_the_models(vlm, tour):
    with torch.no_grad():
        image_tokens, _ = vlm.encoder(patchify(vlm.pixels(PICTURE), 16))
        text = torch.tensor([[vlm.tokenizer.begin_id, vlm.tokenizer.language_id("zh")]])
        _, maps = vlm.decoder(text, vlm.decoder.remember(image_tokens), need_weights=True)
    looks = torch.stack([weights[0, :, -1] for weights in maps]).mean(dim=(0, 1))
    rows = [line.split() for line in words(tour)[0].splitlines() if re.fullmatch(r"[ \d·]+", line)]
    cells = [cell for row in rows for cell in row]
    for cell, share in zip(cells, looks[:196].tolist(), strict=True):
        assert cell == (f"{100 * share:.0f}" if share >= 1 / len(looks) else "·")
    for step in words(tour):
        patches, null_mass, total = map(
            float, re.search(r"([\d.]+) \+ null mass ([\d.]+) = ([\d.]+)\.", step).groups()
        )
        assert patches + null_mass == pytest.approx(1.0, abs=2e-4)
        assert total == 1.0
        assert "sum to 1.0000" in plain(step)
        assert "(sum 1.000)" in plain(step)


def test_what_the_followed_patch_looks_at_is_the_encoders(vlm, tour):
    chosen = int(re.search(r"follow patch (\d+)", plain(tour[2])).group(1))
    with torch.no_grad():
        _, maps = vlm.encoder(patchify(vlm.pixels(PICTURE), 16), need_weights=True)
    layers = [part for part in tour if part.startswith("5.")]
    for part, weights in zip(layers, maps, strict=True):
        own = weights[0, :, chosen, chosen].mean().item()
        assert f"Patch {chosen} keeps {own:.1%}" in plain(part)


def test_another_picture_is_another_tour(vlm, tour):
    other = list(explain(vlm, sample_scene(seed=12).image, "zh"))
    assert other[0] == tour[0]
    assert other[1] != tour[1]
    assert words(other)[0] != words(tour)[0]


def test_every_file_it_names_exists(tour):
    from vlm_core import config

    root = config.__file__.removesuffix("vlm_core/config.py")
    named = {path for part in tour for path in re.findall(r"vlm_core/\w+(?:/\w+)?\.py", part)}
    assert len(named) >= 5
    for path in named:
        with open(root + path, encoding="utf-8"):
            pass


def test_a_language_it_does_not_speak_is_refused(vlm):
    with pytest.raises(UserError, match="does not speak"):
        next(explain(vlm, PICTURE, "fr"))
