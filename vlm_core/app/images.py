"""Pictures that travel inside the page's HTML: no file cache that a fast reload could catch half-written."""

from __future__ import annotations

import base64
import io

from PIL import Image


def data_uri(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
