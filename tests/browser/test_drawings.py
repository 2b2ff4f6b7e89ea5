"""What people draw with the mouse is read: outlines and scribbles that the project's renderer never made."""

import itertools
import math

import pytest

from tests.browser.hands import draw, followed, open_page

pytestmark = pytest.mark.browser

COLORS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "black")


def ring(radius, start, stop, count=24, x=0.0, y=0.0):
    """Points along a circle, degrees clockwise from the right."""
    angles = (math.radians(start + (stop - start) * step / count) for step in range(count + 1))
    return [(x + radius * math.cos(angle), y + radius * math.sin(angle)) for angle in angles]


def closed(*corners):
    return [*corners, corners[0]]


def star():
    reach = (75, 32)
    points = [(reach[k % 2] * math.sin(k * math.pi / 5), -reach[k % 2] * math.cos(k * math.pi / 5)) for k in range(10)]
    return closed(*points)


def cross(arm=22, reach=68):
    a, r = arm, reach
    return closed(
        (-a, -r), (a, -r), (a, -a), (r, -a), (r, a), (a, a), (a, r), (-a, r), (-a, a), (-r, a), (-r, -a), (-a, -a)
    )  # fmt: skip


def heart():
    left, right = ring(34, 180, 340, 12, x=-32, y=-22), ring(34, 200, 360, 12, x=32, y=-22)
    return closed(*left, *right, (0, 72))


OUTLINES = {
    "circle": ring(66, 0, 365),
    "square": closed((-60, -60), (60, -60), (60, 60), (-60, 60)),
    "triangle": closed((0, -68), (70, 58), (-70, 58)),
    "star": star(),
    "heart": heart(),
    "diamond": closed((0, -78), (52, 0), (0, 78), (-52, 0)),
    "cross": cross(),
    "moon": closed(*ring(70, 60, 300, 24), *ring(56, 295, 65, 20, x=26)),
}


def scribble(outline, step=9):
    """Strokes to and fro that fill an outline, row by row."""
    points, rows = [], range(-84, 85, step)
    for number, y in enumerate(rows):
        crossings = sorted(
            a[0] + (y - a[1]) * (b[0] - a[0]) / (b[1] - a[1])
            for a, b in itertools.pairwise(outline)
            if (a[1] <= y) != (b[1] <= y)
        )
        if len(crossings) >= 2:
            ends = (crossings[0], crossings[-1])
            points += [(x, y) for x in (ends if number % 2 else ends[::-1])]
    return points


@pytest.mark.parametrize("number", range(3), ids=["first colours", "other colours", "filled"])
def test_mouse_drawings_of_all_shapes_are_read(page, number):
    open_page(page)
    shapes = ("circle", "square", "triangle", "diamond") if number == 2 else tuple(OUTLINES)
    right = []
    for place, shape in enumerate(shapes):
        color = COLORS[(place + 3 * number) % len(COLORS)]
        page.check(f"#editor [aria-label^={color}]")
        strokes = scribble(OUTLINES[shape]) if number == 2 else OUTLINES[shape]
        said = followed(page, lambda strokes=strokes: draw(page, strokes))
        right.append((shape in said and color in said, shape, color, " ".join(said)))
        page.click("#clear")
        page.wait_for_selector("#lens-root .hint")
    wrong = [told for hit, *told in right if not hit]
    assert len(wrong) <= (0 if number == 2 else 1), wrong
