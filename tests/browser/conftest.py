"""The page as a person gets it: `demo_app.py` on a free port, in whatever Chromium is installed."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.browser.hands import caption, draw, open_page

ROOT = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
FLAGS += ["--disable-background-networking", "--disable-component-update"]
START_SECONDS = 60


@dataclass(frozen=True)
class Server:
    address: str
    seconds_to_first_page: float


@pytest.fixture(scope="session")
def server(tmp_path_factory, chromium):
    """One server for all tests. Asked for after `chromium`, so that nothing starts where there is no browser."""
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    named = {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": str(folder)}
    log = folder / "server.log"
    began = time.monotonic()
    with open(log, "w") as output:
        process = subprocess.Popen(
            [sys.executable, "demo_app.py"], cwd=ROOT, env={**os.environ, **named}, stdout=output, stderr=output
        )
    address = f"http://127.0.0.1:{port}"
    try:
        while not answers(address):
            if process.poll() is not None or time.monotonic() - began > START_SECONDS:
                pytest.fail(f"demo_app.py showed no page:\n{log.read_text()}")
            time.sleep(0.05)
        yield Server(address, time.monotonic() - began)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def answers(address):
    try:
        return urllib.request.urlopen(address, timeout=5).status == 200
    except OSError:
        return False


@pytest.fixture(scope="session")
def chromium():
    """A running browser; without one every test here is skipped."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="no Playwright: pip install -r tests/requirements.txt"
    )
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip("no Chromium: apt-get install chromium (or have google-chrome on the PATH)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def viewport():
    """Width and height of the window; a test that wants another one brings its own."""
    return {"width": 1280, "height": 800}


@pytest.fixture
def page(chromium, server, viewport):
    """A fresh window, which no other test has touched."""
    with watched_window(chromium, server, viewport) as window:
        yield window


@pytest.fixture(scope="module")
def captioned(chromium, server):
    """A window with a square drawn and captioned, for tests that only look at the lens."""
    with watched_window(chromium, server, {"width": 1280, "height": 800}) as window:
        open_page(window)
        draw(window)
        caption(window)
        yield window


@contextmanager
def watched_window(chromium, server, viewport):
    """A window on the test server and nothing else.

    Fails at its end if the page asked any other server for anything, or if a script of it failed.
    """
    context = chromium.new_context(viewport=viewport, base_url=server.address)
    context.set_default_timeout(20_000)
    outside, faults = [], []

    def refuse(route):
        outside.append(route.request.url)
        route.abort()

    context.route(re.compile(rf"^(?!{re.escape(server.address)}/|data:|blob:)"), refuse)
    context.on("weberror", lambda fault: faults.append(str(fault.error)))
    window = context.new_page()
    yield window
    for tab in context.pages:
        # Nobody else is to wait for this test's run.
        if tab.locator("#stop").is_visible():
            tab.locator("#stop").click()
            tab.wait_for_selector("#stop", state="hidden")
    context.close()
    assert not outside, f"the page asked other servers: {outside}"
    assert not faults, f"scripts of the page failed: {faults}"
