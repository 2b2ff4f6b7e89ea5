"""The page's message line: where whatever goes wrong is told in one sentence."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from html import escape

import gradio as gr

from vlm_core.errors import UserError


def show(error: UserError) -> str:
    """Its sentence as HTML: in both languages where it has both, of which CSS shows the page's."""
    said = escape(str(error))
    if error.chinese:
        said = f'<span lang="en">{said}</span><span lang="zh">{escape(error.chinese)}</span>'
    return f'<p role="alert">{said}</p>'


def telling(handler: Callable, outputs: int) -> Callable:
    """`handler` with one output more: the page's message line.

    A UserError becomes its sentence there and leaves everything else on the page as it is; success clears the line.
    """

    def failed(error: UserError) -> tuple:
        return *[gr.skip()] * outputs, show(error)

    def together(result) -> tuple:
        return *(result if outputs > 1 else (result,)), ""

    if inspect.isgeneratorfunction(handler):

        def streamed(*arguments):
            try:
                for result in handler(*arguments):
                    yield together(result)
            except UserError as error:
                yield failed(error)

        return streamed

    def called(*arguments):
        try:
            return together(handler(*arguments))
        except UserError as error:
            return failed(error)

    return called
