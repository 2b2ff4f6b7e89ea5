"""A shape that the world does not have: cut out, drawn again, shown in scenes and told in captions."""

from random import Random

import numpy as np
import pytest
from PIL import Image, ImageDraw

from vlm_core import UserError, sample_scene
from vlm_core.scenes.batches import evaluation_scenes
from vlm_core.scenes.drawings import SIDE, cut_out, other_finishes, redraw
from vlm_core.scenes.newcomers import Newcomer, lesson_batch, read_word
from vlm_core.scenes.tokenizer import WordTokenizer

ARROW = [(40, 100), (150, 100), (120, 70), (150, 100), (120, 130)]
HOUSE = [(70, 160), (70, 90), (110, 50), (150, 90), (150, 160), (70, 160)]


def picture(corners, color="red", ground="white", width=10):
    image = Image.new("RGB", (224, 224), ground)
    ImageDraw.Draw(image).line(corners, fill=color, width=width, joint="curve")
    return image


def newcomer(word="arrow"):
    return Newcomer.of(word, [picture(ARROW), picture([(y, x) for x, y in ARROW], "blue")])


def test_what_is_cut_out_is_the_same_whatever_its_colour_and_paper():
    one, other = cut_out(picture(ARROW)), cut_out(picture(ARROW, "yellow", "black"))
    assert max(one.size) == SIDE
    assert (np.abs(np.asarray(one).astype(int) - np.asarray(other)) > 64).mean() < 0.01


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (Image.new("RGB", (224, 224), "white"), "nothing"),
        (picture([(100, 100), (108, 100)]), "small"),
        (picture([(0, 0), (224, 0), (112, 112), (0, 0)], width=30), "edge"),
    ],
    ids=["nothing", "small", "edge"],
)
def test_what_cannot_be_cut_out_is_refused_in_a_sentence(image, reason):
    with pytest.raises(UserError) as refused:
        cut_out(image)
    assert refused.value.reason == reason and str(refused.value).endswith(".")


@pytest.mark.parametrize("extent", [34, 90, 190])
def test_a_drawing_is_drawn_again_at_the_size_asked_for_and_never_twice_alike(extent):
    drawing, rng = cut_out(picture(HOUSE)), Random(0)
    drawn = [redraw(drawing, extent, rng) for _ in range(12)]
    assert all(abs(max(sheet.size) - extent) <= 2 for sheet in drawn)
    assert len({sheet.tobytes() for sheet in drawn}) == 12


def test_a_house_may_be_filled_but_a_ring_may_not():
    house, ring = cut_out(picture(HOUSE)), Image.new("RGB", (224, 224), "white")
    ImageDraw.Draw(ring).ellipse((50, 50, 150, 150), outline="green", width=25)
    (filled,) = other_finishes(house)
    assert np.asarray(filled).mean() > 1.5 * np.asarray(house).mean()
    assert other_finishes(cut_out(ring)) == []  # a ring filled is a circle
    (line,) = other_finishes(filled)
    assert np.asarray(line).mean() < np.asarray(filled).mean()


def test_a_newcomer_takes_an_object_s_place_in_picture_mask_and_caption():
    for seed in range(20):
        scene = sample_scene(seed, level=2)
        with_it = newcomer().among(scene, Random(seed))
        (index,) = [i for i, thing in enumerate(with_it.objects) if thing.shape == "arrow"]
        old, new = scene.objects[index], with_it.objects[index]
        assert (new.color, new.size, new.center, new.radius) == (old.color, old.size, old.center, old.radius)
        assert f"a {new.size} {new.color} arrow" in with_it.caption("en")
        assert "arrow" in with_it.caption("zh")
        rows, columns = np.nonzero(with_it.masks[index])
        assert len(rows) > 40
        assert abs(columns.mean() - new.center[0]) < new.radius and abs(rows.mean() - new.center[1]) < new.radius


@pytest.mark.parametrize("word", ["arrow", "箭头"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_captions_with_a_word_of_either_script_survive_the_tokenizer(word, language):
    tokenizer = WordTokenizer()
    for token in tokenizer.split(word, language):
        tokenizer.add_word(token)
    for scene in evaluation_scenes(12, 3, "clean"):
        text = newcomer(word).among(scene, Random(1)).caption(language)
        assert word in text
        assert tokenizer.decode(tokenizer.encode(text, language)) == text


@pytest.mark.parametrize(("typed", "word"), [(" Arrow ", "arrow"), ("箭头", "箭头"), ("z", "z"), ("星月", "星月")])
def test_a_new_word_is_read(typed, word):
    assert read_word(typed, WordTokenizer()) == word


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "empty"), ("  ", "empty"), ("two words", "letters"), ("arrow!", "letters"), ("箭head", "letters"),
        ("<b>", "letters"), ("a" * 17, "long"), ("箭" * 7, "long"), ("Star", "known"), ("星形", "known"),
        ("大", "known"), ("house", "known"),
    ],
)  # fmt: skip
def test_what_is_no_new_word_is_refused(typed, reason):
    with pytest.raises(UserError) as refused:
        read_word(typed, WordTokenizer(), taught=("house",))
    assert refused.value.reason == reason


def test_half_of_a_lesson_shows_the_newcomer_and_it_repeats():
    tokenizer = WordTokenizer()
    mine = tokenizer.add_word("arrow")
    arguments = {"run_seed": 0, "size": 16, "level": 3, "style": "drawn", "languages": ("en", "zh")}
    first, again = (lesson_batch(newcomer(), index=2, tokenizer=tokenizer, keep=48, **arguments) for _ in range(2))
    assert ((first.text == mine).any(axis=1)).sum() == 8
    np.testing.assert_array_equal(first.patches, again.patches)
    np.testing.assert_array_equal(first.text, again.text)
