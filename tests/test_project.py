"""What the README promises holds: its commands are commands, its versions the installed ones, its links lead on."""

import re
import shlex
from importlib.metadata import version
from pathlib import Path

import pytest

from vlm_core.cli import build_parser

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python -m vlm_core (.+)$", README, re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def test_the_page_and_the_tests_are_one_command_each_and_make_their_own_environment():
    page, tests = re.findall(r"^```bash\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    for block, environment in ((page, ".venv"), (tests, ".venv-test")):
        assert len(block.strip().splitlines()) == 1
        assert block.startswith(f"python3 -m venv {environment} && ")
    assert page.strip().endswith("python demo_app.py")
    assert tests.strip().endswith("python -m pytest -n 2 --dist loadfile")


def test_the_space_runs_the_version_of_gradio_that_is_pinned():
    front_matter = dict(line.split(": ", 1) for line in README.split("---")[1].strip().splitlines())
    assert front_matter["sdk_version"] == pins("requirements.txt")["gradio"]
    assert (ROOT / front_matter["app_file"]).is_file()
    assert len(front_matter["short_description"]) <= 60  # Spaces cuts what is longer.


@pytest.mark.parametrize("name", ["requirements.txt", "tests/requirements.txt"])
def test_what_is_pinned_is_what_is_tested(name):
    for package, pinned in pins(name).items():
        assert version(package).split("+")[0] == pinned, package


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_readme_is_understood(command):
    build_parser().parse_args(shlex.split(command))  # Exits with status 2 where an option does not exist.


def test_every_file_that_a_document_names_is_there():
    for document in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / document).read_text(encoding="utf-8")
        linked = re.findall(r"\]\((?!https?:)([^)#]+)\)", text)
        named = re.findall(r"`((?:vlm_core|tests|scripts|assets)/[\w./-]+)`", text)
        missing = [path for path in linked + named if not (ROOT / path).exists()]
        assert not missing, f"{document} names {missing}"
