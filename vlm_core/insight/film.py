"""The life of a run as an animated GIF: what it said of one picture at each moment, and where it looked."""

from __future__ import annotations

import functools
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vlm_core.errors import UserError
from vlm_core.insight.figures import outline, percent
from vlm_core.insight.overlays import FONT, colors
from vlm_core.learning.events import Snapshot
from vlm_core.model.generation import Caption, GeneratedToken

WIDTH, MARGIN, TOP, PICTURE, LINE = 600, 20, 96, 448, 44
"""Pixels: the width of a frame and its margin, where the picture begins, the side of a picture with the map of one
word, and the height of a line of the caption below it."""
SMALL, SMALL_ROW, SMALL_COLUMNS = 126, 176, 4
"""Pixels: the side of a picture and the height of a row where every word has one; how many stand side by side."""
MOST_LINES, MOST_ROWS = 4, 6
"""What is left of a caption beyond them is cut off: only a model that has just begun says so much."""
INK, QUIET, ACCENT = "#1a1a1a", "#5c5c5c", "#0b5fc4"
FRAME_MS, LAST_MS = 280, 2500
MOST_MOMENTS = 120


@dataclass(frozen=True)
class Moment:
    step: int
    seconds: float
    caption: Caption
    score: str = ""
    """What is known of the model's skill at that time, in words."""


def relive(snapshots: Iterable[Snapshot], image: Image.Image, language: str) -> Iterator[Moment]:
    """What a run said of a picture at each of its snapshots; one caption takes some 20 ms on a CPU."""
    for snapshot in snapshots:
        yield Moment(snapshot.step, snapshot.seconds, snapshot.vlm.caption(image, language))


def find_word(words: list[str], place: int, text: str) -> int | None:
    """Where the word chosen in one caption stands in another: the same text, nearest its place, or what is there now.

    None if nothing is said.
    """
    if not words:
        return None
    same = [i for i, word in enumerate(words) if word == text]
    return min(same, key=lambda i: abs(i - place)) if same else min(place, len(words) - 1)


def draw_film(
    image: Image.Image,
    moments: list[Moment],
    words: dict[str, str],
    chosen: tuple[int, str] | None = None,
    layer_head: tuple[int, int] | None = None,
) -> bytes:
    """An animated GIF with a frame for each moment, the last one shown longer; it repeats for ever.

    `chosen` is a word (its place and text), whose map is shown large; None shows a small map of every word. Maps are
    those of one layer and head, or the mean of all, on the scale of `overlays.colors`. `words` names "step"
    ("step {step}"), "elapsed" ("{seconds} s") and "silent" in the language of the page. Raises UserError if there is
    nothing to show, or too much.
    """
    if not 1 <= len(moments) <= MOST_MOMENTS:
        raise UserError(f"A film has 1 to {MOST_MOMENTS} moments, not {len(moments)}.")
    last_step = moments[-1].step
    if chosen:
        places = [find_word([token.text for token in moment.caption.tokens], *chosen) for moment in moments]
        told = [_lay_out(moment.caption, place) for moment, place in zip(moments, places, strict=True)]
        lines = min(MOST_LINES, 1 + max(laid[-1][1] for laid in told))
        frames = []
        for moment, place in zip(moments, places, strict=True):
            frame = _empty_frame(moment, words, last_step, PICTURE + 16 + lines * LINE)
            _draw_chosen(frame, image, moment.caption, place, layer_head, words)
            frames.append(frame)
    else:
        most_words = max(len(moment.caption.tokens) for moment in moments)
        rows = min(MOST_ROWS, -(-most_words // SMALL_COLUMNS) or 1)
        frames = []
        for moment in moments:
            frame = _empty_frame(moment, words, last_step, rows * SMALL_ROW)
            _draw_every_word(frame, image, moment.caption, layer_head, words)
            frames.append(frame)
    return _as_gif(frames)


def _as_gif(frames: list[Image.Image]) -> bytes:
    """One palette for all frames, so that what stays the same costs nothing and does not flicker."""
    seen = frames[:: -(-len(frames) // 8)] + frames[-1:]
    sheet = Image.new("RGB", (frames[0].width, sum(frame.height for frame in seen)))
    for row, frame in enumerate(seen):
        sheet.paste(frame, (0, row * frame.height))
    palette = sheet.quantize(255, dither=Image.Dither.NONE)
    first, *rest = (frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames)
    durations = [FRAME_MS] * len(rest) + [LAST_MS]
    content = io.BytesIO()
    first.save(content, "GIF", save_all=True, append_images=rest, duration=durations, loop=0)
    return content.getvalue()


def _empty_frame(moment: Moment, words: dict[str, str], last_step: int, room: int) -> Image.Image:
    """A frame with when it is, how far along the run that lies, and `room` pixels below for what was said."""
    frame = Image.new("RGB", (WIDTH, TOP + room + MARGIN), "white")
    draw = ImageDraw.Draw(frame)
    now = f"{words['step'].format(step=moment.step)} · {words['elapsed'].format(seconds=f'{moment.seconds:.0f}')}"
    draw.text((MARGIN, 10), now, INK, _font(24))
    draw.text((MARGIN, 42), moment.score, QUIET, _font(18))
    end = MARGIN + (WIDTH - 2 * MARGIN) * moment.step / max(last_step, 1)
    draw.rectangle((MARGIN, 76, WIDTH - MARGIN, 83), outline="#b8b8b8")
    draw.rectangle((MARGIN, 76, end, 83), fill=ACCENT)
    return frame


def _draw_chosen(frame: Image.Image, image, caption: Caption, place: int | None, layer_head, words) -> None:
    """The large picture with the map of the word at `place`; below, the caption with that word underlined."""
    if place is None:
        shown = image.resize((PICTURE, PICTURE), Image.Resampling.BILINEAR)
    else:
        shown = _paint(image, caption.tokens[place], layer_head, PICTURE)
    frame.paste(shown, ((WIDTH - PICTURE) // 2, TOP))
    draw = ImageDraw.Draw(frame)
    top = TOP + PICTURE + 12
    if place is None:
        draw.text((MARGIN, top), words["silent"], QUIET, _font(26))
        return
    for i, (x, line, said) in enumerate(_lay_out(caption, place)):
        if line == MOST_LINES:
            break  # a model that has just begun babbles on
        y = top + line * LINE
        draw.text((x, y), said, ACCENT if i == place else INK, _font(26))
        if i == place:
            draw.line((x, y + 36, x + _font(26).getlength(said), y + 36), ACCENT, 3)


def _lay_out(caption: Caption, place: int | None) -> list[tuple[float, int, str]]:
    """(x, line, text) of each word; the one whose map is shown has its probability behind it."""
    placed, x, line = [], float(MARGIN), 0
    for i, token in enumerate(caption.tokens):
        said = f"{token.text} ({percent(token.probability)})" if i == place else token.text
        length = _font(26).getlength(said)
        if x + length > WIDTH - MARGIN and x > MARGIN:
            x, line = float(MARGIN), line + 1
        placed.append((x, line, said))
        x += length + (8 if caption.language == "en" else 2)
    return placed or [(x, 0, "")]


def _paint(image: Image.Image, token: GeneratedToken, layer_head: tuple[int, int] | None, side: int) -> Image.Image:
    """The picture, `side` pixels wide, with a word's map on it: of one head, or the mean of all."""
    attention = token.attention.mean(axis=(0, 1)) if layer_head is None else token.attention[layer_head]
    squares = Image.fromarray((255 * colors(attention)).round().astype(np.uint8), "RGBA")
    squares = squares.resize((side, side), Image.Resampling.NEAREST)
    shown = image.resize((side, side), Image.Resampling.BILINEAR)
    shown.paste(squares, mask=squares)
    uniform = 1 / (attention.size + bool(np.any(token.null_mass)))
    draw, patch = ImageDraw.Draw(shown), side / len(attention)
    # A value that rounding alone lifts above the uniform level is not above it.
    lines = [[patch * end for point in line for end in point] for line in outline(attention > uniform * (1 + 1e-4))]
    for color, width in (("black", 3), ("white", 1)):
        for line in lines:
            draw.line(line, color, width)
    return shown


def _draw_every_word(frame: Image.Image, image, caption: Caption, layer_head, words) -> None:
    draw = ImageDraw.Draw(frame)
    if not caption.tokens:
        draw.text((MARGIN, TOP), words["silent"], QUIET, _font(26))
    for i, token in enumerate(caption.tokens[: MOST_ROWS * SMALL_COLUMNS]):
        left, top = MARGIN + i % SMALL_COLUMNS * (SMALL + 18), TOP + i // SMALL_COLUMNS * SMALL_ROW
        draw.text((left, top), token.text, INK, _font(24))
        draw.text((left + SMALL, top + 7), percent(token.probability), QUIET, _font(17), anchor="ra")
        frame.paste(_paint(image, token, layer_head, SMALL), (left, top + 38))


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT, size)
