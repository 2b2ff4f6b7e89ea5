"""A class guesses where the model looks: a presenter's page and a phone, each in a window of its own."""

import pytest

from tests.browser.hands import open_page, until, words

pytestmark = pytest.mark.browser


def open_room(page, query=""):
    """Open a room about a ready picture; its code."""
    open_page(page, query)
    page.locator("#samples button").nth(2).click()
    until(page, lambda: words(page), "the picture is captioned")
    page.click("[role=tab][id*=audience]")
    page.click("#audience-open")
    return page.get_attribute("#audience-board .way-in", "data-code")


def enter(phone, code):
    phone.goto(f"/audience#{code}")
    phone.wait_for_selector("#room:not([hidden])")


def tap(phone, row, column):
    box = phone.locator("#board").bounding_box()
    phone.mouse.click(box["x"] + (column - 0.5) * box["width"] / 14, box["y"] + (row - 0.5) * box["height"] / 14)


def tapped(page):
    return page.inner_text("#audience-count strong")


def peaks(page, figure):
    """The patches with the highest share in one of the three maps, counted from 0."""
    return page.locator("#audience-board figure").nth(figure).evaluate(
        """(figure) => {
            const cells = [...figure.querySelectorAll("rect[data-share]")];
            const top = Math.max(...cells.map((cell) => Number(cell.dataset.share)));
            return cells.filter((cell) => Number(cell.dataset.share) === top)
                .map((cell) => 14 * cell.getAttribute("y") + Number(cell.getAttribute("x")));
        }"""
    )


def test_the_class_taps_and_the_presenter_reveals(page, phone):
    code = open_room(page)
    enter(phone, code)
    tap(phone, 3, 7)
    phone.wait_for_selector("#chosen:not([hidden])")
    tap(phone, 2, 6)
    until(phone, lambda: "row 2, column 6" in phone.inner_text("#told"), "the second tap is sent")
    until(page, lambda: tapped(page) == "1", "one phone has tapped, twice")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    assert "GRADIO_SERVER_NAME" in page.inner_text("#audience-board .unreachable")  # from here no phone could come
    page.click("#audience-reveal")
    page.wait_for_selector("#audience-board figure")
    assert peaks(page, 0) == [14 + 5] and len(peaks(page, 1)) == 1
    assert page.locator("#audience-board [data-hit]").count() == 2
    page.click("#present")
    assert page.locator("#audience-board").is_visible() and not page.locator("#samples").is_visible()
    page.click("#present")
    phone.wait_for_selector("#sentence .known")
    assert phone.inner_text("#sentence .known") == page.inner_text("#audience-board .gap")

    page.reload()  # a presenter who loses the page does not lose the class
    page.click("[role=tab][id*=audience]")
    page.click("#audience-next")
    phone.wait_for_selector("#sentence .word:not(.known)")
    assert tapped(page) == "0"
    page.click("#audience-close")
    until(phone, lambda: "room is closed" in phone.inner_text("#news"), "the phone says that it is over")


def test_a_keyboard_taps_too_in_chinese(page, phone):
    code = open_room(page, "lang=zh")
    phone.set_extra_http_headers({"Accept-Language": "zh-CN,zh;q=0.9"})
    enter(phone, code)
    assert phone.get_attribute("html", "lang") == "zh" and phone.inner_text("h1") == "模型会看哪里?"
    phone.focus("#board")
    for key in ("ArrowUp", "ArrowUp", "ArrowLeft", "Enter"):  # the first shows where it stands: the middle
        phone.keyboard.press(key)
    until(phone, lambda: "已送出:第 7 行,第 7 列" in phone.inner_text("#told"), "the tap is sent")
    until(page, lambda: tapped(page) == "1", "it has arrived")
    page.click("#audience-reveal")
    page.wait_for_selector("#audience-board figure")
    assert peaks(page, 0) == [6 * 14 + 6]
    assert "真相" in page.inner_text("#audience-board")
    phone.click("[data-language=en]")
    assert phone.inner_text("h1") == "Where will the model look?"
    page.click("#audience-close")


def test_a_room_is_gone_when_its_lesson_ends(page, phone):
    code = open_room(page)
    page.select_option("#lesson-menu", "look")
    page.wait_for_selector("#tour-card[data-done=false]")
    enter(phone, code)
    page.click("#tour-close")
    until(phone, lambda: "room is closed" in phone.inner_text("#news"), "the phone says that it is over")


def test_a_phone_with_a_wrong_code_is_told_so(phone):
    phone.goto("/audience")
    phone.fill("#code", "wrong1")
    phone.keyboard.press("Enter")
    until(phone, lambda: "no room with this code" in phone.inner_text("#news"), "the phone says so")
    assert phone.locator("#code").is_visible()
