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
FLAGS += ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]  # nothing else is to be reached
START_SECONDS = 60


def pytest_collection_modifyitems(items):
    """On a machine that is busy with something else a click can fall between two changes of the page."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=2))


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


@pytest.fixture(scope="session")
def profile(chromium, server):
    """One browser profile for the windows of all tests, so that the page's scripts are fetched and compiled once."""
    with browser_profile(chromium, server) as context:
        yield context


@contextmanager
def browser_profile(chromium, server):
    context = chromium.new_context(base_url=server.address)
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture
def viewport():
    """Width and height of the window; a test that wants another one brings its own."""
    return {"width": 1280, "height": 800}


@pytest.fixture
def page(profile, server, viewport):
    """A fresh window, which no other test has touched."""
    with watched_window(profile, server, viewport) as window:
        yield window


@pytest.fixture
def phone(chromium, server):
    """The window of somebody in the class: in front of them, whatever the presenter's is behind."""
    with (
        browser_profile(chromium, server) as context,
        watched_window(context, server, {"width": 390, "height": 844}) as window,
    ):
        yield window


@pytest.fixture(scope="module")
def captioned(profile, server):
    """A window with a square drawn and captioned, for tests that only look at the lens."""
    with watched_window(profile, server, {"width": 1280, "height": 800}) as window:
        open_page(window)
        draw(window)
        caption(window)
        yield window


@contextmanager
def watched_window(profile, server, viewport):
    """A window on the test server and nothing else.

    Fails at its end if it asked any other server for anything, or if a script of it failed.
    """
    window = profile.new_page()
    window.set_viewport_size(viewport)
    asked, faults = [], []
    window.on("request", lambda request: asked.append(request.url))
    window.on("pageerror", lambda error: faults.append(str(error)))
    yield window
    # Nobody else is to wait for this test's run, or to find it in the browser's list.
    if window.locator("#stop").is_visible():
        window.locator("#stop").click()
        window.wait_for_selector("#stop", state="hidden")
    if window.url.startswith(server.address):
        window.evaluate("localStorage.clear()")
    window.close()
    home = re.compile(rf"^({re.escape(server.address)}/|data:|blob:)")
    outside = [url for url in asked if not home.match(url)]
    assert not outside, f"the page asked other servers: {outside}"
    assert not faults, f"scripts of the page failed: {faults}"
