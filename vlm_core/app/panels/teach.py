"""Teach it a word: a few drawings of something new, its word, and half a minute later the model says it.

A lesson is a run like any other: it can be watched, paused and stopped beside the Train button, and what it made is the
page's own model from then on.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import gradio as gr
from PIL import Image

from vlm_core.app.canvas import on_canvas, read_picture
from vlm_core.app.images import PICK_BY_INDEX, data_uri
from vlm_core.app.messages import telling
from vlm_core.app.runs import Run, Runs
from vlm_core.app.shared import Shared
from vlm_core.app.speakers import speaking
from vlm_core.app.teaching import MOST_EXAMPLES, MOST_SECONDS, SECONDS, begin_teaching
from vlm_core.app.texts import Labels, table, text
from vlm_core.errors import UserError
from vlm_core.pictures import SIDE
from vlm_core.scenes.drawings import Unfit, cut_out

TITLE = "teach_title"
ENOUGH_EXAMPLES = 5
THUMBNAIL = 96
UNFIT = {
    "edge": "teach_edge", "nothing": "teach_nothing", "small": "teach_small", "empty": "teach_empty",
    "letters": "teach_letters", "long": "teach_long", "known": "teach_known",
}  # fmt: skip
"""Why a drawing or a word cannot be taught, in the page's words."""
Examples = tuple[Image.Image, ...]


@dataclass(frozen=True)
class TeachPanel:
    intro: gr.HTML
    add: gr.Button
    strip: gr.HTML
    word: gr.Textbox
    seconds: gr.Number
    teach: gr.Button
    forget: gr.Button
    status: gr.HTML
    timer: gr.Timer
    """Ticks while a lesson may go on."""
    examples: gr.State
    before: gr.State
    """(run id, speaker) as the page had them before the lesson, and the id of the lesson's run; None if the page's run
    is no lesson."""
    labels: Labels


def build(language: str) -> TeachPanel:
    def words(key: str) -> str:
        return text(language, key)

    intro = gr.HTML(show_intro(language), elem_id="teach-intro")
    add = gr.Button(words("teach_add"), elem_id="teach-add")
    strip = gr.HTML(show_strip((), language), elem_id="teach-strip", js_on_load=PICK_BY_INDEX)
    with gr.Row(elem_classes="tight", elem_id="teach-row"):
        word = gr.Textbox("", label=words("teach_word"), elem_id="teach-word", max_length=40, min_width=180)
        seconds = gr.Number(
            SECONDS, label=words("teach_seconds"), elem_id="teach-seconds", min_width=120,
        )  # fmt: skip
        teach = gr.Button(words("teach_start"), variant="primary", elem_id="teach-start", min_width=120)
        forget = gr.Button(words("teach_forget"), elem_id="teach-forget", visible=False, min_width=120)
    status = gr.HTML("", elem_id="teach-status")
    labels: Labels = [
        (add, {"value": "teach_add"}),
        (word, {"label": "teach_word"}),
        (seconds, {"label": "teach_seconds"}),
        (teach, {"value": "teach_start"}),
        (forget, {"value": "teach_forget"}),
    ]
    timer = gr.Timer(1.0, active=False)
    return TeachPanel(
        intro, add, strip, word, seconds, teach, forget, status, timer, gr.State(()), gr.State(None), labels
    )


def wire(panel: TeachPanel, shared: Shared) -> None:
    teacher = Teacher(shared.runs)
    quick = {"show_progress": "hidden", "queue": False, "api_name": False}
    # Through the queue: Gradio tells of a state's change, here that of the page's run, in no other way.
    heard = {"show_progress": "hidden", "concurrency_limit": 8, "api_name": False}
    gathered = [panel.examples, panel.strip]
    panel.add.click(
        telling(add_example, 3), [shared.drawn, panel.examples, shared.language],
        [*gathered, shared.canvas_data, shared.message], **quick,
    )  # fmt: skip
    panel.strip.select(remove_example, [panel.examples, shared.language], gathered, **quick)
    whose = [shared.run_id, shared.speaker]

    def wake() -> dict:
        return gr.update(active=True)

    for asked in (panel.teach.click, panel.word.submit):
        asked(
            telling(teacher.start, 5),
            [panel.examples, panel.word, panel.seconds, *whose, shared.moment, panel.before, shared.language],
            [*whose, panel.before, panel.forget, panel.status, shared.message], **heard,
        ).then(wake, None, panel.timer, **quick)  # fmt: skip
    panel.forget.click(
        teacher.forget, [panel.before, *whose], [*whose, panel.before, panel.forget, panel.status], **heard
    )
    shared.run_id.change(
        still_lesson, [panel.before, shared.run_id], [panel.before, panel.forget], **heard
    )
    panel.timer.tick(teacher.watch, [shared.run_id, shared.language], [panel.status, panel.timer], **quick)
    for told in (shared.page.load, shared.run_id.change, shared.language.change):
        told(wake, None, panel.timer, **quick)
    shared.language.change(
        lambda examples, language: (show_intro(language), show_strip(examples, language)),
        [panel.examples, shared.language], [panel.intro, panel.strip], **quick,
    )  # fmt: skip


def add_example(drawn: str, examples: Examples, language: str) -> tuple[Examples, str, str]:
    """The drawings with the one on the canvas, the strip, and an empty canvas for the next."""
    if len(examples) >= MOST_EXAMPLES:
        raise UserError(text(language, "teach_enough", most=MOST_EXAMPLES))
    picture = read_picture(drawn, language)
    try:
        cut_out(picture)
    except Unfit as error:
        raise UserError(text(language, UNFIT[error.reason])) from error
    examples = (*examples, picture)
    return examples, show_strip(examples, language), on_canvas(Image.new("RGB", (SIDE, SIDE), "white"))


def remove_example(examples: Examples, language: str, choice: gr.EventData) -> tuple[Examples, str]:
    index = choice._data["index"]
    examples = (*examples[:index], *examples[index + 1 :])
    return examples, show_strip(examples, language)


def still_lesson(before: tuple | None, run_id: str) -> tuple:
    """Nothing to go back to, once the page's run is another than the lesson's."""
    return (before, gr.skip()) if before and before[2] == run_id else (None, gr.update(visible=False))


class Teacher:
    """What happens on Teach, while a lesson goes on, and when its word is to be forgotten."""

    def __init__(self, runs: Runs):
        self.runs = runs

    def start(
        self, examples: Examples, typed: str, seconds: float, run_id: str, speaker: str, moment: int | None,
        before: tuple | None, language: str,
    ) -> tuple:  # fmt: skip
        """Begin a lesson: (its run's id, speaker "run", what to go back to, update of Forget, status)."""
        run = self.runs.get(run_id)
        if run and run.live:
            raise UserError(text(language, "teach_busy"))
        if not examples:
            raise UserError(text(language, "teach_none"))
        vlm = speaking(self.runs, speaker, run_id, moment).vlm
        typed, budget = typed or "", min(max(float(seconds or SECONDS), 1.0), MOST_SECONDS)
        try:
            lesson = begin_teaching(self.runs, vlm, typed, examples, budget, language)
        except Unfit as error:
            raise UserError(text(language, UNFIT[error.reason], word=typed.strip())) from error
        origin = before[:2] if before else (run_id, speaker)
        return lesson.id, "run", (*origin, lesson.id), gr.update(visible=True), show_lesson(lesson, language)

    def forget(self, before, run_id: str, speaker: str) -> tuple:
        """Back to the model that the page had before its first lesson."""
        self.runs.stop(run_id)
        return *(before[:2] if before else (run_id, speaker)), None, gr.update(visible=False), ""

    def watch(self, run_id: str, language: str) -> tuple:
        """How the lesson goes, and whether to look again: the timer rests where none goes on."""
        run = self.runs.get(run_id)
        return self.show(run_id, language), gr.update(active=bool(run and run.live))

    def show(self, run_id: str, language: str):
        """How the lesson goes, or what came of it."""
        run = self.runs.get(run_id)
        return show_lesson(run, language) if run and run.recognized else gr.skip()


def show_intro(language: str) -> str:
    return f"<p>{escape(text(language, 'teach_intro', enough=ENOUGH_EXAMPLES))}</p>"


def show_strip(examples: Examples, language: str) -> str:
    """The drawings as buttons that take them away again."""
    words = table(language)
    if not examples:
        return f'<p class="empty">{escape(words["teach_strip_empty"])}</p>'
    thumbnails = "".join(
        f'<button type="button" data-index="{i}" title="{escape(words["teach_remove"])}" '
        f'aria-label="{escape(text(language, "teach_remove_this", number=i + 1))}">'
        f'<img src="{data_uri(picture.resize((THUMBNAIL, THUMBNAIL)))}" alt=""><span aria-hidden="true">×</span>'
        "</button>"
        for i, picture in enumerate(examples)
    )
    count = text(language, "teach_count", count=len(examples), enough=ENOUGH_EXAMPLES)
    return f'<div role="group" aria-label="{escape(words["teach_strip"])}">{thumbnails}</div><p>{escape(count)}</p>'


def show_lesson(run: Run, language: str) -> str:
    """A lesson as HTML: how far it is, and what the model knew before it and knows now."""
    words = table(language)
    word = run.recognized[0].word if run.recognized else ""
    state = words[run.state] if run.state != "running" else words["teach_learning"]
    parts = [
        f'<progress max="1" value="{run.share:.3f}" aria-label="{escape(words["teach_progress"])}"></progress>'
        f'<p class="facts">{escape(state)} · {escape(text(language, "step", step=run.step))} · '
        f'{escape(text(language, "elapsed", seconds=f"{run.seconds:.0f}"))}</p>'
    ]
    if run.recognized and run.scores:
        parts.append(_figures(run, word, language))
    if len(run.recognized) > 1 and run.vlm:
        size = {"tokens": run.vlm.config.vocab_size, "parameters": f"{run.vlm.num_parameters:,}"}
        new = run.vlm.run["taught"][-1]["new_tokens"]
        parts.append(f'<p>{escape(text(language, "teach_grown", new=new, **size))}</p>')
        parts.append(f'<p class="next">{escape(text(language, "teach_next", word=word))}</p>')
    return f'<div class="lesson" data-state="{run.state}" data-lessons="{len(run.recognized)}">{"".join(parts)}</div>'


def _figures(run: Run, word: str, language: str) -> str:
    """Before and after, side by side."""
    words = table(language)
    rows = [
        (
            text(language, "teach_recognized", word=word, scenes=run.recognized[0].scenes),
            [event.share for event in run.recognized],
        )
    ]
    for spoken, name in (("en", "english"), ("zh", "chinese")):
        kept = [entry["exact_match"][spoken] for entry in run.scores if spoken in entry["exact_match"]]
        if kept:
            rows.append((text(language, "teach_kept", spoken=words[name]), kept))
    body = "".join(
        f'<tr><th scope="row">{escape(told)}</th><td>{shares[0]:.1%}</td>'
        f'<td>{f"{shares[-1]:.1%}" if len(shares) > 1 else "…"}</td></tr>'
        for told, shares in rows
    )
    head = "".join(f'<th scope="col">{escape(words[key])}</th>' for key in ("teach_before", "teach_after"))
    return f'<table class="figures"><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>'
