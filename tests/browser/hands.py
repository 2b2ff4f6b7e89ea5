"""What a person does on the page, and what they see of it."""

import base64
import io
import re
import time

import numpy as np
from PIL import Image

PATIENCE = 20.0
LEVEL_ONE = "seconds=60&level=1&style=clean&seed=0"
SQUARE = ((-60, -60), (60, -60), (60, 60), (-60, 60), (-60, -60))


def until(page, holds, what):
    """Wait for something that only Python can see; returns what `holds` gave."""
    deadline = time.monotonic() + PATIENCE
    while not (found := holds()):
        assert time.monotonic() < deadline, f"never happened: {what}"
        page.wait_for_timeout(50)
    return found


def open_page(page, query=""):
    page.goto(f"/?{query}")
    page.wait_for_selector("#editor[data-ready=true] canvas")
    until(page, lambda: canvas(page).min() > 200, "the canvas is white and ready")
    if "lang=zh" in query:  # what is pressed while its words are being replaced is not pressed
        until(page, lambda: page.get_attribute("html", "lang") == "zh", "the page speaks Chinese")


def canvas(page):
    """What the canvas shows around its middle: (150, 150, 3), 0 to 255."""
    surface = page.locator("#editor canvas").first
    surface.scroll_into_view_if_needed()
    shown = np.asarray(Image.open(io.BytesIO(surface.screenshot())).convert("RGB"))
    row, column = shown.shape[0] // 2, shown.shape[1] // 2
    return shown[row - 75 : row + 75, column - 75 : column + 75]


def draw(page, corners=SQUARE):
    """A stroke through `corners`, in pixels from the middle of the canvas, until it can be seen there."""
    before = canvas(page)
    box = page.locator("#editor canvas").first.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    (x, y), *rest = corners
    page.mouse.move(middle[0] + x, middle[1] + y)
    page.mouse.down()
    for x, y in rest:
        page.mouse.move(middle[0] + x, middle[1] + y)
    page.mouse.up()
    until(page, lambda: (canvas(page) != before).any(), "the stroke is on the canvas")


def caption(page):
    """Ask for a caption and wait for its last word; the words."""
    page.wait_for_timeout(400)  # what follows a stroke by itself counts more than what was asked for before it came
    unfinish(page)
    page.click("#ask")
    page.wait_for_selector("#lens-root[data-done=true]")
    return words(page)


def followed(page, change):
    """The words that follow a change of the picture by themselves."""
    seen = page.locator("#picture-data [data-json]")
    before = seen.get_attribute("data-json") if seen.count() else None
    change()
    until(page, lambda: seen.count() and seen.get_attribute("data-json") != before, "the picture is seen anew")
    page.wait_for_selector("#lens-root[data-done=true]")
    page.wait_for_timeout(50)  # the lens paints in the next frame
    return words(page)


def unfinish(page):
    """Have the lens take its caption for one that still comes, so that the next one's end can be told from it."""
    if page.locator("#caption-data [data-json]").count() == 0:
        return
    page.evaluate(
        """() => {
            const holder = document.querySelector("#caption-data [data-json]");
            holder.dataset.json = JSON.stringify({...JSON.parse(holder.dataset.json), done: false});
        }"""
    )
    page.wait_for_selector("#lens-root[data-done=false]")


def words(page):
    return page.locator("#lens-root .word .text").all_inner_texts()


def captioned_picture(page):
    """The picture that the caption is about, as the server saw it: (224, 224, 3)."""
    return decoded(page.get_attribute("#lens-root .stage img", "src"))


def decoded(data_uri):
    """Pixels of a data: address."""
    content = base64.b64decode(data_uri.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


def overlay(page):
    """The word whose map is painted, and the map."""
    return page.evaluate(
        """() => {
            const overlay = document.querySelector("#lens-overlay");
            const cells = [...overlay.querySelectorAll("rect[data-attention]")];
            return [overlay.dataset.word, cells.map((cell) => Number(cell.dataset.attention))];
        }"""
    )


def nothing_share(page):
    """The share of attention that the lens says went to no patch."""
    return float(re.search(r"([\d.]+) %", page.inner_text("#lens-details .null strong")).group(1)) / 100


def upload(page, path):
    with page.expect_file_chooser() as chooser:
        page.click("#upload")
    chooser.value.set_files(path)


def message(page):
    """The page's sentence to the person, once there is one."""
    return page.locator("#message [role=alert]").inner_text()


def train(page):
    """Start a run and wait for its first step; its id."""
    page.click("#train")
    page.wait_for_selector("#status [data-run]")
    until(page, lambda: step(page) > 0, "the first step")
    return page.get_attribute("#status [data-run]", "data-run")


def step(page):
    return int(page.get_attribute("#status [data-run]", "data-step"))


def wait_for_state(page, state):
    page.wait_for_selector(f'#status [data-state="{state}"]')
