"""Race, past runs and the training panel's views, as plain functions: no server and no browser."""

import re
from html import escape

import gradio as gr
import pytest

from vlm_core.app.panels import ledger, race, training
from vlm_core.app.runs import MOST_LIVE, Run, Runs
from vlm_core.app.settings import KINDS, configure, recalled, say_settings, settings_of
from vlm_core.app.texts import table
from vlm_core.config import TrainConfig
from vlm_core.errors import UserError
from vlm_core.learning.controls import Controls, Steering
from vlm_core.learning.signals import Signal
from vlm_core.learning.stages import Moment

SETTINGS = settings_of(TrainConfig(seconds=5, level=1, style="clean", seed=3))


def run(run_id="first", state="finished", config=None, scored=True, **told):
    """A run that was there, with two evaluations and two batches of signals."""
    found = Run(run_id, config or configure(*SETTINGS), None, state=state, parameters=1234, **told)
    found.losses = [(0.1, 4.0), (0.5, 2.0), (1.0, 0.5)]
    if scored:
        for share in (0.5, 1.0):
            found.scores.append(
                {"share": share, "step": int(40 * share), "exact_match": {"en": share / 2, "zh": share / 4},
                 "slots": {}, "hit": 0.8, "mass": 0.6, "chance": 0.1, "new_pairs": 0.2}
            )  # fmt: skip
            found.signals.append((share, {"color": Signal(0.9 * share, 0.2), "function": Signal(1.0, 0.5)}))
    return found


def keeping(*kept):
    runs = Runs()
    runs._runs = {each.id: each for each in kept}
    return runs


# Settings


def test_every_setting_has_a_control_in_the_order_of_the_address():
    with gr.Blocks():
        panel = training.build("en")
    assert len(panel.settings) == len(KINDS)
    shown = [component.value or [] if name == "sabotage" else component.value for name, component in
             zip(KINDS, panel.settings, strict=True)]  # fmt: skip
    assert tuple(shown) == settings_of(TrainConfig())  # the page begins with the recipe


@pytest.mark.parametrize("language", ["en", "zh"])
def test_settings_in_words_name_what_is_unusual_and_never_the_fault(language):
    usual = say_settings(TrainConfig(), language)
    told = say_settings(TrainConfig(optimizer="adamw", heads=4, sabotage=("red_circles",)), language)
    words = table(language)
    assert words["optimizer_adamw"] not in usual and words["optimizer_adamw"] in told
    assert words["heads_4"] in told and words["spoiled"] in told and words["sabotage_red_circles"] not in told


def test_a_budget_of_steps_is_told_in_place_of_seconds():
    told = say_settings(TrainConfig(seconds=None, steps=1200), "en")
    assert "Steps 1,200" in told and "Seconds" not in told


def test_a_run_is_recalled_with_its_settings_and_an_unknown_one_is_told():
    kept = run("kept")
    assert recalled(keeping(kept), "kept", "en") == ("kept", "run", *SETTINGS)
    with pytest.raises(UserError, match="no longer kept"):
        recalled(keeping(kept), "other", "en")


# The training panel


def test_only_what_changed_is_sent():
    shown = run(state="running")
    seen = training.seen_of(shown, False)
    everything = training.updates(shown, "en", training.NOTHING_SEEN, seen)
    assert [index for index, update in enumerate(everything) if update == gr.skip()] == [3]  # nobody sees the measures
    shown.version += 1
    later = training.updates(shown, "en", seen, training.seen_of(shown, False))
    assert [index for index, update in enumerate(later) if update != gr.skip()] == [0, 1]
    shown.state = "paused"
    later = training.updates(shown, "en", seen, training.seen_of(shown, True))
    assert [update == gr.skip() for update in later] == [False] * 10


def test_the_slider_is_there_while_the_rate_can_be_changed_and_begins_at_the_run_s_own():
    live = run(state="running", controls=Controls(), config=TrainConfig(learning_rate=0.5))
    slider = training.updates(live, "en", training.NOTHING_SEEN, training.seen_of(live, False))[-1]
    assert slider["visible"] and slider["value"] == 0.5
    live.controls.learning_rate = 2.0
    assert training.updates(live, "en", training.NOTHING_SEEN, training.seen_of(live, False))[-1]["value"] == 2.0
    ended = run(controls=Controls())
    assert not training.updates(ended, "en", training.NOTHING_SEEN, training.seen_of(ended, False))[-1]["visible"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_steered_run_says_so_with_the_step(language):
    steered = run(controls=Controls())
    assert 'class="steered"' not in training.show_progress(steered, language)
    steered.controls.steered = (Steering(123, 2.0),)
    assert "123" in re.search(r'class="steered">([^<]*)<', training.show_progress(steered, language)).group(1)
    assert table(language)["ledger_steered"] in ledger.show_ledger([steered], "", language)


def test_stages_are_marked_where_they_were_seen_and_others_are_not():
    shown = run()
    assert 'class="stage' not in training.show_curves(shown, "en")
    shown.stages = {"language": Moment(7, 0.1), "association": Moment(90, 0.6)}
    drawn = training.show_curves(shown, "en")
    assert re.findall(r'<text class="stage"[^>]*>(\d)<', drawn) == ["1", "3"]
    assert re.findall(r'data-stage="(\w+)" data-step="(\d+)"', drawn) == [("language", "7"), ("association", "90")]
    meanings = training.show_measures(shown, "en")
    assert meanings.count('data-seen="true"') == 2 and meanings.count('data-seen="false"') == 2


def test_numbers_of_stages_that_came_close_together_can_both_be_read():
    shown = run()
    shown.stages = {"language": Moment(7, 0.1), "visual": Moment(8, 0.101), "association": Moment(90, 0.9)}
    places = [int(x) for x in re.findall(r'<text class="stage" x="(\d+)"', training.show_curves(shown, "en"))]
    assert places[1] - places[0] >= 13 and places[2] > places[1]


def test_measures_show_each_kind_of_word_beside_what_guessing_gets():
    told = training.show_measures(run(), "en")
    assert re.findall(r'data-slot="(\w+)"', told) == ["color", "function"]
    assert '--now:0.900;--base:0.200' in told and "90 %" in told
    assert re.findall(r'data-map="(\w+)"', told) == ["hit", "mass"] and "--now:0.600;--base:0.100" in told
    assert "<svg" not in training.show_measures(run(scored=False), "en")


def test_curves_of_a_long_run_stay_small():
    shown = run(scored=False)
    shown.losses = [(i / 240, 3.0) for i in range(240)]
    assert len(training.show_curves(shown, "en")) < 4500


# Race


def begin(runs, *asked):
    begun = []

    def start_all(configs, picture):
        begun.extend(configs)
        return [run(str(place), "running", config) for place, config in enumerate(configs)]

    runs.start_all = start_all
    return race.start_race(runs, *asked), begun


@pytest.mark.parametrize("differs", race.VARIED)
def test_racers_differ_in_one_setting_alone(differs):
    first, second = race.VARIED[differs]
    told, (one, other) = begin(Runs(), differs, first, second, "en", "", *SETTINGS)
    assert told == ["0", "1", differs]
    place = list(KINDS).index(differs)
    rest = [[*settings_of(config)[:place], *settings_of(config)[place + 1 :]] for config in (one, other)]
    assert rest[0] == rest[1] == [*SETTINGS[:place], *SETTINGS[place + 1 :]]
    assert [settings_of(config)[place] for config in (one, other)] == [first, second]
    assert {first, second} <= {value for _, value in race.values_of(differs, "zh")}


def test_a_race_against_itself_or_without_room_is_refused():
    with pytest.raises(UserError, match="two different"):
        race.start_race(Runs(), "heads", 2, 2, "en", "", *SETTINGS)
    runs = keeping(*(run(str(number), "running") for number in range(MOST_LIVE - 1)))
    with pytest.raises(UserError, match="try again"):
        race.start_race(runs, "heads", 1, 2, "en", "", *SETTINGS)
    assert len(runs._runs) == MOST_LIVE - 1


@pytest.mark.parametrize("asked", ["", "a.b", "a.b.seconds", "a.b.preset.c"])
def test_an_address_that_names_no_race_gives_none(asked):
    assert race.race_asked(asked) == race.NO_RACE
    view, start, *buttons, timer = race.watch(Runs(), race.race_asked(asked), "en")
    assert view == "" and not any(button["visible"] for button in buttons) and not timer["active"]
    assert start["interactive"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_both_racers_are_drawn_on_the_same_axes_and_their_scores_told(language):
    racers = [run("a", config=configure(*SETTINGS[:4], preset, *SETTINGS[5:])) for preset in ("classic", "lecture")]
    racers[1].id, racers[1].scores = "b", [{**racers[1].scores[-1], "exact_match": {"en": 0.97, "zh": 0.97}}]
    view, start, stop, *taking, timer = race.watch(keeping(*racers), ["a", "b", "preset"], language)
    assert view.count("<svg") == 2 and view.count("<polyline") == 4
    words = table(language)
    assert escape(words["preset_classic"]) in view and words["preset_lecture"] in view
    assert "<td>50 %</td><td>97 %</td>" in view and "1,234" in view and words["race_one_each"] in view
    assert start["interactive"] and not stop["visible"] and not timer["active"]
    assert all(button["visible"] for button in taking)
    racers[0].state = "running"
    _, start, stop, *_, timer = race.watch(keeping(*racers), ["a", "b", "preset"], language)
    assert stop["visible"] and timer["active"] and not start["interactive"]


def test_a_race_is_told_from_its_first_step_on():
    racers = [run(name, "running", scored=False) for name in "ab"]
    view, _, _, *taking, _ = race.watch(keeping(*racers), ["a", "b", "seed"], "en")
    assert "<table" not in view and not any(button["visible"] for button in taking)


# Past runs


def test_a_browser_s_runs_are_listed_newest_first_and_nobody_else_s():
    runs = keeping(run("old"), run("new", "running"), run("somebody's"))
    listed = ledger.kept(runs, "new,gone,old new running")
    assert [each.id for each in listed] == ["new", "old"]
    told = ledger.show_ledger(listed, "new", "en")
    assert re.findall(r'data-listed="([^"]*)"', told) == ["new", "old"]
    assert re.findall(r'data-recall="([^"]*)"', told) == ["old"]  # the other one is on the page
    assert "somebody" not in told and told.count("<svg") == 2
    assert "English 50%" in told and "Seconds 5" in told


@pytest.mark.parametrize("nothing", ["", " undefined undefined", ",,, x"])
def test_a_browser_without_runs_is_told_so(nothing):
    assert ledger.show_ledger(ledger.kept(keeping(run()), nothing), "", "en").count("<p>") == 1


def test_no_more_runs_are_asked_for_than_are_listed():
    runs = keeping(*(run(str(number)) for number in range(2 * ledger.MOST_LISTED)))
    assert len(ledger.kept(runs, ",".join(runs._runs))) == ledger.MOST_LISTED
