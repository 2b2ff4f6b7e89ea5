"""What travels inside the page's HTML: pictures, which no file cache could hand out half-written, and data."""

from __future__ import annotations

import base64
import io
import json
from html import escape

from PIL import Image

PICK_BY_INDEX = """
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-index]");
  if (button) trigger("select", { index: Number(button.dataset.index) });
});
"""
"""Script of a gr.HTML whose pictures are buttons: a click on one is its `select`."""


def data_uri(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def as_data(value) -> str:
    """JSON in an attribute of an element, for the page's scripts to read."""
    return f'<div data-json="{escape(json.dumps(value, ensure_ascii=False))}"></div>'
