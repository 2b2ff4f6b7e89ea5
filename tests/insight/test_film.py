"""The life of a run as a film: a frame for each moment, one scale, the chosen word kept."""

import io

import numpy as np
import pytest
from PIL import Image

from vlm_core.errors import UserError
from vlm_core.insight.film import LAST_MS, MOST_MOMENTS, TOP, Moment, draw_film, find_word
from vlm_core.model.generation import Caption, GeneratedToken

WHITE = Image.new("RGB", (224, 224), "white")
WORDS = {"step": "第 {step} 步", "elapsed": "{seconds} 秒", "silent": "什么也没说"}


def moment(step, *texts, row=4):
    maps = np.zeros((1, 1, 14, 14), np.float32)
    maps[..., row, 5] = 0.2
    tokens = tuple(GeneratedToken(7, text, 0.6, ((text, 0.6),), maps, np.zeros((1, 1))) for text in texts)
    return Moment(step, step / 10, Caption(" ".join(texts), tokens, "en"))


def frames(content):
    film = Image.open(io.BytesIO(content))
    assert film.format == "GIF"
    shown, durations = [], []
    for place in range(film.n_frames):
        film.seek(place)
        shown.append(np.asarray(film.convert("RGB"), dtype=int))
        durations.append(film.info["duration"])
    return shown, durations


@pytest.mark.parametrize("chosen", [(1, "red"), None])
def test_a_film_has_a_frame_for_each_moment_and_rests_on_the_last(chosen):
    life = [moment(1), moment(5, "a", "blue"), moment(9, "a", "red", "star")]
    shown, durations = frames(draw_film(WHITE, life, WORDS, chosen))
    assert len(shown) == 3 and len({frame.shape for frame in shown}) == 1
    assert durations[-1] == LAST_MS > durations[0]


def test_what_changes_between_two_moments_is_the_map_where_nothing_else_does():
    shown, _ = frames(draw_film(WHITE, [moment(4, "red"), moment(4, "red", row=9)], WORDS, (0, "red")))
    rows = np.flatnonzero((shown[0] != shown[1]).any(axis=(1, 2)))
    assert len(rows) and rows.min() > TOP + 4 * 32 - 4 and rows.max() < TOP + 10 * 32 + 4


def test_a_model_that_babbles_makes_no_endless_frame():
    long = frames(draw_film(WHITE, [moment(1, *["circle"] * 62)], WORDS))[0][0]
    longer = frames(draw_film(WHITE, [moment(1, *["circle"] * 30)], WORDS))[0][0]
    assert long.shape == longer.shape
    chosen = frames(draw_film(WHITE, [moment(1, *["circle"] * 62)], WORDS, (0, "circle")))[0][0]
    assert chosen.shape[0] < 900


@pytest.mark.parametrize("count", [0, MOST_MOMENTS + 1])
def test_no_film_of_nothing_nor_of_too_much(count):
    with pytest.raises(UserError, match=f"1 to {MOST_MOMENTS}"):
        draw_film(WHITE, [moment(1, "red")] * count, WORDS)


def test_the_chosen_word_is_found_again_wherever_it_stands():
    assert find_word(["a", "red", "star"], 1, "red") == 1
    assert find_word(["a", "small", "red", "star"], 1, "red") == 2
    assert find_word(["a", "x", "b", "a"], 3, "a") == 3  # the nearest of two
    assert find_word(["a", "blue"], 1, "red") == 1  # what it says there instead
    assert find_word(["a"], 5, "red") == 0
    assert find_word([], 1, "red") is None
