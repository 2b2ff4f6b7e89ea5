"""The diagram of the model: it follows picture, word and patch, opens box by box, and rests while nobody sees it."""

import pytest

from tests.browser.hands import draw, followed, open_page, overlay, until
from vlm_core.app.texts import text

pytestmark = pytest.mark.browser

BOXES = [
    "pixels", "patches", "glances", "embeddings", "positions", "encoder", "image_tokens",
    "text_tokens", "causal", "scores", "cross", "context", "feed_forward", "logits",
]  # fmt: skip
ROOT = "#machine-root"


def open_tab(page, title="machine", language="en"):
    page.get_by_role("tab", name=text(language, title)).click()
    page.locator("#studio").scroll_into_view_if_needed()


def open_machine(page, language="en"):
    """The page with a blue heart above a black star, and the machine at work on it."""
    open_page(page, f"lang={language}")
    page.locator("#samples button").nth(2).click()
    page.wait_for_selector("#lens-root[data-done=true]")
    open_tab(page, language=language)
    page.wait_for_selector(f"{ROOT}[data-word]")


def map_of(page, box):
    cells = page.locator(f'{ROOT} [data-box={box}] rect[data-attention]')
    return cells.evaluate_all("cells => cells.map((cell) => Number(cell.dataset.attention))")


def test_it_follows_the_word_and_the_patch(page):
    open_machine(page)
    assert page.locator(f"{ROOT} .box").evaluate_all("boxes => boxes.map((box) => box.dataset.box)") == BOXES
    assert page.locator(f"{ROOT} .arrow").count() == 14
    page.locator("#lens-root .word", has_text="heart").focus()
    page.locator("#machine").scroll_into_view_if_needed()  # what nobody sees is not asked for
    page.wait_for_selector(f"{ROOT}[data-word=heart]")
    page.select_option("#lens-head", page.input_value("#machine-decoder"))
    assert map_of(page, "cross") == pytest.approx(overlay(page)[1], abs=1e-4)
    assert page.locator(f"{ROOT} [data-box=logits] li").first.inner_text().startswith("heart")
    before = map_of(page, "encoder")
    page.select_option("#machine-row", index=2)
    page.select_option("#machine-column", index=6)
    page.wait_for_selector(f'{ROOT}[data-patch="{2 * 14 + 6}"]')
    after = map_of(page, "encoder")
    assert after != before and sum(after) == pytest.approx(1, abs=1e-3)


def test_a_box_opens_by_keyboard_to_its_figures_and_the_code(page):
    open_machine(page)
    page.focus(f"{ROOT} [data-box=cross] button")
    page.keyboard.press("Enter")
    details = page.locator("#machine-details")
    assert len(details.locator(".tell").inner_text().splitlines()) == 3
    assert "softmax(dim=-1)" in details.locator("code").inner_text()
    assert details.locator("figcaption", has_text="vlm_core/model/attention.py").count() == 1
    assert "197" in details.locator(".figures strong").inner_text()
    assert details.locator(".tensor").count() == 2  # both heads
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"
    page.keyboard.press("Enter")
    assert details.count() == 0


def test_it_rests_while_another_tab_is_open(page):
    open_machine(page)
    open_tab(page, "bilingual")
    page.wait_for_selector("#bilingual-root[data-pair]")
    asked = page.input_value("#machine-asked textarea, #machine-asked input")
    followed(page, lambda: draw(page, [(-60, 60), (60, 60)]))
    page.wait_for_timeout(300)  # time enough for a question, were there one
    assert page.input_value("#machine-asked textarea, #machine-asked input") == asked
    open_tab(page)
    until(page, lambda: page.input_value("#machine-asked textarea, #machine-asked input") != asked, "it is up to date")


@pytest.mark.parametrize("viewport", [{"width": 390, "height": 844}])
def test_on_a_phone_in_chinese_its_boxes_stand_below_each_other(page, viewport):
    open_machine(page, "zh")
    page.wait_for_selector(f"{ROOT} .diagram[data-wide=false]")
    tops = page.locator(f"{ROOT} .box").evaluate_all("boxes => boxes.map((box) => box.getBoundingClientRect().top)")
    assert tops == sorted(tops) and len(set(tops)) == len(BOXES)
    page.click(f"{ROOT} [data-box=scores] button")
    assert page.locator("#machine-details .tell").inner_text() == text("zh", "tell_scores")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"] + 1
