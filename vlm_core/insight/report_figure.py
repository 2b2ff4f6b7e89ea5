"""A report as one figure: captions, pointing, mass, and what hiding patches does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours: told apart with any colour vision.
BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#8a8f98"
BASELINES = (("untrained", GREY, "x"), ("centre_prior", ORANGE, "D"), ("chance", GREEN, "_"))


def draw_report(report: dict) -> Image.Image:
    """What `evaluate` found, as an RGB picture of 1400 × 1000 pixels."""
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 10), dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    figure.suptitle(
        f"level {report['level']}, {report['style']}, {report['scenes']} unseen scenes, "
        f"{report['trained_steps']:,} training steps ({report['objective'] or 'untrained'})",
        fontsize=16,
    )
    axes = figure.subplots(2, 2)
    _draw_captions(axes[0, 0], report["captions"])
    _draw_scores(axes[0, 1], report["grounding"], "hit", "pointing game: the map's peak lies on the object")
    _draw_scores(axes[1, 0], report["grounding"], "mass", "mass in mask: share of attention on the object")
    _draw_curves(axes[1, 1], report["occlusion"]["curves"])
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def _draw_captions(axis: Axes, captions: dict) -> None:
    """Exact match and accuracy per slot, seen pairs beside held-out ones, with their intervals."""
    rows = [(f"exact {language}", "exact_match", language) for language in captions["seen"]["exact_match"]]
    rows += [(slot, "slots", slot) for slot in captions["seen"]["slots"]]
    for shift, (pairs, color) in zip((-0.2, 0.2), (("seen", BLUE), ("held_out", ORANGE)), strict=True):
        shares = [captions[pairs][kind].get(key) for _, kind, key in rows]
        for place, share in enumerate(shares):
            if share:
                low, high = share["interval"]
                axis.bar(place + shift, share["mean"], 0.36, color=color, label=pairs.replace("_", "-"))
                axis.plot([place + shift] * 2, [low, high], color="black", linewidth=1.5)
    handles, labels = axis.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    axis.legend(unique.values(), [f"{label} colour × shape pairs" for label in unique], loc="lower left")
    _finish(axis, "captions and their words, greedy, with 95 % intervals", [name for name, _, _ in rows])


def _draw_scores(axis: Axes, grounding: dict, score: str, title: str) -> None:
    names = list(grounding["words"])
    axis.bar(range(len(names)), [grounding["words"][name][score] for name in names], 0.6, color=BLUE, label="the model")
    for baseline, color, marker in BASELINES:
        table, column = ("words", "chance") if baseline == "chance" else (baseline, score)
        values = [grounding[table][name][column] for name in names]
        axis.plot(values, marker, color=color, markersize=11, markeredgewidth=3, label=baseline.replace("_", " "))
    axis.legend(loc="lower left")
    _finish(axis, title, names)


def _draw_curves(axis: Axes, curves: dict) -> None:
    for name, color, style in (("deletion", BLUE, "-o"), ("insertion", GREEN, "-s")):
        axis.plot(curves["counts"], curves[name], style, color=color, label=f"{name} by attention")
        axis.plot(curves["counts"], curves[f"{name}_random"], "--", color=color, label=f"{name} by lot")
    axis.set_xscale("log", base=2)
    axis.set_xticks(curves["counts"], [str(count) for count in curves["counts"]])
    axis.set_ylim(0, 1.02)
    axis.set_xlabel("patches hidden (deletion) or shown (insertion)")
    axis.set_title("probability of the right colour or shape word")
    axis.legend(loc="center right")


def _finish(axis: Axes, title: str, names: list[str]) -> None:
    axis.set_xticks(range(len(names)), names, rotation=30, horizontalalignment="right")
    axis.set_ylim(0, 1.02)
    axis.set_title(title)
    axis.grid(axis="y", alpha=0.3)
