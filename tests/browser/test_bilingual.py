"""The bilingual lens: both captions, words in pairs, maps side by side and what is measured between them."""

import numpy as np
import pytest

from tests.browser.hands import open_page
from vlm_core.app.texts import text

pytestmark = pytest.mark.browser

ROOT = "#bilingual-root"


def open_lens(page, language="en"):
    """The page with a blue heart above a black star, told in both languages."""
    open_page(page, f"lang={language}")
    page.locator("#samples button").nth(2).click()
    page.wait_for_selector("#lens-root[data-done=true]")
    page.get_by_role("tab", name=text(language, "bilingual")).click()
    page.locator("#bilingual").scroll_into_view_if_needed()
    page.wait_for_selector(f"{ROOT}[data-pair]")


def cells(page, map_name, attribute):
    rects = page.locator(f"{ROOT} [data-map={map_name}] rect")
    return np.array(rects.evaluate_all("(rects, name) => rects.map((rect) => Number(rect.dataset[name]))", attribute))


def test_words_light_up_in_pairs_with_their_maps_and_the_difference(page):
    open_lens(page)
    assert page.get_attribute(ROOT, "data-captions").count("=") == 1
    asked = []
    page.on("request", lambda request: asked.append(request.post_data or ""))
    blue = page.locator(f"{ROOT} .unit", has_text="blue")
    blue.focus()
    page.wait_for_selector(f'{ROOT}[data-pair="blue=蓝色"]')
    assert page.locator(f"{ROOT} .unit[aria-pressed=true]").all_inner_texts() == ["blue", "蓝色"]
    first, second = cells(page, "en", "attention"), cells(page, "zh", "attention")
    assert len(first) == len(second) == 196 and 0.1 < first.sum() < 1.001
    assert cells(page, "difference", "difference") == pytest.approx(first - second, abs=1e-4)
    cosine = float(page.get_attribute(f"{ROOT} .like", "data-cosine"))
    assert cosine == pytest.approx(first @ second / np.linalg.norm(first) / np.linalg.norm(second), abs=1e-3)
    assert page.locator(f"{ROOT} .lines line.chosen").count() == 1
    page.locator(f"{ROOT} .unit", has_text="星形").hover()
    page.wait_for_selector(f'{ROOT}[data-pair="star=星形"]')
    assert not any("bilingual" in body or len(body) > 1000 for body in asked), "going through pairs asks nobody"


@pytest.mark.parametrize("viewport", [{"width": 390, "height": 844}])
def test_it_speaks_chinese_on_a_phone_and_says_whether_both_agree(page, viewport):
    open_lens(page, "zh")
    assert page.locator(f"{ROOT} .verdict").get_attribute("data-agree") == "true"
    assert page.inner_text(f"{ROOT} .verdict") == text("zh", "bilingual_agree")
    english, chinese = page.get_attribute(ROOT, "data-captions").split("=")
    assert english.isascii() and not any(map(str.isascii, chinese))
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"] + 1
