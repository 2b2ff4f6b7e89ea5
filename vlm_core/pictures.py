"""Any picture a person has → the RGB square the model sees, or one sentence that says why not."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from vlm_core.errors import UserError

SIDE = 224
MOST_PIXELS = 40_000_000
MOST_BYTES = 50_000_000
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "PPM", "ICO")
"""What is opened. Pillow knows more, but hands PostScript, for one, to another program."""
BLANK_SPREAD = 12
"""A picture whose channels all stay within this range (0 to 255) shows nothing."""


def open_picture(source: Image.Image | np.ndarray | str | Path | bytes | BinaryIO) -> Image.Image:
    """Read a picture and fit it: RGB, 224 × 224.

    `source`: PIL image, uint8 array (height, width[, 3 or 4]), path, bytes or open file. The rotation noted by a
    camera is applied, transparency becomes white, of an animation the first frame counts, 16-bit values are
    scaled. A picture that is not square is padded with the colour of its own border, so that shapes keep their
    shape. One that is 224 × 224 RGB already comes back pixel by pixel. Raises UserError for everything else.
    """
    file = f"'{Path(source).name}'" if isinstance(source, str | Path) else ""
    name, named = file or "The picture", file or "这张图片"
    try:
        return _fit(_as_rgb(_load(source, name, named)))
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(f"There is no file {name}; check the path.", f"没有文件 {named};请检查路径。") from error
    except UnidentifiedImageError as error:
        raise UserError(
            f"{name} is not a picture that can be read; use a PNG, JPEG, GIF or WebP file.",
            f"{named} 不是可以读取的图片;请使用 PNG、JPEG、GIF 或 WebP 文件。",
        ) from error
    except Image.DecompressionBombError as error:
        raise UserError(
            f"{name} has too many pixels; use one of at most 40 million.",
            f"{named} 的像素太多;请使用最多 4000 万像素的图片。",
        ) from error
    except Exception as error:  # On damaged bytes Pillow's readers raise nearly anything, struct.error included.
        if isinstance(error, OSError) and error.errno:
            raise UserError(
                f"{name} could not be opened ({error.strerror}); check the path.", f"{named} 打不开;请检查路径。"
            ) from error
        raise UserError(
            f"{name} is cut off or damaged; save it again or use another picture.",
            f"{named} 不完整或已损坏;请重新保存,或换一张图片。",
        ) from error


def is_blank(image: Image.Image) -> bool:
    """Whether a picture is (nearly) one colour throughout."""
    return all(high - low <= BLANK_SPREAD for low, high in image.convert("RGB").getextrema())


def _load(source, name: str, named: str) -> Image.Image:
    if isinstance(source, Image.Image):
        return _bounded(source)
    if isinstance(source, np.ndarray):
        channels = source.shape[2:] if source.ndim in (2, 3) else None
        if source.dtype != np.uint8 or 0 in source.shape or channels not in ((), (3,), (4,)):
            raise UserError(
                f"The array of shape {source.shape} and type {source.dtype} is no picture; "
                "give height × width × 3 numbers of type uint8."
            )
        return _bounded(Image.fromarray(source))
    content = _read(source, name, named)
    with warnings.catch_warnings():
        # Too many pixels and damaged notes are dealt with here, in words a person can use.
        warnings.simplefilter("ignore")
        image = _bounded(Image.open(io.BytesIO(content), formats=FORMATS))
        image.load()
    return image


def _read(source, name: str, named: str) -> bytes:
    if isinstance(source, bytes):
        content = source
    elif isinstance(source, str | Path):
        with open(source, "rb") as file:
            content = file.read(MOST_BYTES + 1)
    else:
        content = source.read(MOST_BYTES + 1)
    if not content:
        raise UserError(f"{name} is empty; use another picture.", f"{named} 是空的;请换一张图片。")
    if len(content) > MOST_BYTES:
        raise UserError(f"{name} is larger than 50 MB; save the picture smaller.", f"{named} 超过 50 MB;请存得小一些。")
    return content


def _bounded(image: Image.Image) -> Image.Image:
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise UserError(
            f"The picture has {width} × {height} pixels; use one of at most 40 million pixels.",
            f"这张图片有 {width} × {height} 像素;请使用最多 4000 万像素的图片。",
        )
    if min(width, height) < 1:
        raise UserError("The picture has no pixels; use another one.", "这张图片没有像素;请换一张。")
    return image


def _as_rgb(image: Image.Image) -> Image.Image:
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image, dtype=np.float64)
        # 16-bit files carry 0 to 65535; other wide modes may hold bytes, which are taken as they are.
        scale = 255 / 65535 if image.mode.startswith("I;16") or values.max(initial=0) > 255 else 1.0
        image = Image.fromarray((values * scale).clip(0, 255).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def _fit(image: Image.Image) -> Image.Image:
    width, height = image.size
    if (width, height) == (SIDE, SIDE):
        return image
    scale = SIDE / max(width, height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    image = image.resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC)
    if size == (SIDE, SIDE):
        return image
    pixels = np.asarray(image)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    square = Image.new("RGB", (SIDE, SIDE), tuple(int(value) for value in np.median(border, axis=0)))
    square.paste(image, ((SIDE - size[0]) // 2, (SIDE - size[1]) // 2))
    return square
