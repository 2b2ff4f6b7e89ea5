"""Four stages of learning, told from what was measured and never from step numbers.

The names are the tutorial's. Each stage has one threshold; a stage whose threshold was never passed did not happen and
is not told of. Word for word:

- `language`: the model knows how captions go but not what they are about. At least GRAMMAR of the words in between are
  right, and colours and shapes still come out like guesses, less than GUESSING above always saying the commonest one.
- `visual`: it tells things apart by looking. Colours or shapes are right SEEING more often than the commonest one.
- `association`: it knows which word goes with which thing. Maps of colour and shape words point at the object for at
  least POINTING of them, with twice as much of their attention inside as chance would have there (a map that always
  looks at the middle points right surprisingly often), and places or relations, which tell objects apart, are right
  SEEING more often than the commonest one.
- `fine_tuning`: at least EXACT of the held-out captions are right to the last word. What is left are details.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vlm_core.learning.signals import Signal

STAGES = ("language", "visual", "association", "fine_tuning")
GRAMMAR = 0.75
GUESSING = 0.12
SEEING = 0.2
POINTING = 0.5
EXACT = 0.5


@dataclass(frozen=True)
class Moment:
    """What is known of a run at one moment; what was not measured then is left out."""

    step: int
    share: float
    """Of the budget, 0 to 1."""
    words: dict[str, Signal] = field(default_factory=dict)
    """How each kind of word comes out (`read_signals`)."""
    exact_match: float | None = None
    """Share of held-out captions that are right to the last word, mean of the languages."""
    pointing: float | None = None
    """Share of colour and shape words whose map points at their object."""
    mass: float | None = None
    """Share of these maps' attention inside the object."""
    chance: float | None = None
    """The objects' share of the picture."""


def add_stages(found: dict[str, Moment], moment: Moment) -> dict[str, Moment]:
    """`found`, with the stages that show for the first time at a later moment."""
    new = {stage: moment for stage in STAGES if stage not in found and _SHOWS[stage](moment)}
    return {**found, **new} if new else found


def _above_guessing(moment: Moment, *slots: str) -> float:
    """By how much the best of these kinds of word beats its commonest word; 0 where none was measured."""
    return max((moment.words[slot].right - moment.words[slot].commonest for slot in slots if slot in moment.words),
               default=0.0)  # fmt: skip


def _language(moment: Moment) -> bool:
    grammar = moment.words.get("function")
    return grammar is not None and grammar.right >= GRAMMAR and _above_guessing(moment, "color", "shape") < GUESSING


def _visual(moment: Moment) -> bool:
    return _above_guessing(moment, "color", "shape") >= SEEING


def _association(moment: Moment) -> bool:
    if moment.pointing is None or moment.pointing < POINTING or moment.mass < 2 * moment.chance:
        return False
    return _above_guessing(moment, "place", "relation") >= SEEING


def _fine_tuning(moment: Moment) -> bool:
    return moment.exact_match is not None and moment.exact_match >= EXACT


_SHOWS = {"language": _language, "visual": _visual, "association": _association, "fine_tuning": _fine_tuning}
