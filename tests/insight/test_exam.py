"""A short exam agrees with the long report, on scenes that the report does not score."""

import pytest

from vlm_core import VLM
from vlm_core.config import ModelConfig
from vlm_core.insight import exam as exam_module
from vlm_core.insight import report as report_module
from vlm_core.insight.exam import examine
from vlm_core.insight.report import evaluate


def test_an_exam_tells_what_the_report_tells_within_its_uncertainty():
    vlm = VLM.from_pretrained()
    exam, report = examine(vlm, 2, "clean"), evaluate(vlm, 2, "clean", 100)
    words = report["grounding"]["words"]
    named = [words[f"{slot}.{language}"] for slot in ("color", "shape") for language in ("en", "zh")]
    assert exam.hit == pytest.approx(sum(score["hit"] for score in named) / 4, abs=0.1)
    assert exam.chance == pytest.approx(named[0]["chance"], abs=0.03)
    new = report["captions"]["held_out"]["exact_match"]
    assert exam.new_pairs == pytest.approx((new["en"]["mean"] + new["zh"]["mean"]) / 2, abs=0.15)


def test_its_scenes_are_none_of_the_reports(monkeypatch):
    asked = {}
    for module in (exam_module, report_module):
        seeds, ask = asked.setdefault(module.__name__, set()), module.evaluation_scenes

        def listen(*arguments, seeds=seeds, ask=ask):
            scenes = ask(*arguments)
            seeds.update(scene.seed for scene in scenes)
            return scenes

        monkeypatch.setattr(module, "evaluation_scenes", listen)
    exam_module._read_scenes.cache_clear()
    monkeypatch.setattr(exam_module, "SCENES", 4)
    evaluate(VLM(ModelConfig.lecture()).eval(), 2, "clean", 30)
    exam_module._read_scenes.cache_clear()
    its, reports = asked.values()
    assert len(its) == 4 and len(reports) == 30 and not its & reports
