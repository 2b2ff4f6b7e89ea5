"""Projector mode, its shortcuts, light and dark."""

import pytest

from tests.browser.hands import open_page, overlay, until, words

pytestmark = pytest.mark.browser
CONTRAST = """(selector) => {
    const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const rgba = (color) => { // whatever notation the browser uses for it
        pen.clearRect(0, 0, 1, 1);
        pen.fillStyle = color;
        pen.fillRect(0, 0, 1, 1);
        return [...pen.getImageData(0, 0, 1, 1).data];
    };
    const luminance = (color) => {
        const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        const [r, g, b] = rgba(color).map((part) => linear(part / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    let ground = document.querySelector(selector);
    const ink = getComputedStyle(ground).color;
    while (ground && rgba(getComputedStyle(ground).backgroundColor)[3] < 250) ground = ground.parentElement;
    const shades = [luminance(ink), ground ? luminance(getComputedStyle(ground).backgroundColor) : 1];
    return (Math.max(...shades) + 0.05) / (Math.min(...shades) + 0.05);
}"""
BESIDE = ("#samples", "#settings", "#speaker", "#studio", "#heading p")


def word_size(page):
    return float(page.locator("#lens-root .word .text").first.evaluate("e => e.getBoundingClientRect().height"))


def contrast(page, selector):
    """Contrast (WCAG, 1 to 21) of an element's letters against the ground they stand on."""
    return page.evaluate(CONTRAST, selector)


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
    until(page, lambda: contrast(page, "#lens-root .word") > 20, "words are black on white")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1281
    page.set_viewport_size({"width": 1280, "height": 1000})
    until(page, lambda: word_size(page) > 1.35 * plain, "larger still where the window is high")
    page.set_viewport_size({"width": 1280, "height": 800})
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
