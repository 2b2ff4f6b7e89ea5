"""The time machine in a real browser: scores of each moment, the chosen word kept, a film to take along."""

import pytest
from PIL import Image

from tests.browser.hands import LEVEL_ONE, open_page, overlay, train, until, wait_for_state, words

pytestmark = pytest.mark.browser

SETTINGS = LEVEL_ONE.replace("seconds=60", "seconds=24")


def go_to(page, slider, moment):
    """Move the slider and wait for what is told of that moment, and for its caption."""
    told = page.inner_text("#life-moment")
    slider.fill(str(moment))
    until(page, lambda: page.inner_text("#life-moment") not in ("", told), "another moment is told")
    step = page.get_attribute("#life-moment p", "data-step")
    until(page, lambda: f"as it was at step {step}." in page.inner_text("#note"), "the model of then speaks")


def chosen_word(page):
    return page.get_attribute("#lens-root .word[aria-pressed=true]", "data-index"), overlay(page)[0]


def test_a_moment_tells_its_scores_keeps_the_word_and_makes_a_film(page, tmp_path):
    open_page(page, SETTINGS)
    page.locator("#samples button").nth(0).click()
    until(page, lambda: "heart" in words(page), "the picture is captioned")
    train(page)
    slider = page.locator("#life-slider input[type=range]")
    until(page, lambda: slider.is_visible() and int(slider.get_attribute("max")) >= 6, "a life to look back on")
    page.click("#stop")
    wait_for_state(page, "stopped")
    last = int(slider.get_attribute("max"))
    go_to(page, slider, last)
    assert "measured at step" in page.inner_text("#life-moment")
    page.locator("#lens-root .word").last.click()
    chosen = chosen_word(page)
    slider.fill("0")  # the run's beginning, where there may be no such word
    until(page, lambda: "random" in page.inner_text("#note .untrained"), "the untrained model speaks")
    until(page, lambda: page.get_attribute("#life-moment p", "data-step") == "0", "it is told as step 0")
    go_to(page, slider, last)
    until(page, lambda: chosen_word(page) == chosen, "the chosen word is still chosen")
    page.set_default_timeout(60_000)
    with page.expect_download() as download:
        page.click("#film")
    download.value.save_as(tmp_path / "life.gif")
    assert download.value.suggested_filename == "life.gif"
    film = Image.open(tmp_path / "life.gif")
    assert film.format == "GIF" and film.n_frames == last + 1
