"""Photograph the page for the README: python scripts/screenshot.py [assets/screenshot.png]

Starts the page, takes a ready picture, asks the bundled model and points at a word. Needs what the browser tests
need: tests/requirements.txt and a Chromium.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
SAMPLE, WORD = 2, "heart"
START_SECONDS = 60


def main(target: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port)}
    server = subprocess.Popen([sys.executable, "demo_app.py"], cwd=ROOT, env=environment)
    try:
        wait_for(port, server)
        photograph(f"http://127.0.0.1:{port}/", target)
    finally:
        server.terminate()
        server.wait()


def wait_for(port: int, server: subprocess.Popen) -> None:
    end = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise SystemExit("the page did not start")


def photograph(address: str, target: Path) -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(address)
        page.locator("[data-index]").nth(SAMPLE).click()
        page.wait_for_timeout(3000)  # The editor redraws without saying when it is done.
        page.locator("#ask").click()
        word = page.locator("#lens-root .word", has_text=WORD).first
        word.wait_for()
        page.wait_for_timeout(2000)  # The rest of the caption streams in.
        word.focus()
        page.wait_for_timeout(500)
        page.screenshot(path=target)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "assets" / "screenshot.png")
