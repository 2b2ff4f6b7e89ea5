"""Intervals hold the share they are of, narrow with more scenes, and know that words of a scene go together."""

import math

import pytest
import torch

from vlm_core.insight.statistics import share_with_interval


def outcomes(share: float, count: int) -> torch.Tensor:
    return (torch.arange(count) < round(share * count)).float()


@pytest.mark.parametrize("share", [0.25, 0.5, 0.96])
def test_the_interval_holds_the_mean_and_narrows_with_the_count(share):
    told = [share_with_interval(outcomes(share, count)) for count in (50, 200, 800)]
    assert all(0 <= each["interval"][0] < share < each["interval"][1] <= 1 for each in told)
    widths = [high - low for low, high in (each["interval"] for each in told)]
    assert widths == sorted(widths, reverse=True)
    # As wide as the normal distribution has it: ± 1.96 deviations of a mean of yes-or-no outcomes.
    assert widths[-1] == pytest.approx(2 * 1.96 * math.sqrt(share * (1 - share) / 800), rel=0.15)


def test_outcomes_without_doubt_have_no_width():
    assert share_with_interval(outcomes(0.0, 40)) == {"mean": 0, "interval": (0, 0)}
    assert share_with_interval(outcomes(1.0, 40)) == {"mean": 1, "interval": (1, 1)}


def test_words_that_stand_or_fall_together_leave_more_doubt_than_as_many_by_themselves():
    together = share_with_interval(4 * outcomes(0.5, 100), torch.full((100,), 4.0))
    alone = share_with_interval(outcomes(0.5, 400))
    assert together["mean"] == alone["mean"] == 0.5
    width = [high - low for low, high in (together["interval"], alone["interval"])]
    assert width[0] == pytest.approx(2 * width[1], rel=0.15)


def test_nothing_asked_is_nothing_right():
    assert share_with_interval(torch.zeros(3), torch.zeros(3)) == {"mean": 0.0, "interval": (0.0, 0.0)}
