"""What the lens lets a person do with a map: box an object and hold the map against it, scale the map to its peak."""

import math
import re

import pytest

from tests.browser.hands import draw, open_page, overlay, until, words

pytestmark = pytest.mark.browser


def drag(page, begin, end):
    """A box over the picture, from one place to another, in shares of it."""
    page.locator("#lens-stage").scroll_into_view_if_needed()
    area = page.locator("#lens-stage").bounding_box()
    (x, y), (to_x, to_y) = [(area["x"] + a * area["width"], area["y"] + b * area["height"]) for a, b in (begin, end)]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(to_x, to_y, steps=4)
    page.mouse.up()


def boxed(page):
    """Which columns and rows the box holds: (left, top, width, height)."""
    sides = page.locator("#lens-box").evaluate("({style: s}) => [s.left, s.top, s.width, s.height]")
    return tuple(round(float(side.rstrip("%")) / 100 * 14) for side in sides)


def test_a_boxed_drawing_has_a_truth_meter_and_nobody_is_asked(page):
    open_page(page)
    draw(page)
    until(page, lambda: words(page), "the drawing is captioned")
    page.locator("#lens-root .word").nth(2).hover()
    truth = page.locator("#lens-details .truth")
    assert truth.count() == 0
    asked = []
    page.on("request", lambda request: asked.append(request) if "queue/join" in request.url else None)
    drag(page, (0.2, 0.2), (0.8, 0.8))
    assert boxed(page) == (2, 2, 10, 10)
    assert truth.get_attribute("data-hit") == "true" and "what you boxed" in truth.inner_text()
    _, cells = overlay(page)
    inside = sum(share for i, share in enumerate(cells) if 2 <= i % 14 <= 11 and 2 <= i // 14 <= 11) / sum(cells)
    meter = float(page.get_attribute("#lens-details .truth meter", "value"))
    assert meter == pytest.approx(inside, abs=0.01)
    assert f"{100 * 100 / 196:.0f} %" in truth.inner_text()  # chance
    drag(page, (0.01, 0.9), (0.1, 0.99))
    assert truth.get_attribute("data-hit") == "false"
    page.click("#lens-boxing")
    assert truth.count() == 0 and page.locator("#lens-box").is_hidden()
    assert not asked


def test_the_box_goes_where_the_keyboard_moves_it_and_leaves_with_its_picture(page):
    open_page(page)
    page.locator("#samples button").nth(2).click()
    until(page, lambda: words(page), "the picture is captioned")
    page.focus("#lens-boxing")
    page.keyboard.press("Enter")
    assert boxed(page) == (4, 4, 6, 6)
    for key in ("ArrowLeft", "ArrowUp", "ArrowUp", "Shift+ArrowDown", "Shift+ArrowLeft", *["ArrowLeft"] * 9):
        page.keyboard.press(key)
    assert boxed(page) == (0, 2, 5, 7)
    page.keyboard.press("Delete")
    assert page.locator("#lens-box").is_hidden()
    drag(page, (0.2, 0.2), (0.8, 0.8))
    assert page.locator("#lens-overlay .object").count() == 0  # one thing at a time to hold the map against
    page.locator("#samples button").nth(1).click()
    until(page, lambda: page.locator("#lens-box").is_hidden(), "the box has gone with its picture")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_map_scaled_to_its_own_peak_is_marked_as_such(page, language):
    open_page(page, f"lang={language}")
    page.locator("#samples button").nth(2).click()
    until(page, lambda: words(page), "the picture is captioned")
    for word in page.locator("#lens-root .word").all():
        word.hover()
        _, cells = overlay(page)
        if max(cells) < 0.2:  # what is brighter than 25 % has the last colour as it is
            break
    brightest = f"[data-attention='{max(cells):.5f}']"
    fill = page.locator(f"#lens-overlay {brightest}").first
    absolute, told = fill.get_attribute("fill"), page.locator("#lens-scale-told")
    assert told.is_hidden() and "≥ 25 %" in page.inner_text("#lens-legend")
    page.check("#lens-own-scale")
    assert fill.get_attribute("fill") == "#fde725" != absolute
    assert told.inner_text() and page.get_attribute("#lens-stage", "data-scale") == "own"
    assert "25 %" not in page.inner_text("#lens-legend .top")
    assert overlay(page)[1] == cells  # the numbers are the same
    page.uncheck("#lens-own-scale")
    assert fill.get_attribute("fill") == absolute and told.is_hidden()


def test_beside_the_map_stand_alternatives_entropy_and_every_head_in_small(page):
    open_page(page)
    page.locator("#samples button").nth(2).click()
    until(page, lambda: len(words(page)) > 6, "the picture is captioned")
    page.locator("#lens-root .word").nth(2).hover()
    word, cells = overlay(page)
    shares = [entry.split() for entry in page.locator("#lens-details .alternatives li").all_inner_texts()]
    assert shares[0][0] == word and len({name for name, *_ in shares}) == len(shares) >= 5
    total = sum(cells)
    spread = -sum(share / total * math.log(share / total) for share in cells if share) / math.log(len(cells))
    told = float(re.search(r"([\d.]+) %", page.inner_text("#lens-details .entropy strong")).group(1))
    assert told == pytest.approx(100 * spread, abs=0.6)
    assert page.get_attribute("#lens-overlay .contour.under", "d")
    heads = page.locator("#lens-heads button")
    assert heads.count() == 3 and heads.locator("rect").count() > 0
    heads.nth(2).click()
    assert page.input_value("#lens-head") == "0.1" and heads.nth(2).get_attribute("aria-pressed") == "true"
    assert overlay(page)[1] != cells


@pytest.mark.parametrize("viewport", [{"width": 390, "height": 844}])
def test_a_tapped_word_has_its_map_in_view(page, viewport):
    open_page(page)
    page.locator("#samples button").nth(2).click()
    until(page, lambda: len(words(page)) > 6, "the picture is captioned")
    first = page.locator("#lens-root .word").first
    first.evaluate("word => scrollBy(0, word.getBoundingClientRect().top - innerHeight + 120)")  # its map is below
    stage = page.locator("#lens-stage")
    assert stage.bounding_box()["y"] > viewport["height"] - 100
    first.click()
    box = stage.bounding_box()
    assert box["y"] > 0 and box["y"] + box["height"] <= viewport["height"]
    assert first.bounding_box()["y"] >= 0
