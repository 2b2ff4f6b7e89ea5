"""The page's words: the same ones in both languages, and each of them somewhere on the page."""

import json
import re
from pathlib import Path
from string import Formatter

import pytest
from matplotlib.ft2font import FT2Font

import vlm_core
import vlm_core.app
from vlm_core.app.texts import I18N, choices, known, table, text
from vlm_core.insight.overlays import FONT

ENGLISH, CHINESE = table("en"), table("zh")
SOURCES = sorted(Path(vlm_core.app.__file__).parent.rglob("*.py"))
READ = {".py", ".js", ".html", ".json"}
EVERYTHING = [path for path in Path(vlm_core.__file__).parent.rglob("*") if path.suffix in READ]
CODE = "\n".join(source.read_text(encoding="utf-8") for source in SOURCES)


def placeholders(sentence):
    return {field for _, field, _, _ in Formatter().parse(sentence) if field is not None}


def test_every_text_is_there_once_and_in_both_languages():
    words = [word for path in I18N.glob("*.json") for word in json.loads(path.read_text(encoding="utf-8")).items()]
    assert len(words) == len(dict(words)) == len(ENGLISH)
    assert all(said.keys() == {"en", "zh"} for _, said in words)


@pytest.mark.parametrize("key", ENGLISH)
def test_both_languages_fill_in_the_same_values(key):
    assert placeholders(ENGLISH[key]) == placeholders(CHINESE[key])


@pytest.mark.parametrize("key", ENGLISH)
def test_every_text_is_used(key):
    assert re.search(rf"""["']{key}["']""", CODE), f"no panel shows '{key}'"


@pytest.mark.parametrize("key", [key for key in CHINESE if key != "title"])
def test_every_text_is_translated(key):
    assert re.search(r"[\u4e00-\u9fff]", CHINESE[key]), CHINESE[key]
    assert not re.search(r"[\u4e00-\u9fff]", ENGLISH[key]), ENGLISH[key]


def test_no_text_is_empty_or_has_space_around_it():
    for words in (ENGLISH, CHINESE):
        assert all(words.values()) and all(said == said.strip() for said in words.values())


def test_values_are_filled_in():
    assert text("en", "left", seconds=7) == "7 s left"
    assert "7" in text("zh", "left", seconds=7)


@pytest.mark.parametrize("asked", [None, "", "fr", "EN", "../en", "zh-CN"])
def test_unknown_language_is_english(asked):
    assert known(asked) == "en"


def test_choices_keep_their_values_in_every_language():
    keys = {"run": "model_run", "bundled": "model_bundled"}
    assert [value for _, value in choices("en", keys)] == [value for _, value in choices("zh", keys)]
    assert not {said for said, _ in choices("en", keys)} & {said for said, _ in choices("zh", keys)}


def test_the_font_that_comes_along_has_every_character_of_the_page():
    """On a machine without Chinese fonts a missing one would be an empty box; scripts/subset_font.py cuts it anew."""
    font = FT2Font(str(FONT)).get_charmap()
    everything = "".join(path.read_text(encoding="utf-8") for path in EVERYTHING)
    shown = set(re.findall(r"[\u3000-\u9fff\uff00-\uffef]", everything)) | set("".join(CHINESE.values())) - {"\n"}
    assert not {character for character in shown if ord(character) not in font}
