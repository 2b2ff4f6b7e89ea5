"""Simple VLM in a browser: `python demo_app.py`. Hugging Face Spaces runs this file too."""

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when Gradio is imported

from vlm_core.app.page import build_page, launch_options
from vlm_core.app.runs import Runs

demo = build_page(Runs())

if __name__ == "__main__":
    demo.launch(**launch_options())
