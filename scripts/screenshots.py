"""Take the README's picture of the page: `python -m scripts.screenshots`, with tests/requirements.txt installed.

Starts the page, picks a ready picture, asks for its caption and points at a word, all in a real Chromium.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
ADDRESS = "http://127.0.0.1:7899"


def main() -> None:
    environment = {**os.environ, "GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": "7899"}
    server = subprocess.Popen([sys.executable, "demo_app.py"], cwd=ROOT, env=environment)
    try:
        wait_for(ADDRESS)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.goto(ADDRESS)
            page.locator("#samples button").nth(2).click()
            page.wait_for_timeout(1500)
            page.click("#ask")
            page.wait_for_selector("#lens-root[data-done=true]")
            page.locator("#lens-root .word", has_text="heart").first.hover()
            page.wait_for_timeout(300)
            page.screenshot(path=ROOT / "assets" / "screenshot.png")
            browser.close()
    finally:
        server.terminate()
        server.wait()


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
