"""`python -m vlm_core benchmark`: everything side by side and interleaved, in one run on this machine."""

from __future__ import annotations

import importlib.util
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from vlm_core.benchmark import contenders
from vlm_core.errors import UserError
from vlm_core.learning.learner import pick_device, pick_precision
from vlm_core.model.vlm import VLM
from vlm_core.scenes import sample_scene

ROUNDS = 4
SLICE_SECONDS = 3.0
CAPTIONS = 40
GEMM_SIZE, GEMM_ROUNDS = 2048, 8
UNITS = ("pictures_per_second", "captions_per_second", "words_per_second")
EXACT_MATCHES = (0.5, 0.8, 0.9, 0.95)
EVALUATIONS = 30


def benchmark(seconds: float = 60.0, slice_seconds: float = SLICE_SECONDS) -> Iterator[tuple[str, dict]]:
    """Yield (name, figures) of each part as it is done; together they are the report.

    `seconds` is the budget of the learning run, `slice_seconds` how long each contender trains in each of ROUNDS
    rounds. Rates are means over all rounds. The learning run is a process of its own, so that its peak memory is
    its own too.
    """
    with_transformers = importlib.util.find_spec("transformers") is not None
    yield "machine", describe_machine()
    gemm = measure_gemm()
    yield "gemm", gemm
    training = measure_training(slice_seconds, with_transformers)
    used = training["recipe"]["pictures_per_second"] * contenders.flops_per_picture() / 1e9
    peak = gemm["bf16" if pick_precision(pick_device()) == torch.bfloat16 else "fp32"]
    training["recipe"] |= {"gflops": used, "share_of_gemm_peak": used / peak}
    yield "training", training
    yield "caption_latency", measure_latency(with_transformers)
    yield "learning", measure_learning(seconds)


def describe_machine() -> dict:
    device = pick_device()
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": contenders.CPUS,
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def measure_gemm() -> dict:
    """The machine's peak in GFLOP/s: the best of a few square matrix products, on all cores."""
    torch.set_num_threads(contenders.CPUS)
    peaks = {}
    for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        a = torch.randn(GEMM_SIZE, GEMM_SIZE, device=pick_device()).to(dtype)
        times = [_timed(lambda a=a: a @ a) for _ in range(GEMM_ROUNDS)]
        peaks[name] = 2 * GEMM_SIZE**3 / min(times) / 1e9
    return peaks


def measure_training(slice_seconds: float, with_transformers: bool) -> dict:
    """Pictures, captions and words per second of every contender, in turns; and how many times as many the recipe
    learns, and its steps alone, as each of the others."""
    recipe, events = contenders.recipe()
    own = [recipe, contenders.recipe_steps()]
    running = [*own, contenders.plain_loop()]
    if with_transformers:
        running.append(contenders.transformers_loop())
    try:
        for contender in running:
            contender.run(min(1.0, slice_seconds))
            contender.forget()
        for _ in range(ROUNDS):
            for contender in running:
                contender.run(slice_seconds)
    finally:
        events.close()
        torch.set_num_threads(contenders.CPUS)
    rates = {contender.name: contender.rates() for contender in running}
    for other in running[len(own) :]:
        theirs = rates[other.name]
        theirs["times_faster"] = {
            ours.name: {unit: rates[ours.name][unit] / theirs[unit] for unit in UNITS} for ours in own
        }
    return rates


def measure_latency(with_transformers: bool) -> dict:
    """Median milliseconds from one picture to its last word; all write as many tokens, in turns."""
    vlm = VLM.from_pretrained().to(pick_device())
    picture = sample_scene(seed=7, level=2, style="clean").image
    count = len(vlm.caption(picture).tokens)
    ways: dict[str, Callable] = {
        "cached, with maps": lambda: vlm.caption(picture),
        "without cache": lambda: _caption_without_cache(vlm, picture, count),
    }
    if with_transformers:
        model = contenders.transformers_model().eval()
        pixels = vlm.pixels(picture)

        def generate():
            with torch.inference_mode():
                return model.generate(pixels, max_new_tokens=count, min_new_tokens=count, do_sample=False)

        ways["transformers generate"] = generate
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(CAPTIONS + 3):
        for name, way in ways.items():
            spent = _timed(way)
            if turn >= 3:
                times[name].append(1000 * spent)
    return {"tokens": count, "milliseconds": {name: statistics.median(each) for name, each in times.items()}}


@torch.inference_mode()
def _caption_without_cache(vlm: VLM, picture, count: int) -> torch.Tensor:
    """Read picture and text anew for every word."""
    pixels = vlm.pixels(picture)
    text = torch.tensor([[vlm.tokenizer.begin_id, vlm.tokenizer.language_id("en")]], device=pixels.device)
    for _ in range(count + 1):
        text = torch.cat([text, vlm(pixels, text)[:, -1:].argmax(dim=-1)], dim=1)
    return text


def measure_learning(seconds: float) -> dict:
    """One run of the recipe in a process of its own: when it reached which exact match, and its peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "run.json"
        command = [
            sys.executable, "-m", "vlm_core", "train", "--seconds", str(seconds), "--level", str(contenders.LEVEL),
            "--style", contenders.STYLE, "--evaluations", str(EVALUATIONS), "--json", str(target),
        ]  # fmt: skip
        done = subprocess.run(command, cwd=Path(__file__).resolve().parents[2], stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise UserError(f"The learning run failed: {done.stderr.strip().splitlines()[-1]}")
        run = json.loads(target.read_text(encoding="utf-8"))
    curve = [(entry["seconds"], (entry["en"] + entry["zh"]) / 2) for entry in run["evaluations"]]
    reached = {
        f"{share:.0%}": next((spent for spent, exact in curve if exact >= share), None) for share in EXACT_MATCHES
    }
    return {
        "seconds": run["seconds"],
        "steps": run["steps"],
        "pictures_per_second": run["steps"] * run["config"]["batch_size"] / run["seconds"],
        "seconds_to_exact_match": reached,
        "curve": curve,
        "peak_memory_bytes": run["peak_memory_bytes"],
    }


def _timed(work: Callable) -> float:
    began = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - began
