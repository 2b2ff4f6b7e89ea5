"""The one exception that is written for the person in front of the screen."""


class UserError(ValueError):
    """Something outside the program is wrong: a picture, a checkpoint, a setting.

    Its message is one sentence that says what was wrong and what to do. The page shows it as it is, the
    command line prints it to stderr and exits with a non-zero status; neither shows a traceback.
    """
