"""The page's words in English and Chinese, and how components take them on."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr

from vlm_core.scenes.world import LANGUAGES

Labels = list[tuple[Any, dict[str, Any]]]
"""Components with the properties that hold words: {"label": key} or {"choices": {value: key}}."""

LANGUAGE_NAMES = {"en": "english", "zh": "chinese"}
"""The languages with the keys of their names."""
I18N = Path(__file__).parent / "i18n"


@cache
def table(language: str) -> dict[str, str]:
    """All words of a language by key: those of every file in i18n, which has one for each panel."""
    files = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(I18N.glob("*.json"))]
    return {key: said[language] for words in files for key, said in words.items()}


def text(language: str, key: str, **values) -> str:
    return table(language)[key].format(**values)


def known(language: str | None) -> str:
    """The language asked for if the page speaks it, else English."""
    return language if language in LANGUAGES else "en"


def choices(language: str, keys: dict[str, str]) -> list[tuple[str, Any]]:
    """Choices of a Radio: (words, value)."""
    return [(text(language, key), value) for value, key in keys.items()]


def translate(labels: Labels, language: str) -> list:
    """One update per labelled component, with its words in `language`."""
    return [
        gr.update(
            **{
                name: choices(language, key) if name == "choices" else text(language, key)
                for name, key in properties.items()
            }
        )
        for _, properties in labels
    ]
