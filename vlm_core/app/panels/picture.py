"""Your picture: draw it, stamp it, upload it, or pick one. The canvas itself lives in static/canvas.js.

It is this project's own: Gradio's ImageEditor, once a value has been set from here, sends its picture again and again
without end (gradio-app/gradio#7502), which no live caption survives.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import gradio as gr

from vlm_core.app.canvas import on_canvas, random_scene, sample_scenes
from vlm_core.app.images import PICK_BY_INDEX, data_uri
from vlm_core.app.texts import Labels, text
from vlm_core.pictures import SIDE, open_picture
from vlm_core.scenes.shapes import ideal_outline
from vlm_core.scenes.world import CHINESE, COLORS, SHAPES

CANVAS = 448
"""Pixels along the canvas: twice what the model sees, so that a stroke is smooth to the eye."""


@dataclass(frozen=True)
class PicturePanel:
    drawn: gr.Textbox
    """What is on the canvas, as canvas.js tells it after every change: a PNG in a data: address; never seen."""
    canvas_data: gr.HTML
    """A picture for the canvas to show, for canvas.js to read; never seen."""
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
        new_scene = gr.Button(words("random"), elem_id="random", min_width=100)
        upload = gr.UploadButton(words("upload"), elem_id="upload", min_width=100)
    samples = gr.HTML(show_samples(language), elem_id="samples", js_on_load=PICK_BY_INDEX)
    labels: Labels = [
        (undo, {"value": "undo"}),
        (clear, {"value": "clear"}),
        (new_scene, {"value": "random"}),
        (upload, {"label": "upload"}),
    ]
    return PicturePanel(drawn, canvas_data, new_scene, upload, samples, title, labels)


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


def random_picture() -> str:
    return on_canvas(random_scene().image)


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
