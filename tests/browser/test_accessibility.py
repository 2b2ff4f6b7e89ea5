"""Nobody is shut out: axe-core finds nothing serious on any panel, in either language, in light and in dark."""

import time

import pytest

from tests.browser.conftest import watched_window
from tests.browser.hands import open_page, train, until, wait_for_state, words

pytestmark = pytest.mark.browser

BAD = ("serious", "critical")
LOOKS = [("en", "light", (1280, 800)), ("zh", "dark", (390, 844))]


@pytest.fixture(params=LOOKS, ids=["English, light, wide", "Chinese, dark, narrow"])
def look(request):
    return request.param


@pytest.fixture
def viewport(look):
    width, height = look[2]
    return {"width": width, "height": height}


@pytest.fixture
def page(page, look):
    language, light, _ = look
    page.emulate_media(color_scheme=light)
    open_page(page, f"lang={language}&__theme={light}&seconds=3&level=1&style=clean")
    return page


def faults(page, within="body"):
    """What axe-core calls serious or critical there: (rule, where, what it says). What is gone within two seconds was
    a fade from one state to the next and is none."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    deadline = time.monotonic() + 2
    while True:
        broken = [rule for rule in axe.run(page, within).response["violations"] if rule["impact"] in BAD]
        found = [
            (rule["id"], " ".join(map(str, node["target"])), node["failureSummary"])
            for rule in broken
            for node in rule["nodes"]
        ]
        if not found or time.monotonic() > deadline:
            return found


def test_the_page_and_every_panel_of_it(page):
    assert not faults(page)
    page.locator("#samples button").nth(2).click()
    until(page, lambda: words(page), "the picture is captioned")
    assert not faults(page)
    tabs = page.locator("#studio [role=tab]")
    assert tabs.count()
    for place in range(tabs.count()):
        tab = tabs.nth(place)
        tab.click()
        until(page, lambda tab=tab: tab.get_attribute("aria-selected") == "true", "the tab is open")
        page.wait_for_selector("#studio [role=tabpanel]:visible")
        assert not faults(page, "#studio"), tab.inner_text()
    train(page)
    assert not faults(page, "#columns")
    wait_for_state(page, "finished")
    page.wait_for_selector("#life-slider input[type=range]")
    page.locator("#settings button").first.click()
    assert not faults(page, "#columns")


def test_the_class_s_phones_and_their_presenter(page, chromium, server, look):
    language, light, _ = look
    page.locator("#samples button").nth(2).click()
    until(page, lambda: words(page), "the picture is captioned")
    page.click("[role=tab][id*=audience]")
    page.click("#audience-open")
    code = page.get_attribute("#audience-board .way-in", "data-code")
    with watched_window(chromium, server, {"width": 390, "height": 844}) as phone:
        phone.emulate_media(color_scheme=light)
        phone.set_extra_http_headers({"Accept-Language": language})
        phone.goto("/audience")
        assert not faults(phone)
        phone.goto(f"/audience#{code}")
        phone.wait_for_selector("#room:not([hidden])")
        assert not faults(phone)
        phone.locator("#board").click()
        phone.wait_for_selector("#chosen:not([hidden])")
        assert not faults(phone)
        page.click("#audience-reveal")
        page.wait_for_selector("#audience-board figure")
        assert not faults(page, "#studio")
        phone.wait_for_selector("#sentence .known")
        assert not faults(phone)
    page.click("#audience-close")
