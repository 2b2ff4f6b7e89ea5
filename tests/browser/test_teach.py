"""Teach it a word, as a person does: drawings added one by one, a word, a lesson, and the model that has it speaks."""

import pytest

from tests.browser.hands import caption, draw, message, open_page, until
from vlm_core.app.texts import text

pytestmark = pytest.mark.browser

STROKES = [((-55, 0), (55, 0)), ((25, -30), (55, 0), (25, 30))]


def open_panel(page, language="en"):
    open_page(page, f"lang={language}")
    page.get_by_role("tab", name=text(language, "teach_title")).click()
    page.wait_for_selector("#teach-add")


def add_drawings(page, count):
    for number in range(count):
        page.locator("#editor input[name=paint]").nth(number).check()
        for stroke in STROKES:
            draw(page, [(x - 5 * number, y + 5 * number) for x, y in stroke])
        page.wait_for_function("document.querySelector('#lens-root .word')")
        page.click("#teach-add")
        until(page, lambda: thumbnails(page).count() == number + 1, "the drawing is in the strip")  # noqa: B023


def thumbnails(page):
    return page.locator("#teach-strip button")


def teach(page, word):
    page.fill("#teach-word input, #teach-word textarea", word)
    page.fill("#teach-seconds input", "1")
    page.click("#teach-start")


def test_a_word_is_taught_from_drawings_and_can_be_taken_back(page):
    open_panel(page)
    page.click("#teach-start")
    assert "at least one drawing" in message(page)
    add_drawings(page, 3)
    thumbnails(page).first.click()
    until(page, lambda: thumbnails(page).count() == 2, "one drawing is taken away")
    teach(page, "star")
    until(page, lambda: "knows the word “star”" in page.inner_text("#message"), "a known word is refused")
    teach(page, "arrow")
    page.wait_for_selector("#teach-status .lesson[data-state=finished][data-lessons='2']", timeout=60_000)
    told = page.inner_text("#teach-status")
    assert "“arrow”" in told and "75 tokens" in told and "…" not in page.inner_text("#teach-status table")
    draw(page, STROKES[0])
    assert caption(page)
    assert "taught here: arrow" in page.inner_text("#note")
    page.click("#teach-forget")
    until(page, lambda: not page.locator("#teach-forget").is_visible(), "the lesson is gone")
    until(page, lambda: "bundled model" in page.inner_text("#note"), "the bundled model speaks again")


@pytest.mark.parametrize("viewport", [{"width": 390, "height": 844}], ids=["phone"])
def test_a_chinese_word_is_taught_on_a_phone(page, viewport):
    open_panel(page, "zh")
    add_drawings(page, 1)
    teach(page, "箭头")
    page.wait_for_selector("#teach-status .lesson[data-state=finished][data-lessons='2']", timeout=60_000)
    assert "“箭头”" in page.inner_text("#teach-status") and "76 个词元" in page.inner_text("#teach-status")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
