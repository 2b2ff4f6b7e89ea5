"""The one exception that is written for the person in front of the screen."""

from __future__ import annotations


class UserError(ValueError):
    """Something outside the program is wrong: a picture, a checkpoint, a setting.

    Its message is one sentence that says what was wrong and what to do. The page shows it as it is, the
    command line prints it to stderr and exits with a non-zero status; neither shows a traceback. `chinese` is the same
    sentence for the Chinese page, where the page can come to show it.
    """

    def __init__(self, message: str, chinese: str | None = None):
        super().__init__(message)
        self.chinese = chinese
