"""Your picture: draw it, upload it, or pick one."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from html import escape

import gradio as gr
from PIL import Image

from vlm_core.app.images import data_uri
from vlm_core.app.texts import Labels, text
from vlm_core.errors import UserError
from vlm_core.pictures import is_blank, open_picture
from vlm_core.scenes import Scene, sample_scene
from vlm_core.scenes.world import COLORS

CANVAS = 448
"""Pixels along the canvas: twice what the model sees, so that a stroke is smooth to the eye."""
BRUSH = 20
SAMPLE_SEEDS = ((2, 1), (7, 2), (11, 2), (19, 2), (23, 3), (31, 2), (42, 1), (58, 3))
"""(seed, level) of the ready pictures: evaluation scenes, which no training draws."""
PICK_SAMPLE = """
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-index]");
  if (button) trigger("select", { index: Number(button.dataset.index) });
});
"""


@dataclass(frozen=True)
class PicturePanel:
    editor: gr.ImageEditor
    clear: gr.Button
    random: gr.Button
    upload: gr.UploadButton
    samples: gr.HTML
    title: gr.HTML
    labels: Labels


def build(language: str) -> PicturePanel:
    def words(key: str) -> str:
        return text(language, key)

    # Its words stand beside the editor: an update of its own label would make it send its canvas without end.
    title = gr.HTML(show_title(language))
    editor = gr.ImageEditor(
        blank_canvas(),
        label="Canvas / 画布",
        show_label=False,
        elem_id="editor",
        type="pil",
        image_mode="RGB",
        sources=(),
        transforms=(),
        layers=False,
        canvas_size=(CANVAS, CANVAS),
        fixed_canvas=True,
        brush=gr.Brush(BRUSH, [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in COLORS.values()], color_mode="fixed"),
        eraser=gr.Eraser(2 * BRUSH),
        height=390,
    )
    with gr.Row(elem_classes="tight"):
        clear = gr.Button(words("clear"), elem_id="clear", min_width=80)
        random_scene = gr.Button(words("random"), elem_id="random", min_width=120)
        upload = gr.UploadButton(words("upload"), elem_id="upload", min_width=120)
    samples = gr.HTML(show_samples(language), elem_id="samples", js_on_load=PICK_SAMPLE)
    labels: Labels = [
        (clear, {"value": "clear"}),
        (random_scene, {"value": "random"}),
        (upload, {"label": "upload"}),
    ]
    return PicturePanel(editor, clear, random_scene, upload, samples, title, labels)


def blank_canvas() -> dict:
    """An editor value: white, with the brush ready at once."""
    return as_editor_value(Image.new("RGB", (CANVAS, CANVAS), "white"))


def as_editor_value(picture: Image.Image) -> dict:
    """A picture as the editor's background, to draw on."""
    return {"background": picture.resize((CANVAS, CANVAS), Image.Resampling.NEAREST), "layers": [], "composite": None}


def random_picture() -> dict:
    return as_editor_value(sample_scene(random.randrange(1 << 30), level=2, style="drawn").image)


@cache
def sample_scenes() -> list[Scene]:
    return [sample_scene(seed, level, "drawn") for seed, level in SAMPLE_SEEDS]


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


def pick_sample(choice: gr.EventData) -> dict:
    return as_editor_value(sample_scenes()[choice._data["index"]].image)


def uploaded_picture(path: str) -> dict:
    """An uploaded file on the canvas. Raises UserError if it is no usable picture."""
    return as_editor_value(open_picture(path))


def read_picture(value: dict | None, language: str) -> Image.Image:
    """What is on the canvas, 224 × 224. Raises UserError if that is nothing."""
    shown = (value or {}).get("composite") or (value or {}).get("background")
    if shown is None:
        raise UserError(text(language, "empty_canvas"))
    picture = open_picture(shown.convert("RGB").resize((224, 224), Image.Resampling.BOX))
    if is_blank(picture):
        raise UserError(text(language, "empty_canvas"))
    return picture
