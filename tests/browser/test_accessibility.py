"""Nobody is shut out: on no panel does axe-core find anything serious, is anything small, or out of sight; in either
language, in light and in dark, on a large screen and on a phone."""

import time

import pytest

from tests.browser.hands import open_page, train, until, wait_for_state, words

pytestmark = pytest.mark.browser

BAD = ("serious", "critical")
SMALLEST = 16
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
    open_page(page, f"lang={language}&__theme={light}&seconds=4&level=1&style=clean")
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


def unreadable(page, within="body"):
    """Text and fields in less than SMALLEST px, but for rounding, there: (px, what it says)."""
    return page.locator(within).evaluate(
        """(root, smallest) => {
            const small = [];
            const check = (element, told) => {
                const svg = element.ownerSVGElement;
                const scale = svg ? svg.getScreenCTM().a : 1;
                const size = parseFloat(getComputedStyle(element).fontSize) * scale;
                const there = element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
                const seen = there && element.getBoundingClientRect().width > 2;
                if (seen && size < smallest - 0.2) small.push([size, told]);
            };
            const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
            while (texts.nextNode()) {
                const told = texts.currentNode.textContent.trim();
                const holder = texts.currentNode.parentElement;
                if (told && !holder.closest("script, style, option, textarea, title")) check(holder, told.slice(0, 60));
            }
            const fields = "select, textarea, input:not([type=radio], [type=checkbox], [type=range], [type=file])";
            root.querySelectorAll(fields).forEach((field) => check(field, field.closest("[id]")?.id));
            return small;
        }""",
        SMALLEST,
    )


def assert_open_to_all(page, within="body"):
    assert not faults(page, within)
    assert not unreadable(page, within)
    width = page.viewport_size["width"]
    until(page, lambda: page.evaluate("document.documentElement.scrollWidth") <= width, "nothing lies out of sight")


def test_the_page_and_every_panel_of_it(page):
    assert_open_to_all(page)
    page.locator("#samples button").nth(2).click()
    until(page, lambda: words(page), "the picture is captioned")
    assert_open_to_all(page)
    train(page)
    assert_open_to_all(page, "#columns")
    wait_for_state(page, "finished")
    page.wait_for_selector("#life-slider input[type=range]")
    page.locator("#settings button").first.click()
    assert_open_to_all(page, "#columns")
    tabs = page.locator("#studio [role=tab]")
    assert tabs.count()
    for place in range(tabs.count()):
        tab = tabs.nth(place)
        tab.click()
        until(page, lambda tab=tab: tab.get_attribute("aria-selected") == "true", "the tab is open")
        page.wait_for_selector("#studio [role=tabpanel]:visible")
        assert_open_to_all(page, "#studio")


def test_the_class_s_phones_and_their_presenter(page, phone, look):
    language, light, _ = look
    page.locator("#samples button").nth(2).click()
    until(page, lambda: words(page), "the picture is captioned")
    page.click("[role=tab][id*=audience]")
    page.click("#audience-open")
    code = page.get_attribute("#audience-board .way-in", "data-code")
    phone.emulate_media(color_scheme=light)
    phone.set_extra_http_headers({"Accept-Language": language})
    phone.goto("/audience")
    assert_open_to_all(phone)
    phone.goto(f"/audience#{code}")
    phone.wait_for_selector("#room:not([hidden])")
    assert_open_to_all(phone)
    phone.locator("#board").click()
    phone.wait_for_selector("#chosen:not([hidden])")
    assert_open_to_all(phone)
    page.click("#audience-reveal")
    page.wait_for_selector("#audience-board figure")
    assert_open_to_all(page, "#studio")
    phone.wait_for_selector("#sentence .known")
    assert_open_to_all(phone)
    page.click("#audience-close")
