"""The report scores what it says on the scenes it says, beside what chance, the middle and random weights score."""

import json
import math

import pytest
import torch

from vlm_core import VLM, ModelConfig, UserError
from vlm_core.insight import report as report_module
from vlm_core.insight.report import evaluate
from vlm_core.insight.report_figure import draw_report
from vlm_core.scenes.world import HELD_OUT_PAIRS

COUNT = 12


def untrained(preset: str = "lecture") -> VLM:
    torch.manual_seed(3)
    return VLM(ModelConfig.preset(preset, ModelConfig.lecture().vocab_size))


def scene_pairs(monkeypatch) -> dict[str, list]:
    """The scenes that `evaluate` asks for, by kind of pairs, filled while it runs."""
    asked: dict[str, list] = {}
    ask = report_module.evaluation_scenes

    def listen(count, level, style, pairs, first):
        scenes = ask(count, level, style, pairs, first)
        asked.setdefault(pairs, []).extend(scenes)
        return scenes

    monkeypatch.setattr(report_module, "evaluation_scenes", listen)
    return asked


def numbers(value) -> list[float]:
    """Every number in nested dicts and lists."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [number for part in value for number in numbers(part)]
    return [value] if isinstance(value, int | float) else []


@pytest.mark.parametrize("preset", ["lecture", "classic"])
@pytest.mark.parametrize("level", [1, 2, 3])
def test_every_figure_is_finite_and_a_share_even_for_few_scenes(preset, level):
    report = evaluate(untrained(preset), level, "drawn", 2)
    assert {"color.en", "shape.zh", "size.en"} <= report["grounding"]["words"].keys()
    grounding = report["grounding"]
    shares = numbers([report["captions"], grounding["words"], grounding["centre_prior"], grounding["untrained"]])
    assert len(shares) > 100
    assert all(math.isfinite(share) and -1e-5 <= share <= 1 + 1e-5 for share in shares)
    json.dumps(report, allow_nan=False)


def test_held_out_pairs_are_in_every_held_out_scene_and_in_no_other(monkeypatch):
    asked = scene_pairs(monkeypatch)
    evaluate(untrained(), 2, "clean", COUNT)
    assert {pairs: len(scenes) for pairs, scenes in asked.items()} == {"seen": COUNT, "held_out": COUNT}
    for scene in asked["held_out"]:
        assert any((thing.color, thing.shape) in HELD_OUT_PAIRS for thing in scene.objects)
    for scene in asked["seen"]:
        assert not any((thing.color, thing.shape) in HELD_OUT_PAIRS for thing in scene.objects)


def test_batches_join_to_exactly_the_scenes_asked_for(monkeypatch):
    monkeypatch.setattr(report_module, "BATCH", 5)
    asked = scene_pairs(monkeypatch)
    in_parts = evaluate(untrained(), 1, "clean", COUNT)
    seeds = [scene.seed for scene in asked["seen"]]
    assert len(seeds) == len(set(seeds)) == COUNT
    monkeypatch.setattr(report_module, "BATCH", 50)
    whole = evaluate(untrained(), 1, "clean", COUNT)
    assert numbers(in_parts) == pytest.approx(numbers(whole), abs=1e-5)


def test_the_exact_match_is_that_of_the_captions_the_model_writes(monkeypatch):
    asked = scene_pairs(monkeypatch)
    vlm = VLM.from_pretrained()
    report = evaluate(vlm, 2, "drawn", 20)
    assert asked.keys() == {"seen", "held_out"}
    for pairs, scenes in asked.items():
        for language, score in report["captions"][pairs]["exact_match"].items():
            right = sum(vlm.caption(scene.image, language).text == scene.caption(language) for scene in scenes)
            assert score["mean"] == pytest.approx(right / len(scenes))


def test_a_trained_model_points_better_than_random_weights_and_chance():
    grounding = evaluate(VLM.from_pretrained(), 2, "clean", 30)["grounding"]
    trained, random = grounding["words"]["shape.en"], grounding["untrained"]["shape.en"]
    assert trained["hit"] > random["hit"]
    assert trained["mass"] > 2 * trained["chance"]
    assert trained["chance"] == pytest.approx(random["chance"])


def test_the_head_named_is_the_one_that_points_best():
    vlm = untrained()
    with torch.no_grad():  # Head 1 of the only layer gets keys without a direction: it looks everywhere alike.
        vlm.decoder.blocks[0].cross_attention.key.weight[:32] = 0
        vlm.decoder.blocks[0].cross_attention.key.bias[:32] = 0
    assert evaluate(vlm, 1, "clean", 20)["grounding"]["head"] == {"layer": 0, "head": 1}


def test_a_report_leaves_the_callers_random_numbers_alone():
    vlm = untrained()
    state = torch.get_rng_state()
    first, again = evaluate(vlm, 1, "clean", 3), evaluate(vlm, 1, "clean", 3)
    assert torch.equal(torch.get_rng_state(), state)
    assert first == again


@pytest.mark.parametrize("settings", [(9, "clean", 5), (1, "oil", 5), (1, "clean", 0)])
def test_what_cannot_be_evaluated_is_refused(settings):
    with pytest.raises(UserError):
        evaluate(untrained(), *settings)


def test_hiding_what_a_trained_model_attends_to_costs_more_than_hiding_patches_by_lot():
    occlusion = evaluate(VLM.from_pretrained(), 2, "clean", 30)["occlusion"]
    assert occlusion["attended"] > 5 * occlusion["random"]
    assert occlusion["median_ratio"] > 5
    curves = occlusion["curves"]
    assert sum(curves["deletion"]) < sum(curves["deletion_random"])
    assert sum(curves["insertion"]) > sum(curves["insertion_random"])


def test_the_figure_of_a_report_can_be_drawn_for_every_level():
    for level in (1, 3):
        drawn = draw_report(evaluate(untrained(), level, "clean", 3))
        assert drawn.size == (1400, 1000)
        assert len(drawn.getcolors(1 << 20)) > 50  # bars, markers and words, not an empty sheet
