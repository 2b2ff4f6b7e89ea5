"""Projector mode, its shortcuts, light and dark."""

import re

import pytest

from tests.browser.hands import open_page, overlay, until, words

pytestmark = pytest.mark.browser
BESIDE = ("#samples", "#settings", "#speaker", "#studio", "#heading p")


def word_size(page):
    return float(page.locator("#lens-root .word .text").first.evaluate("e => e.getBoundingClientRect().height"))


def luminance(color):
    """Relative luminance (WCAG) of what the browser calls rgb(…)."""
    red, green, blue = (int(part) / 255 for part in re.findall(r"\d+", color)[:3])
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (red, green, blue)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(page, selector):
    """Contrast of an element's own colour against the page's ground."""
    ink, ground = page.evaluate(
        """(selector) => [getComputedStyle(document.querySelector(selector)).color,
                          getComputedStyle(document.querySelector(".gradio-container")).backgroundColor]""",
        selector,
    )
    lighter, darker = sorted([luminance(ink), luminance(ground)], reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_projector_shows_the_main_three_larger_and_black_on_white(page):
    open_page(page)
    page.click("#editor [data-shape=star]")
    until(page, lambda: "star" in words(page), "the star is named")
    plain = word_size(page)
    page.click("#present")
    until(page, lambda: word_size(page) > 1.2 * plain, "the words are larger")
    assert "present=1" in page.url and page.get_attribute("#present", "aria-pressed") == "true"
    assert not any(page.locator(part).is_visible() for part in BESIDE)
    assert all(page.locator(part).is_visible() for part in ("#editor canvas", "#train", "#ask", "#lens-root"))
    assert contrast(page, "#lens-root .word") > 20
    assert page.evaluate("document.documentElement.scrollWidth") <= 1281
    page.keyboard.press("p")
    until(page, lambda: word_size(page) < 1.1 * plain, "the words are as they were")
    assert page.locator("#samples").is_visible() and "present=" not in page.url


def test_keys_lead_through_steps_words_and_heads(page):
    page.goto("/?lesson=attention&present=1&lang=zh")
    page.wait_for_selector("#tour-card[data-done=false]")
    until(page, lambda: len(words(page)) > 3, "the picture is captioned")
    spoken = words(page)
    page.keyboard.press("PageDown")
    page.wait_for_selector('#tour-card[data-step="1"]')
    page.keyboard.press("b")
    page.wait_for_selector('#tour-card[data-step="0"]')
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert overlay(page)[0] == spoken[2]
    page.keyboard.press("ArrowLeft")
    assert overlay(page)[0] == spoken[1]
    head, map_before = page.input_value("#lens-head"), overlay(page)[1]
    page.keyboard.press("ArrowDown")
    assert page.input_value("#lens-head") != head and overlay(page)[1] != map_before
    page.keyboard.press("?")
    assert "快捷键" in page.inner_text("#shortcuts")
    page.keyboard.press("n")  # not while the help is open
    page.keyboard.press("Escape")
    page.wait_for_selector("#shortcuts[open]", state="hidden")
    assert page.get_attribute("#tour-card", "data-step") == "0"
    page.focus("#lens-head")
    page.keyboard.press("n")  # nor in a field
    assert page.get_attribute("#tour-card", "data-step") == "0"


def test_keys_do_nothing_outside_of_projector_mode(page):
    open_page(page)
    page.click("#editor [data-shape=star]")
    until(page, lambda: "star" in words(page), "the star is named")
    before = overlay(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("d")
    assert overlay(page) == before and not page.evaluate("document.body.classList.contains('dark')")


def test_light_and_dark_follow_the_system_and_the_switch(page):
    page.emulate_media(color_scheme="dark")
    open_page(page)
    until(page, lambda: page.evaluate("document.body.classList.contains('dark')"), "dark as the system is")
    assert page.inner_text("#theme") == "Light"
    for selector in ("h1", "h2", "#status .idle", "#lens .hint", "#lesson-label"):
        assert contrast(page, selector) >= 4.5, selector
    page.click("#theme")
    assert "__theme=light" in page.url and page.inner_text("#theme") == "Dark"
    for selector in ("h1", "h2", "#status .idle", "#lens .hint", "#lesson-label"):
        assert contrast(page, selector) >= 4.5, selector
    page.reload()
    page.wait_for_selector("#theme")
    assert page.inner_text("#theme") == "Dark" and not page.evaluate("document.body.classList.contains('dark')")
