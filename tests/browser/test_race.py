"""Training like an instrument, races and past runs, in a real browser."""

import re

import pytest

from tests.browser.hands import draw, open_page, step, train, until, wait_for_state

pytestmark = pytest.mark.browser

LONG = "seconds=120&level=1&style=clean&seed=0"
SHORT = "seconds=4&level=1&style=clean&seed=0"


def open_with(page, query):
    """The page, once it has taken on the settings of its address."""
    open_page(page, query)
    seconds = re.search(r"seconds=(\d+)", query).group(1)
    page.wait_for_selector("#settings button")
    page.locator("#settings button").first.click()
    until(page, lambda: page.input_value("#seconds input") == seconds, "the settings are those of the address")
    page.locator("#settings button").first.click()


def open_tab(page, name):
    page.get_by_role("tab", name=name, exact=True).click()


def test_curves_come_into_view_while_one_draws(page):
    open_with(page, LONG)
    train(page)
    page.evaluate("window.scrollTo(0, 0)")
    box = page.locator("#status .curves").bounding_box()
    assert box["y"] + box["height"] <= 800 and box["width"] > 300


def test_a_run_is_paused_goes_step_by_step_and_is_steered(page):
    open_with(page, LONG)
    train(page)
    assert page.locator("#one-step").is_hidden()
    page.click("#pause")
    wait_for_state(page, "paused")
    page.wait_for_timeout(1500)  # the step that was under way, and the page's next look
    held = step(page)
    page.click("#one-step")
    until(page, lambda: step(page) == held + 1, "one step is taken")
    rate = page.locator("#steer input[type=range]")
    assert rate.input_value() == "1"
    rate.fill("0.5")
    page.click("#one-step")
    until(page, lambda: step(page) == held + 2, "and another one")
    told = page.locator("#status .steered")
    assert str(held + 1) in told.inner_text()
    page.wait_for_timeout(1200)
    assert step(page) == held + 2
    page.click("#resume")
    until(page, lambda: step(page) > held + 3, "it goes on")


def test_measurements_are_sent_to_who_looks_at_them_and_stages_are_marked(page):
    open_with(page, LONG)
    train(page)
    assert page.locator("#measures [data-slot]").count() == 0
    page.locator("#measuring button").first.click()
    page.locator("#measures [data-slot=color]").wait_for()
    first = page.locator("#status .stages [data-stage=language]")
    first.wait_for(timeout=60_000)
    assert int(first.get_attribute("data-step")) > 1
    page.locator("#measures .meaning [data-seen=true]").first.wait_for()


def test_settings_of_the_address_make_the_run(page):
    short = LONG.replace("seconds=120", "seconds=20")  # examined for the first time after two
    open_with(page, f"{short}&heads=4&width=32&optimizer=adamw&languages=en&learning_rate=0.5")
    train(page)
    until(page, lambda: page.locator("#status .curves path.a").count(), "it was examined in English")
    assert page.locator("#status .curves path.b").count() == 0
    open_tab(page, "Past runs")
    told = page.locator("#ledger .told").first.inner_text()
    assert all(said in told for said in ("AdamW everywhere", "Heads 4", "Width 32", "English only", "0.5"))


def test_two_race_on_the_same_axes_and_either_can_be_looked_into(page):
    open_with(page, SHORT)
    draw(page)
    open_tab(page, "Race")
    page.click("#race-start")
    page.wait_for_selector("#race-view [data-race]")
    until(page, lambda: page.locator("#race-view [data-state=finished]").count() == 2, "both have finished")
    page.locator("#race-view tbody tr").first.wait_for()
    classic, lecture = page.locator("#race-view thead th").all_inner_texts()
    assert "classic" in classic and "lecture" in lecture
    assert page.locator("#race-view .curves").count() == 2
    assert page.locator("#race-view .curves polyline.a").count() == page.locator("#race-view polyline.b").count() == 2
    chosen = page.locator("#race-view [data-run].b").get_attribute("data-run")
    page.click("#race-take-second")
    page.wait_for_selector(f'#status [data-run="{chosen}"]')
    until(page, lambda: "trained here" in page.inner_text("#note"), "it speaks of the picture")
    page.locator("#life-slider").wait_for()
    # The other one is brought back from the list, which a reload leaves as it is.
    page.reload()
    page.wait_for_selector(f'#status [data-run="{chosen}"]')
    open_tab(page, "Past runs")
    page.locator("#ledger [data-recall]").first.click()
    until(page, lambda: page.get_attribute("#status [data-run]", "data-run") != chosen, "the other run is there")
    page.locator("#life-slider").wait_for()
    until(page, lambda: page.locator("#ledger [data-recall]").get_attribute("data-recall") == chosen, "it is marked")
    assert page.locator("#message [role=alert]").count() == 0
    open_tab(page, "Race")
    assert page.locator("#race-view [data-run]").count() == 2  # the address keeps it, too


@pytest.mark.parametrize("viewport", [{"width": 390, "height": 844}])
def test_race_and_past_runs_in_chinese_on_a_phone(page, viewport):
    open_with(page, f"{SHORT.replace('seconds=4', 'seconds=60')}&lang=zh")
    until(page, lambda: page.inner_text("#train") == "从随机权重开始训练", "the page speaks Chinese")
    open_tab(page, "比赛")
    assert page.inner_text("#race-start") == "开始比赛"
    page.click("#race-start")
    page.wait_for_selector("#race-view [data-race]")
    assert "经典版" in page.inner_text("#race-view") and "第" in page.inner_text("#race-view")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"] + 1
    page.click("#race-stop")
    until(page, lambda: page.locator("#race-view [data-state=stopped]").count() == 2, "both have stopped")
    open_tab(page, "历次训练")
    until(page, lambda: page.locator("#ledger .told").count() == 2, "both are listed")
    assert "难度" in page.inner_text("#ledger") and page.locator("#ledger [data-recall]").count() == 2
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"] + 1
