"""What the world is made of: the tables that pictures, captions and labels share."""

from __future__ import annotations

IMAGE_SIZE = 224
PATCH_SIZE = 16
GRID = IMAGE_SIZE // PATCH_SIZE
"""Patches along one side of a picture."""

LANGUAGES = ("en", "zh")
STYLES = ("clean", "drawn")
LEVELS = (1, 2, 3)
"""Level 1 shows one object, level 2 one or two, level 3 one to four."""
MOST_OBJECTS = 4

SHAPES = ("circle", "square", "triangle", "star", "heart", "diamond", "cross", "moon")
COLORS = {
    "red": (225, 38, 38),
    "orange": (255, 140, 0),
    "yellow": (255, 221, 26),
    "green": (34, 160, 60),
    "blue": (36, 84, 224),
    "purple": (128, 40, 168),
    "pink": (255, 120, 190),
    "black": (16, 16, 16),
}
"""The middle of each colour (RGB, 0 to 255), the page's palette. Scenes vary it: see `shades`."""
SIZES = ("large", "small")
PLACES = (
    "top left", "top", "top right",
    "left", "center", "right",
    "bottom left", "bottom", "bottom right",
)  # fmt: skip
"""The nine cells of the picture cut in thirds, row by row."""
RELATIONS = ("left of", "above")

CHINESE = {
    "circle": "圆形",
    "square": "方块",
    "triangle": "三角形",
    "star": "星形",
    "heart": "心形",
    "diamond": "菱形",
    "cross": "十字",
    "moon": "月亮",
    "red": "红色",
    "orange": "橙色",
    "yellow": "黄色",
    "green": "绿色",
    "blue": "蓝色",
    "purple": "紫色",
    "pink": "粉色",
    "black": "黑色",
    "large": "大的",
    "small": "小的",
    "top left": "左上角",
    "top": "上方",
    "top right": "右上角",
    "left": "左边",
    "center": "中央",
    "right": "右边",
    "bottom left": "左下角",
    "bottom": "下方",
    "bottom right": "右下角",
    "left of": "左边",
    "above": "上方",
}

HELD_OUT_PAIRS = frozenset(
    {
        ("red", "moon"),
        ("orange", "heart"),
        ("green", "diamond"),
        ("blue", "triangle"),
        ("purple", "star"),
        ("pink", "cross"),
    }
)
"""Colour and shape that never meet in training: each colour and each shape is missing at most one partner."""
