"""python -m vlm_core train | caption | evaluate | benchmark | explain: the whole product without a page.

What a person reads goes to stderr through rich; what a script reads (`--json`) goes where it says, "-" being
stdout. A UserError is one sentence on stderr and exit status 1; a wrong option is argparse's status 2.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path

from vlm_core.config import HEADS, SABOTAGES, WIDTHS, TrainConfig
from vlm_core.errors import UserError
from vlm_core.outcomes import (
    require_picture_name,
    require_writable,
    require_writable_folder,
    write_file,
    write_json,
    write_picture,
)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = build_parser().parse_args(arguments)
    try:
        return options.run(options)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m vlm_core", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True, metavar="command")

    train = commands.add_parser("train", help="train a model from random weights and watch it learn")
    defaults = TrainConfig()
    budget = train.add_mutually_exclusive_group()
    budget.add_argument("--seconds", type=float, help=f"budget of active time (default {defaults.seconds:g})")
    budget.add_argument("--steps", type=int, help="budget in steps; repeatable to the bit on one machine")
    train.add_argument("--until", type=number, help="held-out exact match, 0 to 1, at which the run may end early")
    train.add_argument("--seed", type=seed)
    train.add_argument("--level", type=int, help="1: one object, 2: up to two, 3: up to four")
    train.add_argument("--style", help="clean or drawn")
    train.add_argument("--preset", help="lecture or classic")
    train.add_argument("--objective", help="captions (words only) or grounded (reads the masks too)")
    train.add_argument("--languages", type=name_list, help="en,zh or one of them")
    train.add_argument("--sabotage", type=name_list, help=f"spoil the training data: any of {', '.join(SABOTAGES)}")
    train.add_argument("--batch-size", type=int)
    train.add_argument("--learning-rate", type=number, help="multiplies the recipe's own rates")
    train.add_argument("--optimizer", help="muon (for matrices, Adam for the rest) or adamw (everywhere)")
    train.add_argument("--heads", type=int, help=f"{', '.join(map(str, HEADS))} (default: the preset's)")
    train.add_argument("--width", type=int, help=f"{', '.join(map(str, WIDTHS))} (default: the preset's)")
    train.add_argument("--evaluations", type=int, help="how often held-out scenes are read")
    train.add_argument("--picture", help="a picture to caption at each evaluation")
    train.add_argument("--out", metavar="FOLDER", help="where checkpoints go (default: nowhere, or back to --resume)")
    train.add_argument("--resume", metavar="FOLDER", help="go on with the run saved there; takes its own settings")
    train.add_argument("--json", metavar="FILE", help="write the outcome as JSON; - for stdout")
    train.set_defaults(run=run_train)

    caption = commands.add_parser("caption", help="say what is in a picture")
    caption.add_argument("picture")
    caption.add_argument("--language", default="en", help="en or zh")
    caption.add_argument("--checkpoint", help="a folder, a .safetensors file or a Hub id (default: the bundled model)")
    caption.add_argument(
        "--strip", "--overlay", metavar="FILE", action="append", default=[],
        help="draw each word with where the model looked, as PNG, SVG or PDF; may be given more than once",
    )  # fmt: skip
    caption.add_argument("--temperature", type=number, default=0.0)
    caption.add_argument("--top-k", type=int)
    caption.add_argument("--top-p", type=number)
    caption.add_argument("--seed", type=seed, default=0)
    caption.add_argument("--json", metavar="FILE", help="words with probabilities and maps; - for stdout")
    caption.set_defaults(run=run_caption)

    evaluate = commands.add_parser("evaluate", help="score a model on scenes that no training can draw")
    evaluate.add_argument("--checkpoint", help="a folder, a .safetensors file or a Hub id (default: the bundled model)")
    evaluate.add_argument("--level", type=int, default=defaults.level)
    evaluate.add_argument("--style", default=defaults.style)
    evaluate.add_argument("--scenes", type=int, default=1000)
    evaluate.add_argument("--json", metavar="FILE", help="- for stdout")
    evaluate.add_argument("--plot", metavar="FILE.png", help="draw the scores beside their baselines")
    evaluate.set_defaults(run=run_evaluate)

    benchmark = commands.add_parser("benchmark", help="measure speed on this machine beside a plain loop and others")
    benchmark.add_argument("--seconds", type=number, default=60.0, help="budget of the learning run (default 60)")
    benchmark.add_argument("--slice", type=number, default=3.0, help="seconds a contender trains at a time (default 3)")
    benchmark.add_argument("--json", metavar="FILE", help="- for stdout")
    benchmark.add_argument("--plot", metavar="FILE.png", help="draw the figures")
    benchmark.set_defaults(run=run_benchmark)

    explain = commands.add_parser("explain", help="walk one picture through the model, with shapes and figures")
    explain.add_argument("picture", nargs="?", help="default: a scene of the project's own")
    explain.add_argument("--language", default="en", help="en or zh")
    explain.add_argument("--checkpoint", help="a folder, a .safetensors file or a Hub id (default: the bundled model)")
    explain.set_defaults(run=run_explain)
    return parser


def seed(text: str) -> int:
    """A seed that PyTorch's generators take: they are 64 bits wide."""
    if abs(int(text)) >= 2**63:
        raise argparse.ArgumentTypeError("a seed has at most 63 bits")
    return int(text)


def name_list(text: str) -> tuple[str, ...]:
    """Names with commas between."""
    return tuple(text.split(","))


def number(text: str) -> float:
    """A number; "nan" and "inf" are none."""
    if not math.isfinite(float(text)):
        raise argparse.ArgumentTypeError(f"'{text}' is no number")
    return float(text)


def run_train(options: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from vlm_core.learning.events import Checkpointed, Evaluated, Finished, Sampled, Started, Step
    from vlm_core.learning.trainer import train
    from vlm_core.pictures import open_picture

    names = TrainConfig.__dataclass_fields__
    given = {name: value for name, value in vars(options).items() if name in names and value is not None}
    if options.resume and given:
        raise UserError(f"A resumed run keeps its own settings; leave out --{next(iter(given)).replace('_', '-')}.")
    if options.evaluations is not None and options.evaluations < 1:
        raise UserError("A run reads held-out scenes at least once, at its end; give --evaluations a number above 0.")
    require_writable(options.json)
    config = None if options.resume else TrainConfig(**given)
    picture = open_picture(options.picture) if options.picture else None
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("step {task.fields[step]}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"),
        TimeRemainingColumn(), TextColumn("loss {task.fields[loss]:.3f}"), console=console,
    )  # fmt: skip
    out = options.out or options.resume
    events = train(config, picture, out, options.resume)
    started: Started = next(events)  # Before there is a bar: what cannot be resumed is told in one line alone.
    require_writable_folder(out)
    console.print(f"{started.num_parameters:,} parameters on {started.device} in {started.precision}")
    if started.config.sabotage:
        console.print(f"[bold]the training data is spoiled: {', '.join(started.config.sabotage)}[/]")
    outcome = {"config": started.config.to_dict(), "parameters": started.num_parameters, "evaluations": []}
    with bar:
        task = bar.add_task("", total=1.0, step=0, loss=float("nan"))
        for event in events:
            match event:
                case Step():
                    bar.update(task, completed=event.share, step=event.step, loss=event.loss)
                case Evaluated():
                    outcome["evaluations"].append(
                        {"step": event.step, "seconds": event.seconds, **event.exact_match, **event.slots}
                    )
                    scores = {**event.exact_match, **event.slots}
                    console.print(f"step {event.step}: " + "  ".join(f"{k} {100 * v:.1f} %" for k, v in scores.items()))
                case Sampled():
                    for language, spoken in event.captions.items():
                        console.print(f"  {language}: {spoken.text}")
                case Checkpointed():
                    outcome["checkpoint"] = str(event.path)
                case Finished():
                    console.print(event.message)
                    outcome |= {"steps": event.step, "seconds": event.seconds, "reason": event.reason}
    outcome["peak_memory_bytes"] = peak_memory()
    write_json(options.json, outcome)
    return 1 if outcome["reason"] == "diverged" else 0


def peak_memory() -> int | None:
    """At most so much memory (bytes) was held: by this process, and by the largest of its ended children.

    Linux counts for a child also what its parent held when it began, so that part is an upper bound. None on Windows.
    """
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    own, children = (resource.getrusage(who).ru_maxrss * unit for who in whose)
    status = Path("/proc/self/status")
    if status.is_file():  # the same for this process, without its parent
        own = next(int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return own + children


def run_caption(options: argparse.Namespace) -> int:
    from vlm_core.model.vlm import VLM
    from vlm_core.pictures import open_picture

    require_writable(options.json)
    for name in options.strip:
        require_picture_name(name, kinds=("png", "svg", "pdf"))
    picture = open_picture(options.picture)
    vlm = VLM.from_pretrained(options.checkpoint)
    spoken = vlm.caption(
        picture, options.language, temperature=options.temperature, top_k=options.top_k, top_p=options.top_p,
        seed=options.seed,
    )  # fmt: skip
    for name in options.strip:
        from vlm_core.insight.figures import draw_strip

        write_file(name, draw_strip(picture, spoken, kind=Path(name).suffix.lower()[1:]))
    words = [
        {
            "text": token.text,
            "probability": token.probability,
            "alternatives": token.alternatives,
            "attention": token.attention.tolist(),
            "null_mass": token.null_mass.tolist(),
        }
        for token in spoken.tokens
    ]
    if options.json != "-":
        print(spoken.text)
    write_json(options.json, {"text": spoken.text, "language": spoken.language, "tokens": words})
    return 0


def run_evaluate(options: argparse.Namespace) -> int:
    from vlm_core.insight.report import evaluate
    from vlm_core.model.vlm import VLM

    if options.scenes < 1:
        raise UserError("An evaluation needs at least one scene; give --scenes a number above 0.")
    require_writable(options.json)
    require_picture_name(options.plot)
    report = evaluate(VLM.from_pretrained(options.checkpoint), options.level, options.style, options.scenes)
    if options.json != "-":
        print_report(report)
    write_json(options.json, report)
    if options.plot:
        from vlm_core.insight.report_figure import draw_report

        write_picture(options.plot, draw_report(report))
    return 0


def print_report(report: dict) -> None:
    """The figures a person wants first; `--json` has all."""
    taught = report["objective"] or "untrained"
    print(f"level {report['level']}, {report['style']}, {report['scenes']} unseen scenes; {taught}")
    for pairs, scores in report["captions"].items():
        print(f"captions, {pairs.replace('_', '-')} pairs")
        shares = {**scores["exact_match"], **scores["slots"]}
        for language, told in scores["objects"].items():
            shares |= {f"{language} {name}": share for name, share in told.items()}
        for name, share in shares.items():
            low, high = share["interval"]
            print(f"  {name:<16} {share['mean']:6.1%}   ({low:.1%} to {high:.1%})")
    grounding = report["grounding"]
    head = grounding["head"]  # counted from 0 in the report, from 1 for people
    named = head if isinstance(head, str) else f"layer {head['layer'] + 1}, head {head['head'] + 1}"
    print(f"maps of {named}: pointing, mass in mask, null mass | chance | untrained pointing, mass")
    for name, score in grounding["words"].items():
        random = grounding["untrained"][name]
        print(
            f"  {name:<12} {score['hit']:6.1%} {score['mass']:6.1%} {score['null_mass']:6.1%} |"
            f" {score['chance']:6.1%} | {random['hit']:6.1%} {random['mass']:6.1%}"
        )
    effect = report["occlusion"]
    print(
        f"hiding {effect['patches_hidden']:.0f} attended patches costs {effect['attended']:.1%} probability, "
        f"as many random ones {effect['random']:.1%}: {effect['median_ratio']:.0f} times (median over words)"
    )


def run_benchmark(options: argparse.Namespace) -> int:
    from vlm_core.benchmark.measure import benchmark

    if options.seconds <= 0 or options.slice <= 0:
        raise UserError("A benchmark takes time; give --seconds and --slice numbers above 0.")
    require_writable(options.json)
    require_picture_name(options.plot)
    report = {}
    for name, figures in benchmark(options.seconds, options.slice):
        report[name] = figures
        if options.json != "-":
            print(f"{name}: {json.dumps(figures, indent=2)}", flush=True)
    write_json(options.json, report)
    if options.plot:
        from vlm_core.benchmark.figure import draw_benchmark

        write_picture(options.plot, draw_benchmark(report))
    return 0


def run_explain(options: argparse.Namespace) -> int:
    from vlm_core.explain import explain
    from vlm_core.model.vlm import VLM
    from vlm_core.pictures import open_picture
    from vlm_core.scenes import sample_scene

    picture = open_picture(options.picture) if options.picture else sample_scene(seed=7, level=2, style="clean").image
    for paragraph in explain(VLM.from_pretrained(options.checkpoint), picture, options.language):
        print(paragraph)
    return 0
