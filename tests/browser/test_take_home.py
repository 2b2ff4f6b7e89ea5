"""Taking home what the page shows, and bringing it back, with a mouse and real files."""

import zipfile

import pytest
from PIL import Image

from tests.browser.conftest import browser_profile, watched_window
from tests.browser.hands import LEVEL_ONE, message, open_page, train, until, wait_for_state, words

pytestmark = pytest.mark.browser

SHORT = LEVEL_ONE.replace("seconds=60", "seconds=2")


def open_tab(page, name="Take it home"):
    page.get_by_role("tab", name=name).click()
    page.wait_for_selector("#take-python code")


def pick_picture(page):
    page.locator("#samples button").nth(2).click()
    until(page, lambda: "heart" in words(page) or "心" in words(page), "the picture is captioned")


def saved(page, button, path):
    with page.expect_download() as download:
        page.click(button)
    download.value.save_as(path)
    return download.value.suggested_filename


def test_a_figure_of_what_the_page_shows_is_saved_without_any_run(page, tmp_path):
    open_page(page)
    open_tab(page)
    page.click("#save-figure")
    assert "no caption to draw" in message(page)
    pick_picture(page)
    assert saved(page, "#save-figure", tmp_path / "figure") == "caption.pdf"
    assert (tmp_path / "figure").read_bytes().startswith(b"%PDF")
    page.locator("#figure-kind").get_by_label("PNG").check()
    assert saved(page, "#save-figure", tmp_path / "figure.png") == "caption.png"
    assert Image.open(tmp_path / "figure.png").width > 1000
    assert saved(page, "#save-picture", tmp_path / "picture.png") == "picture.png"
    assert Image.open(tmp_path / "picture.png").size == (224, 224)


def test_a_run_is_downloaded_and_speaks_again_in_another_window(page, chromium, server, tmp_path):
    open_page(page, SHORT)
    pick_picture(page)
    run = train(page)
    wait_for_state(page, "finished")
    open_tab(page)
    assert saved(page, "#save-run", tmp_path / "run.zip") == "simple-vlm-run.zip"
    assert {"model.safetensors", "model.json", "curves.json"} <= set(zipfile.ZipFile(tmp_path / "run.zip").namelist())
    steps = page.get_attribute("#status [data-run]", "data-step")

    with browser_profile(chromium, server) as other, watched_window(other, server, page.viewport_size) as window:
        open_page(window)
        open_tab(window)
        (tmp_path / "letter.zip").write_text("This is a letter.")
        for name, seen in (("letter.zip", "#message [role=alert]"), ("run.zip", '#status [data-state="finished"]')):
            with window.expect_file_chooser() as chooser:
                window.click("#load-run")
            chooser.value.set_files(tmp_path / name)
            window.wait_for_selector(seen)
        assert window.get_attribute("#status [data-run]", "data-run") != run
        assert window.get_attribute("#status [data-run]", "data-step") == steps
        pick_any = window.locator("#samples button").nth(2)
        pick_any.click()
        until(window, lambda: f"step {steps}" in window.inner_text("#note"), "the loaded model speaks")


def test_the_code_follows_the_page_and_is_copied(page):
    open_page(page, SHORT)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    pick_picture(page)
    open_tab(page)
    assert "VLM.from_pretrained()" in page.inner_text("#take-python")
    train(page)
    until(page, lambda: "TrainConfig(seconds=2" in page.inner_text("#take-python"), "the code trains as the run did")
    address = page.url.partition("?")[0]
    until(page, lambda: f'Client("{address}")' in page.inner_text("#take-client"), "the code calls this page")
    section = page.locator(".snippet", has=page.locator("#take-link"))
    section.get_by_role("button").click()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link.strip() == page.inner_text("#take-link").strip() and "run=" not in link
    page.goto(link.strip())
    page.wait_for_selector("#editor[data-ready=true] canvas")
    page.click("#settings button")
    until(page, lambda: page.input_value("#seconds input") == "2", "the link restores the settings")


def test_what_scripts_can_call_is_shown(page):
    open_page(page)
    open_tab(page)
    page.click("#api-docs")
    page.wait_for_selector(".api-docs >> text=/caption")


class TestOnAPhone:
    @pytest.fixture
    def viewport(self):
        return {"width": 390, "height": 844}

    def test_everything_fits_and_speaks_chinese(self, page, tmp_path):
        open_page(page, "lang=zh")
        pick_picture(page)
        open_tab(page, "带回家")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert "从页面" in page.inner_text("#take-client") and "保存这张图" in page.inner_text("#save-figure")
        page.click("#save-run")
        assert "请先训练" in message(page)
        page.locator("#figure-kind").get_by_label("SVG").check()
        assert saved(page, "#save-figure", tmp_path / "figure.svg") == "caption.svg"
