"""The recipe as a function of how much of the budget is spent, so that a slower machine still ends annealed.

A budget of 30 s, 60 s, five minutes or an hour passes through the same stages: a short rise, a plateau, a long fall.
Only the easy beginning does not grow with the budget beyond what it is good for.
"""

from __future__ import annotations

from vlm_core.scenes.scene import OBJECTS_AT_MOST

WARM_UP = 0.02
COOL_DOWN = 0.6
LAST_COOL_DOWN = 0.2
CLEAN_SHARE, CLEAN_STEPS = 0.25, 300
"""How much of a run on drawn pictures is spent on clean ones first: this share, or as many steps if that is less.
Shapes are learned from filled outlines several times faster, and what was learned there carries over."""
PATCHES_FOR_GROUND, PATCHES_FOR_OBJECT = 16, 16


def rate(share: float) -> float:
    """Learning-rate factor, 0 to 1: a short rise, a plateau, a straight fall to zero over the last COOL_DOWN."""
    return min(1.0, (share + 1e-3) / WARM_UP, (1 - share) / COOL_DOWN)


def style(share: float, step: int, wanted: str) -> str:
    """The style of the pictures of a step, on the way to the one wanted."""
    return "clean" if share < CLEAN_SHARE and step < CLEAN_STEPS else wanted


def good_enough(share: float) -> float:
    """The share of the budget at which a run stands that has learned what it was to learn: only a last cooling-down is
    left to it."""
    return max(share, 1 - LAST_COOL_DOWN)


def patches_kept(level: int) -> int:
    """Of a picture's 196 patches, how many a step reads: some for the ground, some for each object it may show.

    Most of a picture is empty ground, which costs as much to read as what stands on it: the liveliest patches stay,
    and of the others a few that stand for the rest.
    """
    return PATCHES_FOR_GROUND + PATCHES_FOR_OBJECT * OBJECTS_AT_MOST[level]
