"""The report scores what it says on the scenes it says, beside what chance, the middle and random weights score."""

import json
import math

import pytest
import torch

from vlm_core import VLM, ModelConfig, UserError
from vlm_core.insight import report as report_module
from vlm_core.insight.report import bootstrap_interval, evaluate
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
    shares = numbers([report["captions"], report["grounding"]["words"], report["grounding"]["centre_prior"]])
    assert len(shares) > 40
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


@pytest.mark.parametrize("share", [0.25, 0.5, 0.96])
def test_the_interval_holds_the_mean_and_narrows_with_the_count(share):
    intervals = [bootstrap_interval(share, count) for count in (50, 200, 800)]
    assert all(0 <= low < share < high <= 1 for low, high in intervals)
    widths = [high - low for low, high in intervals]
    assert widths == sorted(widths, reverse=True)
    # As wide as the normal distribution has it: ± 1.96 deviations of a mean of yes-or-no outcomes.
    assert widths[-1] == pytest.approx(2 * 1.96 * math.sqrt(share * (1 - share) / 800), rel=0.15)


def test_outcomes_without_doubt_have_no_width():
    assert bootstrap_interval(0.0, 40) == (0, 0)
    assert bootstrap_interval(1.0, 40) == (1, 1)
