"""Lessons in a real browser: opened by an address, followed with real actions, noticed by themselves."""

import re

import pytest

from tests.browser.hands import canvas, draw, message, open_page, until, words

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}
PARTS = ("#samples", "#settings", "#speaker", "#life", "#tab-machine-button", "#tab-audience-button")
UPPER_RIGHT = [(x, y) for row in range(6) for x, y in [(30, -120 + 44 * row), (170, -120 + 44 * row)]]


def open_lesson(page, name, query=""):
    """A lesson by its address, once its picture is captioned and its first step waits to be done."""
    page.goto(f"/?lesson={name}{query}")
    page.wait_for_selector("#tour-card[data-done=false]")
    page.wait_for_selector("#lens-root[data-done=true]")


def point_at(page, word):
    page.locator("#lens-root .word", has=page.locator(".text", has_text=re.compile(f"^{word}$"))).first.hover()


def done(page):
    page.wait_for_selector("#tour-card[data-done=true]")
    return page.inner_text("#tour-then")


def go_on(page):
    step = int(page.get_attribute("#tour-card", "data-step"))
    page.click("#tour-next")
    page.wait_for_selector(f'#tour-card[data-step="{step + 1}"]')


def assert_framed(page):
    """The frame is around the step's control, within the window, and the card leaves it free."""
    covered = """() => {
        const box = (id) => document.getElementById(id).getBoundingClientRect();
        const frame = box("tour-frame"), card = box("tour-card");
        const overlap = Math.min(frame.bottom, card.bottom) - Math.max(frame.top, card.top);
        return frame.height === 0 || overlap > 0 || frame.bottom > innerHeight || frame.top < 0;
    }"""
    until(page, lambda: not page.evaluate(covered), "the control is framed and free")


def test_address_opens_a_lesson_with_its_picture_and_nothing_else_beside_the_main_three(page):
    open_lesson(page, "look")
    assert words(page)[-1] == "heart" and canvas(page).min() < 128
    assert page.input_value("#lesson-menu") == "look"
    assert not any(page.locator(part).is_visible() for part in PARTS)
    assert all(page.locator(part).is_visible() for part in ("#editor canvas", "#train", "#ask", "#lens-root"))
    page.keyboard.press("Escape")
    page.wait_for_selector("#tour-card", state="detached")
    assert page.locator("#samples").is_visible() and page.locator("#settings").is_visible()
    assert "lesson=" not in page.url and page.locator("#tour-frame").is_hidden()


def test_a_whole_tour_is_followed_and_every_step_noticed(page):
    open_lesson(page, "look")
    told = page.inner_text("#tour-text")
    assert "moon" in told and page.inner_text("#tour-then") == ""
    assert_framed(page)
    point_at(page, "large")
    page.wait_for_timeout(400)
    assert page.get_attribute("#tour-card", "data-done") == "false", "another word is not the one asked for"
    point_at(page, "moon")
    assert "Done" in done(page)
    go_on(page)
    assert "step=2" in page.url and page.inner_text("#tour-text") != told
    point_at(page, "heart")
    done(page)
    go_on(page)
    assert_framed(page)
    page.click("#what-if-looked")
    done(page)
    go_on(page)
    assert_framed(page)
    page.check("#editor .eraser")
    draw(page, UPPER_RIGHT)
    done(page)
    assert "heart" not in words(page)
    page.click("#tour-back")
    assert "step=3" in page.url
    go_on(page)
    assert page.inner_text("#tour-next") == "Finish"
    page.click("#tour-next")
    page.wait_for_selector("#tour-card", state="detached")


def test_lesson_is_told_in_chinese_and_goes_on_in_english(page):
    open_lesson(page, "languages", "&lang=zh")
    assert words(page)[0] == "上" and page.inner_text("#tour-next") == "下一步"
    point_at(page, "红")
    assert "完成" in done(page)
    page.locator("#language label").nth(0).click()
    until(page, lambda: "Done" in page.inner_text("#tour-then"), "the card speaks English")
    assert page.locator("#lesson-menu option:checked").inner_text() == "Chinese and English side by side"


def test_training_is_set_and_its_progress_noticed(page):
    page.goto("/?lesson=watch")
    page.wait_for_selector("#tour-card")
    until(page, lambda: words(page), "the lesson's picture is captioned")
    page.click("#train")
    done(page)
    page.wait_for_selector("#status [data-run]")
    assert page.locator("#status .facts").inner_text().count("left") == 1
    page.click("#stop")
    page.wait_for_selector('#status [data-state="stopped"]')
    page.keyboard.press("Escape")
    page.locator("#settings button").first.click()
    assert page.input_value("#seconds input") == "30"
    assert page.locator("#level input:checked").input_value() == "1"


def test_the_menu_opens_lessons_and_a_step_may_bring_its_own_picture(page):
    open_page(page)
    page.select_option("#lesson-menu", "fails")
    until(page, lambda: "triangle" in words(page), "the letter A is a triangle to it")
    page.click("#tour-next")
    until(page, lambda: "moon" in words(page), "the step's picture is captioned")
    until(page, lambda: page.get_attribute("#tour-card", "data-done") == "false", "the step is yet to be done")
    page.click("#tour-back")
    until(page, lambda: "triangle" in words(page), "the lesson's own picture is back")
    page.select_option("#lesson-menu", "")
    page.wait_for_selector("#tour-card", state="detached")


def test_unknown_lesson_gets_a_sentence(page):
    page.goto("/?lesson=alchemy&lang=zh")
    assert "没有名为“alchemy”的课程" in message(page)
    assert page.locator("#tour-card").count() == 0 and "lesson=" not in page.url


@pytest.mark.parametrize("viewport", [PHONE])
def test_tour_on_a_phone(page, viewport):
    open_lesson(page, "attention", "&step=2")
    assert_framed(page)
    wide = page.evaluate(
        """() => [...document.querySelectorAll("#header *, #tour *, #columns *, #studio *")]
            .filter((element) => element.checkVisibility() && element.getBoundingClientRect().right > innerWidth + 1)
            .map((element) => element.outerHTML)"""
    )
    assert not wide, wide[:3]
    point_at(page, "orange")
    done(page)
    card = page.locator("#tour-card").bounding_box()
    assert card["width"] <= 390 and card["height"] <= 0.45 * 844 and card["y"] + card["height"] <= 845
    go_on(page)
    assert_framed(page)
