"""Take the pictures of the page that the documents show: `python -m scripts.screenshots`, with tests/requirements.txt
installed; `python -m scripts.screenshots audience phone` takes those alone.

Starts the page and uses it in a real Chromium: a ready picture is captioned, a model learns for a few seconds, a
class of phones guesses. Every tab of the page is pictured as it then is, after what PREPARE says for it, as
assets/screenshots/NAME.png, and the page as a whole as assets/screenshot.png. A new tab needs no line here unless it
has something to show only after a click.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Locator, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "assets" / "screenshots"
PORT = 7899
ADDRESS = f"http://lecture.example:{PORT}"
"""A name that this browser alone takes for this machine, so that the QR code shows an address that phones could use."""
FLAGS = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP lecture.example 127.0.0.1"]
SAMPLE = 2
"""A large blue heart above a small black star."""
SECONDS = 8
"""Of the training that is pictured: enough for curves, not for a good model."""
MOST_HEIGHT = 1400
COLORS = 256
PHONE = {"width": 390, "height": 844}


def main() -> None:
    environment = {**os.environ, "GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(PORT)}
    server = subprocess.Popen([sys.executable, "demo_app.py"], cwd=ROOT, env=environment)
    try:
        wait_for(f"http://127.0.0.1:{PORT}")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            take(browser, set(sys.argv[1:]))
            browser.close()
    finally:
        server.terminate()
        server.wait()


def take(browser: Browser, wanted: set[str]) -> None:
    """All pictures, or those whose names are wanted."""

    def keep(name: str, part: Page | Locator) -> None:
        if not wanted or name in wanted:
            save(part.screenshot(), ROOT / "assets" / "screenshot.png" if name == "page" else FOLDER / f"{name}.png")

    page = open_page(browser)
    page.locator("#lens-root .word", has_text="heart").first.hover()
    page.mouse.move(0, 0)
    keep("page", page)
    for tab in page.locator("#studio [role=tab]").all():
        name = tab_name(tab)
        if wanted and name not in wanted:
            continue
        tab.click()
        page.locator("#studio [role=tabpanel]:visible").wait_for()
        if name in PREPARE:
            PREPARE[name](page)
        page.wait_for_timeout(1500)  # for whatever the panel computes by itself
        page.mouse.move(0, 0)
        keep(name, page.locator("#studio"))
    if not wanted or "training" in wanted:
        learn(page)
        keep("training", page.locator("#columns"))
    if not wanted or "phone" in wanted:
        keep("phone", a_phone(browser))


def open_page(browser: Browser, query: str = "") -> Page:
    """The page with a ready picture, captioned."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(f"{ADDRESS}/?seconds={SECONDS}&level=1&style=clean&{query}")
    page.locator("#editor[data-ready=true] canvas").wait_for()
    page.locator("#samples button").nth(SAMPLE).click()
    page.wait_for_selector("#lens-root[data-done=true]")
    page.locator("#lens-root .word", has_text="heart").first.wait_for()
    return page


def tab_name(tab: Locator) -> str:
    """The name of a tab's module: Gradio calls its button "tab-NAME-button"."""
    return tab.get_attribute("id").removeprefix("tab-").removesuffix("-button")


def learn(page: Page) -> None:
    """A short run, to its end."""
    page.click("#train")
    page.wait_for_selector('#status [data-state="finished"]', timeout=120_000)
    page.locator("#life-slider").wait_for()


# What a panel shows only after something was done on it


def ask_the_class(page: Page) -> None:
    """A class of thirty guesses where the model looks for "heart", most of them near it, and sees the answer."""
    page.click("#audience-open")
    code = page.get_attribute("#audience-board .way-in", "data-code")
    page.get_by_label("4. heart").check()
    page.locator("#audience-board .sentence", has_text="blue").wait_for()
    for number in range(30):
        row, column = (2 + number % 3, 4 + number % 5) if number % 6 else (7 + number % 2, 6)
        tap = {"voter": f"{number:032x}", "question": 2, "patch": 14 * row + column}
        assert page.request.post(f"http://127.0.0.1:{PORT}/audience/rooms/{code}/taps", data=tap).status == 204
    page.locator("#audience-count strong", has_text="30").wait_for()
    page.click("#audience-reveal")
    page.locator("#audience-board figure").first.wait_for()


PREPARE: dict[str, Callable[[Page], None]] = {"audience": ask_the_class}


def a_phone(browser: Browser) -> Page:
    """A phone of the class that has tapped."""
    page = open_page(browser)
    page.click("#studio [role=tab][id*=audience]")
    page.click("#audience-open")
    code = page.get_attribute("#audience-board .way-in", "data-code")
    phone = browser.new_page(viewport=PHONE, device_scale_factor=2)
    phone.goto(f"{ADDRESS}/audience#{code}")
    phone.locator("#board").click(position={"x": 150, "y": 90})
    phone.locator("#chosen:not([hidden])").wait_for()
    return phone


def save(content: bytes, path: Path) -> None:
    """A screenshot as a small PNG, cut off below where it is very long."""
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    picture = picture.crop((0, 0, picture.width, min(picture.height, MOST_HEIGHT)))
    path.parent.mkdir(exist_ok=True)
    picture.quantize(COLORS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}: {picture.width} × {picture.height}, {path.stat().st_size // 1024} KB")


def wait_for(address: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(address, timeout=2).read()
            return
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


if __name__ == "__main__":
    main()
