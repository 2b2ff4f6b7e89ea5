"""Files for the person's own disk. Each lies in a folder of its own whose name nobody can guess, until Gradio's
`delete_cache` takes it away."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder

from vlm_core.app.messages import show
from vlm_core.errors import UserError

SAVE = """(file) => {
  if (!file) return;
  const link = document.createElement("a");
  link.href = file.url;
  link.download = file.orig_name;
  link.click();
}"""


def put_down(name: str, content: bytes) -> str:
    """Write a file that a component or an endpoint hands out; its path."""
    folder = Path(get_upload_folder()) / secrets.token_urlsafe(24)
    folder.mkdir(mode=0o700, parents=True)
    path = folder / name
    path.write_bytes(content)
    return str(path)


def on_click(button: gr.Button, handler: Callable, inputs: list, message: gr.HTML, js: str | None = None) -> None:
    """Save what `handler` makes, (file name, content), when the button is pressed; it rests meanwhile.

    A UserError becomes its sentence in the message line. `js` may change the inputs on their way.
    """

    def make(*arguments):
        try:
            return put_down(*handler(*arguments)), ""
        except UserError as error:
            return None, show(error)

    holder = gr.DownloadButton(visible=False)
    quick = {"queue": False, "show_progress": "hidden", "api_name": False}
    made = button.click(lambda: gr.update(interactive=False), None, button, **quick).then(
        make, inputs, [holder, message], js=js, show_progress="hidden", concurrency_limit=2, concurrency_id="downloads",
        api_name=False,
    )  # fmt: skip
    made.then(None, holder, None, js=SAVE, api_name=False)
    made.then(lambda: gr.update(interactive=True), None, button, **quick)
