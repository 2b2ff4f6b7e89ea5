"""Your picture: draw it, upload it, or pick one."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache

import gradio as gr
from PIL import Image

from vlm_core.app.texts import Labels, text
from vlm_core.errors import UserError
from vlm_core.pictures import is_blank, open_picture
from vlm_core.scenes import sample_scene
from vlm_core.scenes.world import COLORS

CANVAS = 448
"""Pixels along the canvas: twice what the model sees, so that a stroke is smooth to the eye."""
BRUSH = 20
SAMPLE_SEEDS = ((2, 1), (7, 2), (11, 2), (19, 2), (23, 3), (31, 2), (42, 1), (58, 3))
"""(seed, level) of the ready pictures: evaluation scenes, which no training draws."""


@dataclass(frozen=True)
class PicturePanel:
    editor: gr.ImageEditor
    clear: gr.Button
    random: gr.Button
    upload: gr.UploadButton
    samples: gr.Gallery
    labels: Labels


def build(language: str) -> PicturePanel:
    def words(key: str) -> str:
        return text(language, key)

    editor = gr.ImageEditor(
        blank_canvas(),
        label=words("picture"),
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
        height=500,
    )
    with gr.Row(elem_classes="tight"):
        clear = gr.Button(words("clear"), elem_id="clear", min_width=80)
        random_scene = gr.Button(words("random"), elem_id="random", min_width=120)
        upload = gr.UploadButton(words("upload"), elem_id="upload", min_width=120)
    samples = gr.Gallery(
        sample_pictures(),
        label=words("samples"),
        elem_id="samples",
        columns=8,
        rows=1,
        height=110,
        allow_preview=False,
        object_fit="contain",
        interactive=False,
        buttons=[],
    )
    labels: Labels = [
        (editor, {"label": "picture"}),
        (clear, {"value": "clear"}),
        (random_scene, {"value": "random"}),
        (upload, {"label": "upload"}),
        (samples, {"label": "samples"}),
    ]
    return PicturePanel(editor, clear, random_scene, upload, samples, labels)


def blank_canvas() -> dict:
    """An editor value: white, with the brush ready at once."""
    return as_editor_value(Image.new("RGB", (CANVAS, CANVAS), "white"))


def as_editor_value(picture: Image.Image) -> dict:
    """A picture as the editor's background, to draw on."""
    return {"background": picture.resize((CANVAS, CANVAS), Image.Resampling.NEAREST), "layers": [], "composite": None}


def random_picture() -> dict:
    return as_editor_value(sample_scene(random.randrange(1 << 30), level=2, style="drawn").image)


@cache
def sample_pictures() -> list[Image.Image]:
    return [sample_scene(seed, level, "drawn").image for seed, level in SAMPLE_SEEDS]


def pick_sample(choice: gr.SelectData) -> dict:
    return as_editor_value(sample_pictures()[choice.index])


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
