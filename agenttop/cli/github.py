"""Tells a CI job of GitHub Actions how a run came out, where there is one.

What is appended to ``$GITHUB_STEP_SUMMARY`` is shown on the job's page; a line ``::error …`` is an annotation of it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from typing import TextIO

from agenttop.report.escaping import command_property, command_text
from agenttop.view.pipes import say

SUMMARY, ACTIONS = "GITHUB_STEP_SUMMARY", "GITHUB_ACTIONS"
#: A job shows ten errors of a step.
MAX_ERRORS = 10


def tell_job(title: str, page: Callable[[], str], errors: Iterable[str], messages: TextIO) -> None:
    """Append a page of Markdown to the job's summary and annotate the job with errors; nothing outside of one.

    A summary that cannot be written is said, and no failure of the run.
    """
    path = os.environ.get(SUMMARY)
    if path:
        try:
            with open(path, "a", encoding="utf-8", errors="replace") as file:
                file.write(page() + "\n")
        except OSError as error:
            print(f"agenttop: {SUMMARY}: {error.strerror}", file=sys.stderr)
    if os.environ.get(ACTIONS) == "true":
        for text in list(errors)[:MAX_ERRORS]:
            say(f"::error title={command_property(title)}::{command_text(text)}", messages)
