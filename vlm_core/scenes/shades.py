"""How far a colour name reaches: each owns ranges of hue, saturation and value, with clear gaps between.

Wide enough for what people pick under that name (CSS red, gold, lime green, hot pink…), and never two names
for one shade: what lies in a gap (salmon, magenta, brown, turquoise) is never drawn.
"""

from __future__ import annotations

import colorsys
from random import Random

import numpy as np

Color = tuple[int, int, int]

# Per name, ranges to draw from: hue in degrees (above 360 wraps), saturation and value in 0 to 1.
_RANGES = {
    "red": [((-13, 7), (0.74, 1.0), (0.69, 1.0))],
    "orange": [((26, 39), (0.85, 1.0), (0.92, 1.0))],
    "yellow": [((50, 62), (0.6, 1.0), (0.9, 1.0))],
    "green": [((95, 148), (0.5, 1.0), (0.4, 1.0))],
    "blue": [((207, 230), (0.62, 1.0), (0.5, 1.0)), ((225, 240), (0.75, 1.0), (0.65, 1.0))],
    "purple": [((271, 288), (0.5, 1.0), (0.5, 0.9)), ((284, 301), (0.5, 1.0), (0.42, 0.66))],
    "pink": [((318, 332), (0.28, 0.93), (0.92, 1.0)), ((330, 352), (0.24, 0.45), (0.94, 1.0))],
    "black": [((0, 360), (0.0, 0.25), (0.0, 0.19))],
}


def draw_shade(rng: Random, name: str) -> Color:
    """A random shade that everyone would call `name`."""
    ranges = _RANGES[name]
    hue, saturation, value = (rng.uniform(*limits) for limits in ranges[int(rng.random() * len(ranges))])
    return rgb(hue, saturation, value)


def rgb(hue: float, saturation: float, value: float) -> Color:
    """Hue in degrees, saturation and value in 0 to 1 → red, green and blue in 0 to 255."""
    red, green, blue = colorsys.hsv_to_rgb(hue / 360 % 1, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def color_name(shade: Color) -> str | None:
    """The name that owns a shade; None for shades in the gaps."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(channel / 255 for channel in shade))
    for name, ranges in _RANGES.items():
        for hues, saturations, values in ranges:
            turned = (hue * 360 - hues[0]) % 360 <= hues[1] - hues[0]
            if turned and saturations[0] <= saturation <= saturations[1] and values[0] <= value <= values[1]:
                return name
    return None


def names_of(pixels: np.ndarray, slack: float = 0.0) -> np.ndarray:
    """(…, 3) uint8 → (…) the place of each pixel's `color_name` among the world's colours, -1 for None.

    With `slack` names reach that much further in saturation and value, and 100 times as many degrees in hue.
    """
    red, green, blue = (pixels[..., channel] / 255 for channel in range(3))
    value = np.maximum(np.maximum(red, green), blue)
    spread = value - np.minimum(np.minimum(red, green), blue)
    apart = np.where(spread == 0, 1, spread)
    from_red, from_green, from_blue = ((value - channel) / apart for channel in (red, green, blue))
    sector = np.where(value == green, 2 + from_red - from_blue, 4 + from_green - from_red)
    hue = np.where(value == red, from_blue - from_green, sector) / 6 % 1 * 360  # as colorsys counts, to the last bit
    saturation = spread / np.where(value == 0, 1, value)
    names = np.full(value.shape, -1)
    for place, ranges in enumerate(_RANGES.values()):
        for hues, saturations, values in ranges:
            turned = (hue - hues[0] + 100 * slack) % 360 <= hues[1] - hues[0] + 200 * slack
            vivid = (saturations[0] - slack <= saturation) & (saturation <= saturations[1] + slack)
            names[turned & vivid & (values[0] - slack <= value) & (value <= values[1] + slack)] = place
    return names


def contrast(first: Color, second: Color) -> float:
    """How far apart two shades are: Euclidean in RGB, 0 to 441."""
    return sum((a - b) ** 2 for a, b in zip(first, second, strict=True)) ** 0.5
