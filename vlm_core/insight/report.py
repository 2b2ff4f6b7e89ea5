"""How good a model is: right captions, right words, maps that land and that matter, on scenes no training can draw."""

from __future__ import annotations

from dataclasses import asdict

import torch
from torch import Tensor

from vlm_core.errors import UserError
from vlm_core.insight.captions import count_objects, write_captions
from vlm_core.insight.exam import examine
from vlm_core.insight.grounding import Grounding, centre_prior, choose_head, map_of, score_maps
from vlm_core.insight.interventions import Seen, occlude, trace_curves
from vlm_core.insight.statistics import share_with_interval
from vlm_core.insight.words import WordMaps, read_words
from vlm_core.learning.evaluation import score_captions
from vlm_core.learning.signals import GROUNDED_SLOTS
from vlm_core.model.vlm import VLM
from vlm_core.scenes.batches import Batch, evaluation_scenes, to_batch
from vlm_core.scenes.language import Facts
from vlm_core.scenes.world import LEVELS, STYLES

BATCH = 50
MOST_OCCLUDED = 2000
"""Words that are read again with patches hidden; a sample is as telling as all and takes seconds, not minutes."""
MOST_ON_CURVES = 400
LEAST_EFFECT = 1e-3
"""An effect of random patches below this counts as this much, so that a ratio stays a number."""


def evaluate(vlm: VLM, level: int = 2, style: str = "drawn", count: int = 1000) -> dict:
    """Score a model on `count` unseen scenes, and apart from them on as many with held-out colour × shape pairs, in the
    languages that it was taught.

    The report is made of plain numbers, ready for JSON. Shares are 0 to 1. Captions: exact match, accuracy per
    slot, missed and hallucinated objects, each with a 95 % bootstrap interval over scenes. Grounding: per slot and
    language, for the head that points best on other scenes and is named, beside chance, a centre prior and the same
    model with random weights. Occlusion: what hiding the attended patches does, beside hiding as many random ones.
    Raises UserError for a level or style that does not exist.
    """
    if level not in LEVELS or style not in STYLES or count < 1:
        raise UserError("An evaluation needs level 1, 2 or 3, style clean or drawn, and at least one scene.")
    vlm = vlm.eval()
    report: dict = {
        "level": level,
        "style": style,
        "scenes": count,
        "trained_steps": vlm.trained_steps,
        "objective": vlm.run.get("config", {}).get("objective"),
        "captions": {},
    }
    for pairs in ("seen", "held_out"):
        batches, facts = _read_scenes(vlm, count, level, style, pairs)
        report["captions"][pairs] = _score_texts(vlm, batches, facts)
        if pairs == "seen":
            words = read_words(vlm, batches)
            layer_head = examine(vlm, level, style).layer_head  # chosen on other scenes than it is scored on
            report["grounding"] = _ground(vlm, batches, words, layer_head)
            report["occlusion"] = _occlude(vlm, batches, words, layer_head)
    return report


def _read_scenes(vlm: VLM, count: int, level: int, style: str, pairs: str) -> tuple[list[Batch], list[Facts]]:
    batches, facts = [], []
    for first in range(0, count, BATCH):
        scenes = evaluation_scenes(min(BATCH, count - first), level, style, pairs, first)
        batches.append(to_batch(scenes, vlm.languages, vlm.tokenizer))
        facts += [scene.facts for scene in scenes]
    return batches, facts


def _score_texts(vlm: VLM, batches: list[Batch], facts: list[Facts]) -> dict:
    outcomes = score_captions(vlm, batches, vlm.languages)
    objects = {}
    for language in vlm.languages:
        counts = count_objects(facts, write_captions(vlm, batches, language), language)
        objects[language] = {
            "missed": share_with_interval(counts.missed, counts.there),
            "hallucinated": share_with_interval(counts.hallucinated, counts.named),
            "readable": share_with_interval(counts.readable),
        }
    return {
        "exact_match": {language: share_with_interval(rows) for language, rows in outcomes.exact.items()},
        "slots": {slot: share_with_interval(outcomes.right[slot], asked) for slot, asked in outcomes.asked.items()},
        "objects": objects,
    }


def _ground(vlm: VLM, batches: list[Batch], words: WordMaps, layer_head: tuple[int, int] | None) -> dict:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        untrained = VLM(vlm.config, vlm.tokenizer).to(vlm.device).eval()
    random_words = read_words(untrained, batches)
    prior = centre_prior(vlm.config.grid).expand(len(words.slot), -1)
    return {
        "head": "mean of all" if layer_head is None else {"layer": layer_head[0], "head": layer_head[1]},
        "words": _by_slot(words, map_of(words.maps, layer_head), vlm.languages),
        "centre_prior": _by_slot(words, prior, vlm.languages),
        "untrained": _by_slot(random_words, map_of(random_words.maps, choose_head(random_words)), vlm.languages),
    }


def _by_slot(words: WordMaps, maps: Tensor, languages: tuple[str, ...]) -> dict:
    """Mean scores of `maps` (W, N) per slot and language, as "color.en"."""
    scores, table = score_maps(maps, words.touched), {}
    for slot in GROUNDED_SLOTS:
        for number, language in enumerate(languages):
            mine = words.of(slot, language=number)
            if mine.any():
                table[f"{slot}.{language}"] = Grounding(*(score[mine] for score in vars(scores).values())).means()
    return table


def _occlude(vlm: VLM, batches: list[Batch], words: WordMaps, layer_head: tuple[int, int] | None) -> dict:
    """Effects on colour and shape words, and the ratio of attended to random per vocabulary entry, then its median."""
    some = words.sample(words.of("color", "shape"), MOST_OCCLUDED)
    maps = map_of(some.maps, layer_head)
    seen = Seen.by(vlm, batches)
    effect = occlude(seen, some, maps)
    ratios = {}
    for token in some.token.unique().tolist():
        mine = some.token == token
        random = effect.random[mine].mean().clamp_min(LEAST_EFFECT)
        ratios[vlm.tokenizer.token_text(token)] = (effect.attended[mine].mean() / random).item()
    few = words.sample(words.of("color", "shape"), MOST_ON_CURVES)
    return {
        "words": len(some.token),
        "patches_hidden": effect.hidden.float().mean().item(),
        "attended": effect.attended.mean().item(),
        "random": effect.random.mean().item(),
        "ratio_per_word": ratios,
        "median_ratio": torch.tensor(list(ratios.values())).median().item(),
        "curves": asdict(trace_curves(seen, few, map_of(few.maps, layer_head))),
    }
