"""Your picture: draw it, stamp it, upload it, or pick one. The canvas itself lives in static/canvas.js.

It is this project's own: Gradio's ImageEditor, once a value has been set from here, sends its picture again and again
without end (gradio-app/gradio#7502), which no live caption survives.
"""

from __future__ import annotations

import base64
import binascii
import random
from collections import deque
from dataclasses import dataclass
from functools import cache
from html import escape

import gradio as gr
from PIL import Image

from vlm_core.app.images import as_data, data_uri
from vlm_core.app.texts import Labels, text
from vlm_core.errors import UserError
from vlm_core.pictures import SIDE, is_blank, open_picture
from vlm_core.scenes import Scene, sample_scene
from vlm_core.scenes.shapes import ideal_outline
from vlm_core.scenes.world import CHINESE, COLORS, SHAPES

CANVAS = 448
"""Pixels along the canvas: twice what the model sees, so that a stroke is smooth to the eye."""
PREFIX = "data:image/png;base64,"
SAMPLE_SEEDS = ((2, 1), (7, 2), (11, 2), (19, 2), (23, 3), (31, 2), (42, 1), (58, 3))
"""(seed, level) of the ready pictures: evaluation scenes, which no training draws."""
PICK_SAMPLE = """
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-index]");
  if (button) trigger("select", { index: Number(button.dataset.index) });
});
"""
_known: deque[Scene] = deque(maxlen=64)
"""Random scenes that were handed out last."""


@dataclass(frozen=True)
class PicturePanel:
    drawn: gr.Textbox
    """What is on the canvas, as canvas.js tells it after every change: a PNG in a data: address; never seen."""
    canvas_data: gr.HTML
    """A picture for the canvas to show, for canvas.js to read; never seen."""
    clear: gr.Button
    undo: gr.Button
    random: gr.Button
    upload: gr.UploadButton
    samples: gr.HTML
    title: gr.HTML
    labels: Labels


def build(language: str) -> PicturePanel:
    def words(key: str) -> str:
        return text(language, key)

    title = gr.HTML(show_title(language))
    # Never updated, which would empty the canvas: its few words are said in both languages.
    gr.HTML(show_canvas(), elem_id="editor")
    drawn = gr.Textbox("", label="PNG", elem_id="drawn", elem_classes="data-only")
    canvas_data = gr.HTML("", elem_id="canvas-data", elem_classes="data-only")
    with gr.Row(elem_classes="tight"):
        undo = gr.Button(words("undo"), elem_id="undo", min_width=80)
        clear = gr.Button(words("clear"), elem_id="clear", min_width=80)
        random_scene = gr.Button(words("random"), elem_id="random", min_width=100)
        upload = gr.UploadButton(words("upload"), elem_id="upload", min_width=100)
    samples = gr.HTML(show_samples(language), elem_id="samples", js_on_load=PICK_SAMPLE)
    labels: Labels = [
        (undo, {"value": "undo"}),
        (clear, {"value": "clear"}),
        (random_scene, {"value": "random"}),
        (upload, {"label": "upload"}),
    ]
    return PicturePanel(drawn, canvas_data, clear, undo, random_scene, upload, samples, title, labels)


def show_canvas() -> str:
    """The canvas, a palette of the world's colours and the eraser, stamps of its shapes."""
    paints = {f"{name} {CHINESE[name]}": "#{:02x}{:02x}{:02x}".format(*color) for name, color in COLORS.items()}
    palette = "".join(
        f'<input type="radio" name="paint" value="{color}" style="--paint:{color}" aria-label="{name}" title="{name}"'
        f"{' checked' if place == 0 else ''}>"
        for place, (name, color) in enumerate(paints.items())
    )
    eraser = (
        '<input type="radio" name="paint" value="#ffffff" class="eraser" style="--paint:#ffffff" '
        'aria-label="eraser 橡皮" title="eraser 橡皮">'
    )
    stamps = "".join(
        f'<button type="button" data-shape="{name}" aria-label="stamp: {name} {CHINESE[name]}" '
        f'title="{name} {CHINESE[name]}"><svg viewBox="-1.2 -1.2 2.4 2.4" aria-hidden="true">'
        f'<polygon points="{_points(name)}"/></svg></button>'
        for name in SHAPES
    )
    return (
        f'<canvas width="{CANVAS}" height="{CANVAS}" data-seen="{SIDE}" role="img" aria-label="canvas 画布"></canvas>'
        f'<div class="palette" role="radiogroup" aria-label="colour 颜色">{palette}{eraser}</div>'
        f'<div class="stamps" role="group" aria-label="stamps 印章">{stamps}</div>'
    )


def _points(shape: str) -> str:
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in ideal_outline(shape, 0))


def on_canvas(picture: Image.Image) -> str:
    """A picture for canvas.js to put on the canvas."""
    return as_data({"image": data_uri(picture), "time": random.random()})  # the same one again is put there again


def random_picture() -> str:
    scene = sample_scene(random.randrange(1 << 30), level=2, style="drawn")
    _known.append(scene)
    return on_canvas(scene.image)


@cache
def sample_scenes() -> list[Scene]:
    return [sample_scene(seed, level, "drawn") for seed, level in SAMPLE_SEEDS]


def what_it_shows(picture: Image.Image) -> Scene | None:
    """The scene that a picture is, to the pixel; None for whatever a person drew or changed."""
    pixels = picture.tobytes()
    return next((scene for scene in [*_known, *sample_scenes()] if scene.image.tobytes() == pixels), None)


def show_title(language: str) -> str:
    return f"<h2>{escape(text(language, 'picture'))}</h2>"


def show_samples(language: str) -> str:
    """The ready pictures as buttons, each named by its caption."""
    buttons = "".join(
        f'<button type="button" data-index="{i}" aria-label="{escape(scene.caption(language))}">'
        f'<img src="{data_uri(scene.image.resize((112, 112)))}" alt=""></button>'
        for i, scene in enumerate(sample_scenes())
    )
    return f'<div role="group" aria-label="{escape(text(language, "samples"))}">{buttons}</div>'


def pick_sample(choice: gr.EventData) -> str:
    return on_canvas(sample_scenes()[choice._data["index"]].image)


def uploaded_picture(path: str) -> str:
    """An uploaded file on the canvas. Raises UserError if it is no usable picture."""
    return on_canvas(open_picture(path))


def read_picture(drawn: str | None, language: str) -> Image.Image:
    """What is on the canvas, 224 × 224. Raises UserError if that is nothing, or no picture."""
    if not drawn:
        raise UserError(text(language, "empty_canvas"))
    try:
        content = base64.b64decode(drawn.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise UserError(text(language, "no_drawing")) from error
    picture = open_picture(content)
    if is_blank(picture):
        raise UserError(text(language, "empty_canvas"))
    return picture
