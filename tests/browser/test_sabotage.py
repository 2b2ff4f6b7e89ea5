"""Sabotage: a run on spoiled data says so, and the model that speaks is diagnosed beside the bundled one."""

import pytest

from tests.browser.hands import open_page, train, until
from vlm_core.app.texts import text

pytestmark = pytest.mark.browser


def open_panel(page, query):
    open_page(page, query)
    page.get_by_role("tab", name=text("zh" if "lang=zh" in query else "en", "sabotage_title")).click()
    page.wait_for_selector("#diagnose")


def test_a_spoiled_run_says_so_and_its_model_is_diagnosed(page):
    open_panel(page, "seconds=24&level=1&style=clean")
    page.locator("#settings button").first.click()
    page.locator("#sabotage").get_by_label("every circle is called red").check()
    train(page)
    assert "SPOILED DATA" in page.inner_text("#status .spoiled")
    slider = page.locator("#life-slider input[type=range]")
    until(page, lambda: slider.is_visible() and int(slider.get_attribute("max")) >= 8, "the run has been examined")
    page.click("#stop")
    page.wait_for_selector("#status [data-state=stopped]")
    page.click("#diagnose")
    rows = page.locator("#findings tbody tr")
    rows.first.wait_for(timeout=60_000)
    assert rows.count() == 6 and "%" in rows.first.inner_text()
    assert page.locator("#findings tr[data-striking=true]").count()  # after two seconds it knows next to nothing
    truth = page.locator("#findings .truth")
    assert not truth.count()
    page.check("#sabotage-reveal input")
    until(page, lambda: truth.count() and "every circle is called red" in truth.inner_text(), "the fault is revealed")
    page.locator("#speaker").get_by_label("The bundled one").check()
    page.click("#diagnose")
    until(page, lambda: "was sound" in truth.inner_text(), "the bundled model's data were sound")
    assert not page.locator("#findings tr[data-striking=true]").count()


def test_an_address_asks_for_faults_in_chinese(page):
    open_panel(page, "lang=zh&sabotage=one_position,no_distractors")
    page.locator("#settings button").first.click()
    until(page, lambda: page.locator("#sabotage input:checked").count() == 2, "the faults asked for are chosen")
    assert "全都在正中央" in page.inner_text("#sabotage")
    page.click("#diagnose")
    page.locator("#findings tbody tr").first.wait_for(timeout=60_000)
    assert "圆形" in page.inner_text("#findings")
