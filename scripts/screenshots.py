"""Take the pictures of the page that the documents show: `python -m scripts.screenshots`, with tests/requirements.txt
installed; `python -m scripts.screenshots audience phone` takes those alone.

Starts the page and uses it in a real Chromium. Each tab of the page is pictured beside a captioned ready picture, after
what PREPARE does on it, as assets/screenshots/NAME.png, and the page as a whole as assets/screenshot.png. A new tab
needs no line here unless it has something to show only after a click. Runs are real, and as good as this machine makes
them in the time they get; the class of "audience" is made up.
"""

from __future__ import annotations

import io
import math
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
from playwright.sync_api import BrowserContext, Locator, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "assets" / "screenshots"
PORT = 7899
ADDRESS = f"http://lecture.example:{PORT}"
"""A name that this browser alone takes for this machine, so that the QR code shows an address that phones could use."""
FLAGS = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP lecture.example 127.0.0.1"]
SAMPLE = 2
"""A large blue heart above a small black star."""
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
MOST_HEIGHT, COLORS = 1400, 256
PATIENCE = 300_000  # ms for anything to happen, the end of a run on a busy machine included


def main() -> None:
    environment = {**os.environ, "GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(PORT)}
    server = subprocess.Popen([sys.executable, "demo_app.py"], cwd=ROOT, env=environment)
    try:
        wait_for(f"http://127.0.0.1:{PORT}")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            visitor = browser.new_context(viewport=WIDE)
            visitor.set_default_timeout(PATIENCE)
            take(visitor, set(sys.argv[1:]))
            browser.close()
    finally:
        server.terminate()
        server.wait()


def take(visitor: BrowserContext, wanted: set[str]) -> None:
    """All pictures, or those whose names are wanted."""
    first = open_page(visitor)
    tabs = [tab_name(tab) for tab in first.locator("#studio [role=tab]").all()]
    shots = {"page": lambda: first, "training": training, "lesson": lesson, "phone": phone}
    for name in [name for name in (*tabs, *shots) if not wanted or name in wanted]:
        part = picture_tab(visitor, name) if name in tabs else shots[name](*([] if name == "page" else [visitor]))
        save(part.screenshot(), ROOT / "assets" / "screenshot.png" if name == "page" else FOLDER / f"{name}.png")
        for page in visitor.pages[1:]:  # each holds a connection, of which a browser opens six
            page.close()


def open_page(visitor: BrowserContext, query: str = "") -> Page:
    """The page with a ready picture, captioned, and its noun pointed at."""
    page = visitor.new_page()
    page.goto(f"{ADDRESS}/?{query}")
    page.locator("#editor[data-ready=true] canvas").wait_for()
    page.locator("#samples button").nth(SAMPLE).click()
    noun = page.locator("#lens-root .word", has_text="heart").first
    noun.hover()
    page.mouse.move(0, 0)
    return page


def tab_name(tab: Locator) -> str:
    """The name of a tab's module: Gradio calls its button "tab-NAME-button"."""
    return tab.get_attribute("id").removeprefix("tab-").removesuffix("-button")


def picture_tab(visitor: BrowserContext, name: str) -> Locator:
    """A tab as it is once it has something to show."""
    query, prepare = PREPARE.get(name, ("", None))
    page = open_page(visitor, query)
    page.click(f"#tab-{name}-button")
    page.wait_for_selector("#studio [role=tabpanel]:visible")
    page.wait_for_timeout(1500)  # for whatever the panel computes by itself
    if prepare:
        prepare(page)
    page.mouse.move(0, 0)
    page.locator("#studio").scroll_into_view_if_needed()
    page.wait_for_timeout(1000)  # for what fades, and what is asked for only once it is seen
    return page.locator("#studio")


def learn(page: Page) -> None:
    """The run that the address asked for, to its end."""
    page.click("#train")
    page.wait_for_selector('#status [data-state="finished"]')


# What a panel shows only after something was done on it


def hide_what_it_looks_at(page: Page) -> None:
    page.locator("#what-if-rows .word", has_text="star").click()
    page.click("#what-if-looked")
    page.click("#what-if-measure")
    page.locator("#what-if-measured", has_text="%").wait_for()


def race(page: Page) -> None:
    page.click("#race-start")
    page.wait_for_function(
        """() => {
            const runs = [...document.querySelectorAll("#race-view [data-state]")];
            return runs.length === 2 && runs.every((run) => run.dataset.state === "finished");
        }"""
    )


def teach_an_arrow(page: Page) -> None:
    for number in range(5):
        page.click("#clear")
        draw_arrow(page, number)
        page.click("#teach-add")
        page.locator("#teach-strip button").nth(number).wait_for()
    page.fill("#teach-word textarea, #teach-word input", "arrow")
    page.click("#teach-start")
    page.locator('#teach-status .lesson[data-state="finished"]').wait_for()
    page.click("#clear")
    draw_arrow(page, 5)


def draw_arrow(page: Page, number: int) -> None:
    """One stroke on the canvas, to the right, a little different each time."""
    canvas = page.locator("#editor canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    turn, size = 0.12 * (number - 2), box["width"] * (0.26 + 0.02 * number)
    points = [
        (
            box["x"] + box["width"] / 2 + size * (x * math.cos(turn) - y * math.sin(turn)),
            box["y"] + box["height"] / 2 + size * (x * math.sin(turn) + y * math.cos(turn)),
        )
        for x, y in ((-1, 0), (0.9, 0), (0.3, -0.6), (0.9, 0), (0.3, 0.6))
    ]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=8)
    page.mouse.up()


def diagnose_a_spoiled_run(page: Page) -> None:
    learn(page)
    page.click("#diagnose")
    page.locator("#findings table").wait_for()
    page.locator("#sabotage-reveal input").check()


def ask_the_class(page: Page) -> None:
    """Thirty made-up phones guess where the model looks for "heart", most of them near it, and the answer is shown."""
    page.click("#audience-open")
    code = page.get_attribute("#audience-board .way-in", "data-code")
    page.get_by_label("4. heart").check()
    page.locator("#audience-board .sentence", has_text="blue").wait_for()
    for number in range(30):
        row, column = (1 + number % 3, 5 + number % 4) if number % 6 else (7, 6)
        tap = {"voter": f"{number:032x}", "question": 2, "patch": 14 * row + column}
        answer = page.request.post(f"http://127.0.0.1:{PORT}/audience/rooms/{code}/taps", data=tap)
        if answer.status != 204:
            raise RuntimeError(f"a tap was answered with {answer.status}")
    page.locator("#audience-count strong", has_text="30").wait_for()
    page.click("#audience-reveal")
    page.locator("#audience-board figure").first.wait_for()


PREPARE: dict[str, tuple[str, Callable[[Page], None] | None]] = {
    "what_if": ("", hide_what_it_looks_at),
    "race": ("seconds=20&level=1&style=clean", race),
    "ledger": ("seconds=20&level=1&style=clean&objective=grounded", learn),
    "teach": ("", teach_an_arrow),
    "sabotage": ("seconds=60&style=clean&sabotage=red_circles", diagnose_a_spoiled_run),
    "audience": ("", ask_the_class),
}
"""By tab: what the address asks for, and what is done on the tab."""


# Beside the tabs


def training(visitor: BrowserContext) -> Locator:
    """Both columns after a run, with its curves and its life."""
    page = open_page(visitor, "seconds=60")
    learn(page)
    page.locator("#life-slider").wait_for()
    page.click("#ask")
    page.locator("#note", has_text="trained here").wait_for()
    page.wait_for_selector("#lens-root[data-done=true]")
    return page.locator("#columns")


def lesson(visitor: BrowserContext) -> Page:
    """A lesson in front of a hall."""
    page = visitor.new_page()
    page.goto(f"{ADDRESS}/?lesson=look&present=1")
    page.locator("#lens-root .word", has_text="moon").first.hover()
    page.wait_for_timeout(500)
    return page


def phone(visitor: BrowserContext) -> Page:
    """A phone of the class that has tapped."""
    page = open_page(visitor)
    page.click("#tab-audience-button")
    page.click("#audience-open")
    code = page.get_attribute("#audience-board .way-in", "data-code")
    held = visitor.browser.new_page(viewport=PHONE, device_scale_factor=1.5)
    held.goto(f"{ADDRESS}/audience#{code}")
    held.locator("#board").click(position={"x": 150, "y": 90})
    held.locator("#chosen:not([hidden])").wait_for()
    return held


def save(content: bytes, path: Path) -> None:
    """A screenshot as a small PNG, cut off below where it is very long."""
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    path.parent.mkdir(exist_ok=True)
    picture = picture.crop((0, 0, picture.width, min(picture.height, MOST_HEIGHT)))
    picture.quantize(COLORS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}: {picture.width} × {picture.height}, {path.stat().st_size // 1024} KB", flush=True)


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
