"""The diagram's boxes hold the model's own figures and the very code that makes them."""

import json
import re
from html import unescape
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from vlm_core import VLM, ModelConfig, sample_scene
from vlm_core.app import speakers
from vlm_core.app.diagram import draw_diagram, excerpt
from vlm_core.app.images import data_uri
from vlm_core.app.panels import machine
from vlm_core.app.questions import answered
from vlm_core.app.runs import Run, Runs
from vlm_core.app.texts import table
from vlm_core.config import TrainConfig
from vlm_core.model.vision import patchify

PICTURE = sample_scene(seed=11, level=2, style="clean").image
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def diagram(vlm):
    return draw_diagram(vlm, PICTURE, "zh", word=1, patch=30)


def boxes(diagram):
    return {box["name"]: box for box in diagram["boxes"]}


def first_picture(diagram, name, key=""):
    return boxes(diagram)[name]["views"][key]["pictures"][0]


def test_the_diagram_is_the_models_own(vlm, diagram):
    assert ("glances" in boxes(diagram)) == bool(vlm.config.glances)
    for name, layers in (("encoder", vlm.config.encoder_layers), ("cross", vlm.config.decoder_layers)):
        heads = [f"{layer}.{head}" for layer in range(layers) for head in range(vlm.config.heads)]
        assert list(boxes(diagram)[name]["views"]) == heads
    assert (first_picture(diagram, "cross", "0.0")["null"] is not None) == vlm.config.null_key


def test_it_shows_where_the_word_looked_and_what_it_might_have_been(vlm, diagram):
    token = tuple(vlm.stream(PICTURE, "zh"))[1]
    assert diagram["said"] == token.text == diagram["caption"][1]
    for layer in range(vlm.config.decoder_layers):
        for head in range(vlm.config.heads):
            shown = first_picture(diagram, "cross", f"{layer}.{head}")
            assert shown["cells"] == pytest.approx(token.attention[layer, head].flatten(), abs=1e-4)
            assert (shown["null"] or 0) == pytest.approx(token.null_mass[layer, head], abs=1e-3)
    likeliest = [(text, share) for text, _, share in first_picture(diagram, "logits")["items"]]
    assert [text for text, _ in likeliest[:5]] == [text for text, _ in token.alternatives]
    assert [share for _, share in likeliest[:5]] == pytest.approx([share for _, share in token.alternatives], abs=1e-4)


def test_scores_are_what_softmax_makes_the_map_of(diagram):
    for key in boxes(diagram)["scores"]["views"]:
        scores, weights = first_picture(diagram, "scores", key), first_picture(diagram, "cross", key)
        row = torch.tensor([*scores["cells"], *([] if scores["null"] is None else [scores["null"]])])
        assert row.softmax(0)[:196].tolist() == pytest.approx(weights["cells"], abs=2e-3)


def test_encoder_attention_is_that_of_the_patch_that_is_followed(vlm, diagram):
    with torch.no_grad():
        _, maps = vlm.encoder(patchify(vlm.pixels(PICTURE), 16), need_weights=True)
    for layer, weights in enumerate(maps):
        shown = first_picture(diagram, "encoder", f"{layer}.1")["cells"]
        assert shown == pytest.approx(weights[0, 1, 30].tolist(), abs=1e-4)


def test_numbers_describe_the_whole_tensor(vlm, diagram):
    pixels = vlm.pixels(PICTURE)
    view = boxes(diagram)["pixels"]["views"][""]
    assert view["shape"] == [1, 3, 224, 224]
    expected = [pixels.min(), pixels.mean(), pixels.max(), pixels.norm()]
    assert view["numbers"] == pytest.approx([value.item() for value in expected], rel=1e-3)
    likeness = boxes(diagram)["positions"]["views"][""]["pictures"][0]["cells"]
    assert likeness[30] == pytest.approx(1) and max(likeness) == likeness[30]


def test_the_code_shown_stands_in_the_file_at_that_line(diagram):
    for box in diagram["boxes"]:
        assert box["code"]
        for shown in box["code"]:
            lines = (ROOT / shown["file"]).read_text(encoding="utf-8").splitlines()
            there = lines[shown["line"] - 1 : shown["line"] - 1 + len(shown["code"].splitlines())]
            assert [line.strip() for line in there] == [line.strip() for line in shown["code"].splitlines()]


def test_an_excerpt_that_is_not_there_is_an_error():
    with pytest.raises(StopIteration):
        excerpt(VLM.pixels, "no such line")


def test_word_and_patch_out_of_range_are_the_nearest_there_are(vlm):
    drawn = draw_diagram(vlm, PICTURE, "en", word=10**6, patch=10**6)
    assert drawn["word"] == len(drawn["caption"]) - 1 and drawn["patch"] == 195


def test_every_box_is_named_and_explained_in_three_lines(diagram):
    for language in ("en", "zh"):
        for name in boxes(diagram):
            assert table(language)[f"box_{name}"]
            assert len(table(language)[f"tell_{name}"].splitlines()) == 3
        for label in re.findall(r'"label": "(\w+)"', json.dumps(diagram)):
            assert label in machine.WORDS


# The panel


def data(html):
    return json.loads(unescape(re.search(r'data-json="([^"]*)"', html).group(1)))


def drawn():
    sheet = Image.new("RGB", (224, 224), "white")
    ImageDraw.Draw(sheet).rectangle((50, 50, 125, 125), fill="red")
    return data_uri(sheet)


def test_the_panel_shows_the_model_that_speaks(vlm, monkeypatch):
    runs, bundled = Runs(), VLM(ModelConfig.classic(74)).eval()
    monkeypatch.setattr(speakers, "bundled_model", lambda: bundled)
    monkeypatch.setattr(speakers, "bundled_exam", lambda: None)
    runs._runs["mine"] = Run("mine", TrainConfig(), events=None, state="finished", vlm=vlm)
    asked = json.dumps({"word": 0, "patch": None})
    mine = data(answered(runs, machine.show_machine, asked, drawn(), "en", "run", "mine", None, "en"))
    assert mine["speaker"] == "run" and ("glances" in boxes(mine)) == bool(vlm.config.glances)
    patch = np.unravel_index(mine["patch"], (14, 14))
    assert set(patch) & {3, 7}, "some edge of the square is followed"
    theirs = data(answered(runs, machine.show_machine, asked, drawn(), "en", "bundled", "mine", None, "en"))
    assert theirs["speaker"] == "bundled" and theirs["layers"]["decoder"] == 2
