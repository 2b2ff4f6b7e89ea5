"""Where a command's outcome goes: checked before the work, written whole or not at all after it."""

from __future__ import annotations

import contextlib
import io
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from vlm_core.errors import UserError

if TYPE_CHECKING:
    from PIL import Image


def require_writable(target: str | None) -> None:
    """Raise UserError if a file cannot be written, before any work is done whose outcome would be lost."""
    if target is None or target == "-":
        return
    path = Path(target)
    if path.is_dir():
        raise UserError(f"'{target}' is a folder; name a file in it.")
    if not path.parent.is_dir():
        raise UserError(f"'{target}' cannot be written: there is no folder '{path.parent}'; make it first.")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UserError(f"'{target}' cannot be written (no permission); choose another file.")


def require_picture_name(target: str | None, kinds: tuple[str, ...] = ("png",)) -> None:
    """Raise UserError if no figure of these kinds can be written there."""
    require_writable(target)
    if target and Path(target).suffix.lower()[1:] not in kinds:
        endings = " or ".join(f".{kind}" for kind in kinds)
        raise UserError(f"A figure cannot be saved as '{target}'; give it a name that ends in {endings}.")


def require_writable_folder(target: str | None) -> None:
    """Make a folder for checkpoints; raises UserError if there can be none."""
    if target is None:
        return
    try:
        Path(target).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"'{target}' cannot be a folder ({error.strerror}); choose another one.") from error
    if not os.access(target, os.W_OK):
        raise UserError(f"Nothing can be written to '{target}' (no permission); choose another folder.")


def write_json(target: str | None, value: dict) -> None:
    """To a file, to stdout for "-", nowhere for None."""
    if target is None:
        return
    text = json.dumps(value, ensure_ascii=False, indent=2)
    if target == "-":
        with contextlib.suppress(BrokenPipeError):  # whoever read it has seen enough
            print(text, flush=True)
    else:
        write_file(target, f"{text}\n".encode())


def write_picture(target: str, picture: Image.Image) -> None:
    """As a PNG file, whole or not at all; raises UserError if it cannot be written."""
    content = io.BytesIO()
    picture.save(content, "PNG")
    write_file(target, content.getvalue())


def write_file(target: str, content: bytes) -> None:
    """Write a file whole or not at all; raises UserError if it cannot be written."""
    from vlm_core.model.pretrained import write_atomically

    path = Path(target)
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(content)  # A pipe or a device is written to, not replaced.
        else:
            write_atomically(path, content)
    except OSError as error:
        raise UserError(f"'{target}' could not be written ({error.strerror}); choose another file.") from error
