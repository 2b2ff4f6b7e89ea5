"""A run's two curves as one SVG: the loss falling, held-out accuracy rising, over the share of the budget."""

from __future__ import annotations

from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 200, 52, 64, 14, 30
LOSS_CEILING = 4.5
"""The loss of guessing evenly among the vocabulary is about 4.3; what lies above is cut."""


def draw_curves(losses: list[tuple[float, float]], scores: list[dict], names: dict[str, str]) -> str:
    """SVG text. `losses` are (share, loss), `scores` have share and exact_match per language.

    `names` gives the words for "loss", "exact_match", "en", "zh" and "budget" in the page's language. Languages
    differ by dash and marker as well as by colour.
    """
    parts = [_axes(names)]
    if losses:
        heights = [(share, min(loss, LOSS_CEILING) / LOSS_CEILING) for share, loss in losses]
        parts.append(f'<polyline class="curve loss" points="{_points(heights)}"/>')
    for language in ("en", "zh"):
        rated = [entry for entry in scores if language in entry["exact_match"]]
        dots = [(entry["share"], entry["exact_match"][language]) for entry in rated]
        if dots:
            parts.append(f'<polyline class="curve score {language}" points="{_points(dots)}"/>')
            parts += [_marker(language, _x(share), _y(score)) for share, score in dots]
    latest = scores[-1]["exact_match"] if scores else {}
    spoken = ", ".join(f"{names[language]} {100 * score:.0f} %" for language, score in latest.items())
    told = f"{names['loss']} {losses[-1][1]:.2f}" if losses else names["loss"]
    label = escape(f"{told}; {names['exact_match']} {spoken}")
    return f'<svg class="curves" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def _axes(names: dict[str, str]) -> str:
    lines = "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{_y(level):.1f}" y2="{_y(level):.1f}"/>'
        f'<text class="tick" x="{WIDTH - RIGHT + 6}" y="{_y(level) + 5:.1f}">{100 * level:.0f} %</text>'
        for level in (0, 0.5, 1)
    )
    ticks = "".join(
        f'<text class="tick left" x="{LEFT - 6}" y="{_y(loss / LOSS_CEILING) + 5:.1f}">{loss}</text>'
        for loss in (0, 2, 4)
    )
    legend = (
        f'<text class="name loss" x="{LEFT + 8}" y="{HEIGHT - 6}">— {escape(names["loss"])}</text>'
        f'<text class="name score" x="{WIDTH - RIGHT}" y="{HEIGHT - 6}">'
        f"{escape(names['exact_match'])}: ● {escape(names['en'])} ◆ {escape(names['zh'])}</text>"
    )
    return lines + ticks + legend


def _marker(language: str, x: float, y: float) -> str:
    if language == "en":
        return f'<circle class="score en" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
    return f'<path class="score zh" d="M{x:.1f} {y - 6:.1f}l5 6l-5 6l-5 -6z"/>'


def _points(pairs: list[tuple[float, float]]) -> str:
    return " ".join(f"{_x(share):.1f},{_y(level):.1f}" for share, level in pairs)


def _x(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y(level: float) -> float:
    return HEIGHT - BOTTOM - level * (HEIGHT - TOP - BOTTOM)
