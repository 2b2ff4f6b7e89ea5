"""Curves as small SVG texts: those of one run, of two that race, and sparklines."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from vlm_core.app.texts import LANGUAGE_NAMES, text

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 480, 176, 34, 76, 22, 12
LOSS_CEILING = 4.5
"""The loss of guessing evenly among the vocabulary is about 4.3; what lies above is cut."""
MARKERS = {"a": "m-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z", "b": "m0 -6l5.5 6l-5.5 6l-5.5 -6z"}
"""Series "a" is drawn through and has discs, "b" is dashed and has diamonds; colours come on top of that. Outlines are
relative to the point they mark."""
SIGNS = {"a": "●", "b": "◆"}
DIGIT = 14
"""Room that a number above the curves takes."""
SPARK_WIDTH, SPARK_HEIGHT, SPARK_POINTS = 140, 30, 40


@dataclass(frozen=True)
class Line:
    series: str
    """"a", "b" or "loss"."""
    points: list[tuple[float, float]]
    """(share of the budget, height), both 0 to 1."""
    marked: bool = False
    """Whether every point has a marker."""


def loss_line(losses: list[tuple[float, float]], series: str = "loss") -> Line:
    """`losses` are (share of the budget, loss)."""
    return Line(series, [(share, min(loss, LOSS_CEILING) / LOSS_CEILING) for share, loss in losses])


def draw_curves(losses: list[tuple[float, float]], scores: list[dict], names: dict[str, str], marks=()) -> str:
    """One run: its loss, held-out captions right per language, and numbered `marks` (share, number) above them.

    `scores` have share and exact_match per language. `names` gives the words for "loss", "exact_match", "en" and "zh"
    in the page's language.
    """
    lines, told = [loss_line(losses)], [f"{names['loss']} {losses[-1][1]:.2f}" if losses else names["loss"]]
    legend = [f'<span class="loss">— {escape(told[0])}</span>']
    for language, series in (("en", "a"), ("zh", "b")):
        rated = [entry for entry in scores if language in entry["exact_match"]]
        dots = [(entry["share"], entry["exact_match"][language]) for entry in rated]
        if dots:
            lines.append(Line(series, dots, marked=True))
            told.append(f"{names[language]} {100 * dots[-1][1]:.0f} %")
            legend.append(f'<span class="{series}">{SIGNS[series]} {escape(told[-1])}</span>')
    label = f"{names['exact_match']}: {', '.join(told)}"
    chart = draw_chart(lines, label, losses_left=True, shares_right=True, marks=marks)
    return f'{chart}<p class="legend">{" ".join(legend)} <span>{escape(names["exact_match"])}</span></p>'


def words_of_curves(language: str) -> dict[str, str]:
    """The `names` of `draw_curves`."""
    keys = {"loss": "loss", "exact_match": "exact_match", **LANGUAGE_NAMES}
    return {name: text(language, key) for name, key in keys.items()}


def draw_chart(lines: list[Line], label: str, losses_left=False, shares_right=False, marks=()) -> str:
    """Lines over the share of the budget, with the ticks of losses, of shares, or both."""
    parts = [
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{_y(level):.0f}" y2="{_y(level):.0f}"/>'
        for level in (0, 0.5, 1)
    ]
    if shares_right:
        parts += [
            f'<text x="{WIDTH - RIGHT + 5}" y="{_y(level) + 5:.0f}">{100 * level:.0f} %</text>' for level in (0, 0.5, 1)
        ]
    if losses_left:
        parts += [
            f'<text class="left" x="{LEFT - 5}" y="{_y(loss / LOSS_CEILING) + 5:.0f}">{loss}</text>'
            for loss in (0, 2, 4)
        ]
    free = 0.0
    for share, number in sorted(marks):
        x = _x(share)
        parts.append(
            f'<line class="stage" x1="{x:.0f}" x2="{x:.0f}" y1="{TOP - 2}" y2="{HEIGHT - BOTTOM}"/>'
            f'<text class="stage" x="{max(x, free):.0f}" y="{TOP - 6}">{number}</text>'
        )
        free = max(x, free) + DIGIT  # numbers of marks that are close stand side by side
    for line in lines:
        points = " ".join(f"{_x(share):.0f},{_y(level):.0f}" for share, level in line.points)
        if points:
            parts.append(f'<polyline class="{line.series}" points="{points}"/>')
        if line.marked:
            dots = "".join(f"M{_x(share):.0f} {_y(level):.0f}{MARKERS[line.series]}" for share, level in line.points)
            parts.append(f'<path class="{line.series}" d="{dots}"/>')
    return (
        f'<svg class="curves" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">'
        f"{''.join(parts)}</svg>"
    )


def draw_spark(points: list[float], base: list[float], label: str) -> str:
    """A line of heights 0 to 1 without axes, above the dashed line of what it is to be held against."""
    return (
        f'<svg class="spark" viewBox="0 0 {SPARK_WIDTH} {SPARK_HEIGHT}" role="img" aria-label="{escape(label)}">'
        f'<polyline class="base" points="{_spark(base)}"/><polyline points="{_spark(points)}"/></svg>'
    )


def _spark(heights: list[float]) -> str:
    step = max(1, -(-len(heights) // SPARK_POINTS))
    kept = heights[-1::-step][::-1]
    across = (SPARK_WIDTH - 4) / max(1, len(kept) - 1)
    return " ".join(
        f"{2 + across * place:.0f},{SPARK_HEIGHT - 2 - height * (SPARK_HEIGHT - 4):.0f}"
        for place, height in enumerate(kept)
    )


def _x(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y(level: float) -> float:
    return HEIGHT - BOTTOM - level * (HEIGHT - TOP - BOTTOM)
