"""Pictures that the project's renderer never made: markers of a plotting library, glyphs of a font, icons, other
polygons, on screens, paper and after JPEG. Each comes with the shape and the colour that anyone would call it."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SIDE = 224
# Colours as other palettes have them (CSS, Material, Tailwind, matplotlib): not this project's.
PALETTES = {
    "red": ("#ff0000", "#e53935", "#dc2626"),
    "orange": ("#ffa500", "#fb8c00", "#ff8c00"),
    "yellow": ("#ffff00", "#ffeb3b", "#ffd700"),
    "green": ("#008000", "#43a047", "#16a34a"),
    "blue": ("#0000ff", "#1e88e5", "#2563eb"),
    "purple": ("#800080", "#8e24aa", "#9333ea"),
    "pink": ("#ff69b4", "#ffc0cb", "#f472b6"),
    "black": ("#000000", "#111111", "#212121"),
}
PAPERS = ("#ffffff", "#ffffff", "#f5f5f5", "#eeeeee", "#fdf6e3", "#303030")
GLYPHS = {
    "circle": "●", "square": "■", "triangle": "▲", "star": "★", "heart": "♥", "diamond": "◆", "cross": "✚", "moon": "☾",
}  # fmt: skip
OUTLINED_GLYPHS = {"circle": "○", "square": "□", "triangle": "△", "star": "☆", "heart": "♡", "diamond": "◇"}
MARKERS = {
    "circle": "o", "square": "s", "triangle": "^", "star": "*", "heart": r"$\heartsuit$", "diamond": "D", "cross": "P",
}  # fmt: skip


@dataclass(frozen=True)
class ForeignPicture:
    image: Image.Image
    shape: str
    color: str
    source: str


def foreign_pictures(seed: int = 0) -> list[ForeignPicture]:
    """A few of every shape in every colour from every source; always the same for a seed."""
    rng = Random(seed)
    pictures = []
    for source, draw in SOURCES.items():
        for color, shades in PALETTES.items():
            for shape in SHAPES_OF[source]:
                shade = rng.choice(shades)
                paper = rng.choice([p for p in PAPERS if _apart(p, shade) > 150])
                image = draw(rng, shape, shade, paper)
                if rng.random() < 0.3:
                    image = _through_jpeg(image, rng.choice((40, 70, 90)))
                pictures.append(ForeignPicture(image, shape, color, source))
    return pictures


def plot_marker(rng: Random, shape: str, shade: str, paper: str, filled: bool = True) -> Image.Image:
    """A marker of matplotlib, as in a scatter plot without axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2.24, 2.24), dpi=100, facecolor=paper)
    canvas = FigureCanvasAgg(figure)
    axis = figure.add_axes((0, 0, 1, 1))
    axis.set_axis_off()
    axis.set(xlim=(0, 1), ylim=(0, 1))
    size = rng.choice((34, 42, 70, 88)) * (0.75 if shape == "diamond" else 1)
    look = {"markerfacecolor": shade if filled else "none", "markeredgecolor": shade, "markeredgewidth": 3}
    axis.plot(
        rng.uniform(0.3, 0.7), rng.uniform(0.3, 0.7), marker=MARKERS[shape], markersize=0.72 * size, **look
    )
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def outlined_marker(rng: Random, shape: str, shade: str, paper: str) -> Image.Image:
    return plot_marker(rng, shape, shade, paper, filled=False)


def glyph(rng: Random, shape: str, shade: str, paper: str, glyphs: dict[str, str] = GLYPHS) -> Image.Image:
    """A character of DejaVu Sans, as on a slide."""
    import matplotlib

    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    image = Image.new("RGB", (SIDE, SIDE), paper)
    font = ImageFont.truetype(str(path), rng.choice((60, 100, 140)))
    place = rng.uniform(75, 149), rng.uniform(75, 149)
    ImageDraw.Draw(image).text(place, glyphs[shape], fill=shade, font=font, anchor="mm")
    return image


def outlined_glyph(rng: Random, shape: str, shade: str, paper: str) -> Image.Image:
    return glyph(rng, shape, shade, paper, OUTLINED_GLYPHS)


def icon(rng: Random, shape: str, shade: str, paper: str) -> Image.Image:
    """An icon with rounded corners, as of an app: drawn large, shrunk smoothly."""
    side, scale = rng.choice((48, 80, 110)), 8
    sheet = Image.new("L", (side * scale, side * scale))
    draw, s = ImageDraw.Draw(sheet), side * scale
    if shape == "square":
        draw.rounded_rectangle((0.06 * s, 0.06 * s, 0.94 * s, 0.94 * s), radius=0.14 * s, fill=255)
    elif shape == "circle":
        draw.ellipse((0.04 * s, 0.04 * s, 0.96 * s, 0.96 * s), fill=255)
    elif shape == "moon":
        draw.ellipse((0.08 * s, 0.08 * s, 0.92 * s, 0.92 * s), fill=255)
        draw.ellipse((0.36 * s, 0.0 * s, 1.08 * s, 0.72 * s), fill=0)
    elif shape == "cross":
        draw.rounded_rectangle((0.36 * s, 0.04 * s, 0.64 * s, 0.96 * s), radius=0.07 * s, fill=255)
        draw.rounded_rectangle((0.04 * s, 0.36 * s, 0.96 * s, 0.64 * s), radius=0.07 * s, fill=255)
    elif shape == "heart":
        draw.ellipse((0.04 * s, 0.1 * s, 0.54 * s, 0.6 * s), fill=255)
        draw.ellipse((0.46 * s, 0.1 * s, 0.96 * s, 0.6 * s), fill=255)
        draw.polygon([(0.085 * s, 0.48 * s), (0.915 * s, 0.48 * s), (0.5 * s, 0.95 * s)], fill=255)
    else:
        corners = {
            "triangle": [(0.5, 0.1), (0.92, 0.85), (0.08, 0.85)],
            "diamond": [(0.5, 0.05), (0.88, 0.5), (0.5, 0.95), (0.12, 0.5)],
            "star": [
                (0.5 + r * math.sin(k * math.pi / 5), 0.52 - r * math.cos(k * math.pi / 5))
                for k in range(10)
                for r in [0.46 if k % 2 == 0 else 0.2]
            ],
        }[shape]
        points = [(x * s, y * s) for x, y in corners]
        draw.polygon(points, fill=255)
        draw.line([*points, *points[:2]], fill=255, width=round(0.06 * s), joint="curve")
    sheet = sheet.resize((side, side), Image.Resampling.LANCZOS)
    image = Image.new("RGB", (SIDE, SIDE), paper)
    room = SIDE - side
    image.paste(shade, (round(rng.uniform(0.2, 0.8) * room), round(rng.uniform(0.2, 0.8) * room)), sheet)
    return image


def _through_jpeg(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def _apart(first: str, second: str) -> float:
    a, b = (np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)], float) for color in (first, second))
    return float(np.linalg.norm(a - b))


SOURCES = {
    "plot markers": plot_marker,
    "outlined plot markers": outlined_marker,
    "glyphs": glyph,
    "outlined glyphs": outlined_glyph,
    "icons": icon,
}
SHAPES_OF = {
    "plot markers": tuple(MARKERS),
    "outlined plot markers": tuple(shape for shape in MARKERS if shape != "heart"),
    "glyphs": tuple(GLYPHS),
    "outlined glyphs": tuple(OUTLINED_GLYPHS),
    "icons": tuple(GLYPHS),
}


def by_source(pictures: list[ForeignPicture]) -> Iterator[tuple[str, list[ForeignPicture]]]:
    for source in SOURCES:
        yield source, [picture for picture in pictures if picture.source == source]
