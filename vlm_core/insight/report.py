"""How good a model is: right captions, right words, and maps that land, on scenes no training can draw."""

from __future__ import annotations

import torch

from vlm_core.errors import UserError
from vlm_core.insight.grounding import Grounding, centre_prior, score_maps
from vlm_core.learning.evaluation import score_captions
from vlm_core.learning.objectives import TensorBatch, look_and_read
from vlm_core.model.vlm import VLM
from vlm_core.scenes.batches import SLOTS, Batch, evaluation_scenes, to_batch
from vlm_core.scenes.world import LANGUAGES, LEVELS, STYLES

BATCH = 50
GROUNDED_SLOTS = ("color", "shape", "size")
BOOTSTRAP_DRAWS = 1000


def evaluate(vlm: VLM, level: int = 2, style: str = "drawn", count: int = 1000) -> dict:
    """Score a model on `count` unseen scenes, and apart from them on as many with held-out colour × shape pairs.

    Exact match comes with a 95 % bootstrap interval. Grounding scores are per slot and language, for the layer and
    head that point best and are named, beside chance, a centre prior and the same model with random weights.
    Raises UserError for a level or style that does not exist.
    """
    if level not in LEVELS or style not in STYLES or count < 1:
        raise UserError("An evaluation needs level 1, 2 or 3, style clean or drawn, and at least one scene.")
    vlm = vlm.eval()
    report: dict = {"level": level, "style": style, "scenes": count, "captions": {}, "grounding": {}}
    for pairs in ("seen", "held_out"):
        batches = _batches(vlm, count, level, style, pairs)
        exact, slots = score_captions(vlm, batches, LANGUAGES)
        report["captions"][pairs] = {
            "exact_match": {
                language: {"mean": share, "interval": bootstrap_interval(share, count)}
                for language, share in exact.items()
            },
            "slots": slots,
        }
        if pairs == "seen":
            with torch.random.fork_rng():
                torch.manual_seed(0)
                untrained = VLM(vlm.config, vlm.tokenizer).to(vlm.device).eval()
            report["grounding"] = _ground(vlm, batches)
            report["grounding"]["untrained"] = _ground(untrained, batches)["words"]
    return report


def bootstrap_interval(share: float, count: int, seed: int = 0) -> tuple[float, float]:
    """95 % interval of a share of `count` yes-or-no outcomes, by resampling them."""
    generator = torch.Generator().manual_seed(seed)
    outcomes = (torch.arange(count) < round(share * count)).float()
    means = outcomes[torch.randint(count, (BOOTSTRAP_DRAWS, count), generator=generator)].mean(dim=1)
    low, high = means.quantile(torch.tensor([0.025, 0.975])).tolist()
    return low, high


def _batches(vlm: VLM, count: int, level: int, style: str, pairs: str) -> list[Batch]:
    return [
        to_batch(evaluation_scenes(min(BATCH, count - first), level, style, pairs, first), LANGUAGES, vlm.tokenizer)
        for first in range(0, count, BATCH)
    ]


@torch.no_grad()
def _ground(vlm: VLM, batches: list[Batch]) -> dict:
    """Scores of every naming word's map, for the best head and per slot and language."""
    patches = vlm.config.patches
    maps, touched, slots, segments = [], [], [], []
    for batch in batches:
        tensors = TensorBatch.from_arrays(batch, vlm.device, torch.float32)
        attention = torch.stack(look_and_read(vlm, tensors, need_weights=True).attention)  # (L, B, H, T, N [+ 1])
        naming = torch.isin(tensors.slots, tensors.slots.new_tensor([SLOTS.index(slot) for slot in GROUNDED_SLOTS]))
        row, place = naming.nonzero(as_tuple=True)
        maps.append(attention[:, row, :, place, :patches].cpu())  # (words, L, H, N)
        touched.append((tensors.coverage[row, tensors.objects[row, place]] > 0).cpu())
        slots.append(tensors.slots[row, place].cpu())
        segments.append(tensors.segments[row, place].cpu())
    maps, touched = torch.cat(maps), torch.cat(touched)
    slots, segments = torch.cat(slots), torch.cat(segments)
    layers, heads = maps.shape[1:3]
    choices = {(layer, head): maps[:, layer, head] for layer in range(layers) for head in range(heads)}
    choices["mean"] = maps.flatten(1, 2).mean(1)
    best = max(choices, key=lambda choice: score_maps(choices[choice], touched).hit.mean().item())
    scores = score_maps(choices[best], touched)
    words = {
        f"{slot}.{language}": Grounding(
            *(getattr(scores, name)[(slots == SLOTS.index(slot)) & (segments == i)] for name in vars(scores))
        ).means()
        for slot in GROUNDED_SLOTS
        for i, language in enumerate(LANGUAGES)
    }
    prior = score_maps(centre_prior(vlm.config.grid).expand(len(touched), -1), touched)
    return {
        "head": "mean of all" if best == "mean" else {"layer": best[0], "head": best[1]},
        "words": words,
        "centre_prior": {"hit": prior.hit.mean().item(), "mass": prior.mass.mean().item()},
    }

