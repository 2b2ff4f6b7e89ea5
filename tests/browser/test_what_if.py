"""Looks at or depends on, in a real browser: what is taken away or changed, and what the words make of it."""

import re

import pytest

from tests.browser.hands import open_page, until, words

pytestmark = pytest.mark.browser


def open_panel(page, query=""):
    """The panel, asked about a large blue heart above a small black star."""
    open_page(page, query)
    page.locator("#samples button").nth(2).click()
    until(page, lambda: words(page), "the picture is captioned")
    page.click("#studio [role=tab][id*=what_if]")
    page.locator("#what-if").scroll_into_view_if_needed()
    page.wait_for_selector("#what-if-rows tbody tr")
    settle(page)


def settle(page):
    """Wait for the answer to the last question."""
    asked = "({dataset}) => dataset.answered === dataset.asked"
    until(page, lambda: page.locator("#what-if-root").evaluate(asked), "the change is answered")


def spoken(page, line):
    return page.locator(f"#what-if-captions .{line} :not(.small)").all_inner_texts()


def hidden(page):
    return page.locator("#what-if-overlay .gone").count()


def chance(page, word, kind):
    """How likely a word was ("before") or is ("after")."""
    row = page.locator("#what-if-rows tr", has=page.locator(".word", has_text=re.compile(f"^{word}$"))).first
    return float(row.locator(f".{kind} b").inner_text().rstrip(" %")) / 100


def sweep(page, begin, end):
    """A stroke over the picture from one patch (column, row) to another."""
    page.locator("#what-if-stage").scroll_into_view_if_needed()
    box = page.locator("#what-if-stage").bounding_box()
    side = box["width"] / 14
    (x, y), (to_x, to_y) = [(box["x"] + (c + 0.5) * side, box["y"] + (r + 0.5) * side) for c, r in (begin, end)]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(to_x, to_y, steps=8)
    page.mouse.up()
    settle(page)


def test_brushed_out_patches_are_hidden_and_brushing_again_shows_them(page):
    open_panel(page)
    assert spoken(page, "said") == spoken(page, "says") == words(page)
    sweep(page, (2, 10), (9, 10))
    assert hidden(page) == 8 and "8 of 196" in page.inner_text("#what-if-count")
    sweep(page, (2, 10), (9, 10))
    assert hidden(page) == 0
    page.focus("#what-if-stage")
    for key in ("ArrowDown", "Space", "ArrowLeft", "Space"):
        page.keyboard.press(key)
    settle(page)
    assert hidden(page) == 2
    page.click("#what-if-all")
    settle(page)
    assert hidden(page) == 196 and chance(page, "heart", "after") < chance(page, "heart", "before")
    page.click("#what-if-reset")
    settle(page)
    assert hidden(page) == 0 and spoken(page, "said") == spoken(page, "says")


def test_where_attention_and_effect_disagree_the_page_says_so_and_a_word_s_need_is_measured(page):
    open_panel(page)
    page.locator("#what-if-rows .word", has_text="black").click()
    page.click("#what-if-looked")
    settle(page)
    assert chance(page, "black", "after") < chance(page, "black", "before") - 0.1
    row = page.locator("#what-if-rows tr", has=page.locator(".word", has_text="black")).first
    assert "needs it" in row.locator("xpath=following-sibling::tr[1]").inner_text()
    torn = page.locator("#what-if-rows .unneeded, #what-if-rows .unseen").count()
    assert torn and "disagree" in page.inner_text("#what-if-disagree")
    page.click("#what-if-measure")
    told = until(page, lambda: page.inner_text("#what-if-measured"), "the need is measured")
    numbers = re.search(r"“black”.* the (\d+) patches .*\((.)\d+ points\).* (\d+) patches .*16 draws", told)
    assert numbers and numbers.groups() == (str(hidden(page)), "−", str(hidden(page)))


def test_heads_words_and_colours_are_changed_and_the_caption_goes_on_from_there(page):
    open_panel(page)
    page.uncheck("#what-if-heads [data-key='layer 0']")
    settle(page)
    assert page.locator("#what-if-heads input:checked").count() == 0
    assert spoken(page, "says") != spoken(page, "said")
    page.check("#what-if-heads [data-key='layer 0']")
    settle(page)
    assert spoken(page, "says") == spoken(page, "said")

    page.select_option("#what-if-rows [data-key='force 1']", "small")
    settle(page)
    assert spoken(page, "says")[1] == "small" and page.locator("#what-if-rows .now em").count() == 1
    page.select_option("#what-if-rows [data-key='force 1']", "")
    settle(page)

    page.select_option("#what-if-colors [data-key='color 0']", "blue")
    page.select_option("#what-if-colors [data-key='color 1']", "red")
    settle(page)
    until(page, lambda: "red" in spoken(page, "says"), "the heart is seen in red")
    assert chance(page, "blue", "after") < 0.2
    assert page.locator("#what-if-captions .says mark").first.inner_text() == "red"


def test_changes_belong_to_their_picture(page):
    open_panel(page)
    page.click("#what-if-all")
    settle(page)
    page.locator("#samples button").nth(1).click()
    page.locator("#what-if").scroll_into_view_if_needed()
    until(page, lambda: hidden(page) == 0, "another picture begins untouched")
    until(page, lambda: spoken(page, "said") == words(page), "and it is about that one")


@pytest.mark.parametrize("viewport", [{"width": 390, "height": 844}])
def test_it_speaks_chinese_and_fits_a_phone(page, viewport):
    open_panel(page, "lang=zh")
    page.click("#what-if-all")
    settle(page)
    parts = (".changes", "#what-if-captions", ".effects > .small")
    told = "".join(page.inner_text(f"#what-if-root {part}") for part in parts)
    assert "遮住了 196 块" in told and not re.search("[a-z]{3}", told)
    page.click("#what-if-measure")
    until(page, lambda: "随机" in page.inner_text("#what-if-measured"), "the need is told in Chinese")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"] + 1
