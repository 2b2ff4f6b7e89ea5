"""What is on the page, as code that does the same elsewhere, and as an address. No Gradio in here."""

from __future__ import annotations

import shlex
from dataclasses import fields
from typing import NamedTuple
from urllib.parse import urlencode

from vlm_core.app.settings import KINDS, settings_of
from vlm_core.app.texts import text
from vlm_core.config import TrainConfig
from vlm_core.scenes import Scene

NOT_SETTINGS = ("evaluations", "evaluation_scenes", "snapshots", "until")
"""How the page looks at a run, which changes nothing of what is learned."""
ADDRESS = "ADDRESS/"
"""Stands for the page's own address, which only the browser knows."""
PICTURE, FOLDER = "picture.png", "simple-vlm-run"


class Shown(NamedTuple):
    """What the page shows now."""

    config: TrainConfig
    """Of its run, or of the settings of the next one."""
    trained_here: bool
    """Whether the model that speaks is that of a run on the page; else it is the bundled one."""
    spoken: str
    """The language of captions."""
    scene: Scene | None
    """What the picture is, if it is one of the world's own."""
    language: str
    """The page's language, which comments are in."""
    repeatable: bool = True
    """False if the run was steered by hand or taught a word, which no settings repeat."""


def changes(config: TrainConfig) -> dict:
    """The settings that are not the default, by name."""
    usual = TrainConfig()
    named = [field.name for field in fields(config) if field.name not in NOT_SETTINGS]
    own = {name: getattr(config, name) for name in named if getattr(config, name) != getattr(usual, name)}
    return {name: value for name, value in own.items() if name != "seconds" or config.steps is None}


def python_code(shown: Shown) -> str:
    """A script that runs where vlm_core can be imported; it prints the caption, each word with its probability."""
    names = ["TrainConfig", "train"] if shown.trained_here else ["VLM"]
    names += ["sample_scene"] if shown.scene else []
    lines = [f"from vlm_core import {', '.join(sorted(names))}", ""]
    if shown.trained_here:
        given = ", ".join(f"{name}={_python(value)}" for name, value in changes(shown.config).items())
        if not shown.repeatable:
            lines.append(_comment(shown, "code_not_repeatable"))
        lines += [f"config = TrainConfig({given})", "for event in train(config):", "    pass", "vlm = event.vlm"]
        lines.append(_comment(shown, "code_downloaded", line=f'VLM.from_pretrained("{FOLDER}")'))
    else:
        lines.append("vlm = VLM.from_pretrained()")
    if shown.scene:
        named = ", ".join(f"{name}={_python(getattr(shown.scene, name))}" for name in ("seed", "level", "style"))
        lines.append(f"picture = sample_scene({named}).image")
    else:
        lines += [_comment(shown, "code_picture"), f"picture = {_python(PICTURE)}"]
    lines += [
        f"caption = vlm.caption(picture, language={_python(shown.spoken)})",
        "print(caption.text)",
        "for token in caption.tokens:",
        '    print(f"{token.text}  {token.probability:.1%}")',
    ]
    return "\n".join(lines) + "\n"


def client_code(shown: Shown) -> str:
    """A script that has this page do the same, through gradio_client."""
    lines = ["from gradio_client import Client, handle_file", "", f'client = Client("{ADDRESS}")']
    run = ""
    if shown.trained_here:
        given = "".join(f"{name}={_python(value)}, " for name, value in changes(shown.config).items())
        lines = ["import time", "", *lines]
        lines += [
            f'run = client.predict({given}api_name="/train")["run"]',
            'while client.predict(run, api_name="/status")["state"] in ("running", "paused"):',
            "    time.sleep(1)",
        ]
        run = ", run=run"
    said = f'client.predict(handle_file("{PICTURE}"), language="{shown.spoken}"{run}, api_name="/caption")'
    lines += [
        _comment(shown, "code_picture"),
        f"caption = {said}",
        'print(caption["text"])',
        'for word in caption["words"]:',
        "    print(f\"{word['text']}  {word['probability']:.1%}\")",
    ]
    return "\n".join(lines) + "\n"


def command_line(shown: Shown) -> str:
    """Commands that do the same in the project's folder."""
    lines = []
    model = ""
    if shown.trained_here:
        given = {name: _option(value) for name, value in changes(shown.config).items()}
        options = "".join(f" --{name.replace('_', '-')} {shlex.quote(value)}" for name, value in given.items())
        lines.append(f"python -m vlm_core train{options} --out {FOLDER}")
        model = f" --checkpoint {FOLDER}"
    lines.append(f"python -m vlm_core caption {PICTURE} --language {shown.spoken}{model} --strip strip.pdf")
    return "\n".join(lines) + "\n"


def link(shown: Shown) -> str:
    """An address that opens the page in its language and with its settings; nobody's run or drawing is in it."""
    usual, now = settings_of(TrainConfig()), settings_of(shown.config)
    given = {
        name: ",".join(value) if isinstance(value, list) else _option(value)
        for name, value, before in zip(KINDS, now, usual, strict=True)
        if value not in (before, None)
    }
    return f"{ADDRESS}?{urlencode({'lang': shown.language, **given}, safe=',')}"


def _comment(shown: Shown, key: str, **values) -> str:
    return f"# {text(shown.language, key, **values)}"


def _python(value) -> str:
    """As Python reads it, texts in double quotes."""
    return repr(value).replace("'", '"')


def _option(value) -> str:
    """As the command line and the address write it."""
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
