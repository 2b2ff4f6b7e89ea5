"""Sabotage on the page: a spoiled run says so, and a diagnosis says what it did to the model."""

from dataclasses import replace

import pytest

from vlm_core import UserError
from vlm_core.app.faults import FAULTS, read_faults, warn_of_faults
from vlm_core.app.panels import sabotage, training
from vlm_core.app.panels.sabotage import diagnose, show_findings
from vlm_core.app.runs import Run, Runs
from vlm_core.app.settings import KINDS, settings_asked
from vlm_core.app.texts import table
from vlm_core.config import SABOTAGES, TrainConfig
from vlm_core.insight.symptoms import Symptoms

SOUND = Symptoms(red=0.01, center=0.0, single=0.02, exact=0.97, pointing=0.99, chance=0.1, occlusion=0.9)


def test_every_fault_has_its_words():
    assert tuple(FAULTS) == SABOTAGES


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_spoiled_run_says_so_and_a_sound_one_does_not(language):
    for faults in ((), ("red_circles",)):
        config = TrainConfig(sabotage=faults)
        warned = warn_of_faults(config, language)
        assert bool(warned) == bool(faults)
        assert warned in training.show_progress(Run("secret", config, None), language)


def test_an_address_asks_for_faults_by_name():
    place = list(KINDS).index("sabotage")
    assert settings_asked({"sabotage": "red_circles,one_position"})[place] == ["red_circles", "one_position"]
    assert set(settings_asked({"sabotage": "rain"})) == {None}
    assert read_faults("") == []


def test_what_differs_from_the_sound_model_is_marked():
    found = ("run", replace(SOUND, red=0.93, exact=0.88), SOUND, ("red_circles",))
    shown = show_findings(found, False, "en")
    assert 'data-symptom="red" data-striking="true"' in shown and 'data-symptom="exact" data-striking="false"' in shown
    assert "93%" in shown and "every circle is called red" not in shown
    assert "every circle is called red" in show_findings(found, True, "en")
    assert "圆形全说成红色" in show_findings(found, True, "zh")
    assert "sound" in show_findings((*found[:3], ()), True, "en")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_a_level_cannot_ask_is_said_to_be_so(language):
    alone = replace(SOUND, single=None)
    shown = show_findings(("run", alone, alone, ()), False, language)
    assert table(language)["symptom_not_asked"] in shown and "None" not in shown


def test_the_bundled_model_is_compared_with_itself(monkeypatch):
    monkeypatch.setattr(sabotage, "healthy_symptoms", lambda level, style: SOUND)
    found, shown = diagnose(Runs(), "run", "", None, False, "en")
    assert found == ("bundled", SOUND, SOUND, ()) and 'data-striking="true"' not in shown


def test_an_untrained_model_is_not_diagnosed():
    from vlm_core import VLM, ModelConfig

    runs = Runs()
    run = runs.start(TrainConfig(), None, lambda config, picture: (event for event in ()))
    run.vlm = VLM(ModelConfig.lecture())
    with pytest.raises(UserError, match="untrained"):
        diagnose(runs, "run", run.id, None, False, "en")
