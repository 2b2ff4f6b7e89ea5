"""A layer and head, as the lens names its choices and as a person does; None is the mean of all."""

from __future__ import annotations

from vlm_core.app.texts import text

LayerHead = tuple[int, int] | None
MEAN = "mean"


def name_head(layer_head: LayerHead) -> str:
    """"0.1", or MEAN."""
    return MEAN if layer_head is None else "{}.{}".format(*layer_head)


def head_named(name: str, layers: int, heads: int, otherwise: LayerHead = None) -> LayerHead:
    """The inverse of `name_head` for a model of so many layers and heads; `otherwise` for any other name."""
    if name == MEAN:
        return None
    places = [(layer, head) for layer in range(layers) for head in range(heads)]
    return next((place for place in places if name_head(place) == name), otherwise)


def say_head(layer_head: LayerHead, language: str) -> str:
    """In the page's words: "layer 1 head 2"."""
    if layer_head is None:
        return text(language, "mean")
    layer, head = layer_head
    return f"{text(language, 'layer')} {layer + 1} {text(language, 'head')} {head + 1}"
