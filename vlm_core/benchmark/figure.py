"""The benchmark as one figure: speed beside the others, and how the recipe learns over time."""

from __future__ import annotations

from PIL import Image

BLUE, GREY = "#0072b2", "#8a8f98"


def draw_benchmark(report: dict) -> Image.Image:
    """What `benchmark` measured, as an RGB picture of 1400 × 420 pixels."""
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 4.2), dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    speed, latency, learning = figure.subplots(1, 3)
    rates = {name: figures["words_per_second"] for name, figures in report["training"].items()}
    _bars(speed, rates, "caption words learned per second", "{:,.0f}")
    times = report["caption_latency"]["milliseconds"]
    _bars(latency, times, "milliseconds to caption one picture", "{:.1f}")
    curve = report["learning"]["curve"]
    learning.plot([spent for spent, _ in curve], [exact for _, exact in curve], "-o", color=BLUE, markersize=4)
    learning.set_ylim(0, 1.02)
    learning.set_xlabel("seconds from random weights")
    learning.set_title("share of unseen scenes captioned right")
    learning.grid(alpha=0.3)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def _bars(axis, values: dict[str, float], title: str, shape: str) -> None:
    colors = [BLUE if name.startswith(("recipe", "cached")) else GREY for name in values]
    bars = axis.barh(range(len(values)), values.values(), color=colors)
    axis.bar_label(bars, [shape.format(value) for value in values.values()], padding=4, fontsize=12)
    axis.set_yticks(range(len(values)), [name.replace(" ", "\n", 1) for name in values])
    axis.invert_yaxis()
    axis.set_xlim(0, 1.25 * max(values.values()))
    axis.set_title(title)
