"""Shows a run from the command line: on the screen or in lines, and its summary at the end."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import sys
import threading
from collections.abc import Callable
from typing import Any, TextIO

from agenttop.cli.arguments import is_light
from agenttop.cli.first import cleared
from agenttop.cli.github import tell_job
from agenttop.cli.output import page_of, print_summary
from agenttop.cli.terminal import BACKGROUND, explain_lines, in_background, on_terminal, wants_ascii
from agenttop.exits import DONE, FAILED
from agenttop.metrics.snapshot import Ended
from agenttop.report.answer import failures
from agenttop.report.summary import load_summary
from agenttop.report.text import in_ascii
from agenttop.runs.control_socket import SocketFeed
from agenttop.view import lines as plain
from agenttop.view.pipes import lost, say
from agenttop.worker.priority import step_back


def ahead(options: argparse.Namespace, *, lines: bool) -> None:
    """Begin to import the screen, if one will be shown: there is nothing else to do while the controller starts."""
    if not (options.headless or lines) and on_terminal():
        threading.Thread(target=importlib.import_module, args=("agenttop.tui.app",), daemon=True).start()


def view(
    feed: SocketFeed, options: argparse.Namespace, messages: TextIO, *, lines: bool, theme: str | None = None
) -> plain.Outcome:
    """Show the live screen if there is a terminal for it, else a line a second; return how that ended.

    ``theme`` is that of the settings.

    Raises:
        ConnectionError: the run does not answer.
    """
    if options.headless or lines or not on_terminal():
        if not (options.headless or lines):
            explain_lines()
        return asyncio.run(plain.follow(feed, messages))
    if in_background():
        say(f"agenttop: {BACKGROUND}", sys.stderr)
    # Textual takes a quarter of a second to import; whoever does not look at a screen need not wait for it.
    from agenttop.tui.app import run_live
    from agenttop.tui.result import How

    step_back()  # a late screen is late, a late worker is wrong
    no_color, light = bool(os.environ.get("NO_COLOR")), is_light(options.theme or theme)
    ascii_only, first = wants_ascii(options.ascii), cleared(options)
    result = run_live(feed, ascii=ascii_only, ansi=no_color, light=light, refresh_s=options.refresh, first=first)
    if result.how is How.ABSENT:
        raise ConnectionError(result.message)
    return plain.Outcome(result.ended, left=result.how not in (How.ENDED, How.LOST), failed=result.how is How.FAILED)


def goes_on(run_id: str) -> str:
    """Return what is said of a run that is left to itself."""
    return f"the run goes on: agenttop attach {run_id}"


#: Tells a summary in other words than a report does: given it, colours and columns.
Tell = Callable[[dict[str, Any], bool, int], str]


def conclude(
    ended: Ended | None, directory: str, messages: TextIO, options: argparse.Namespace, tell: Tell | None = None
) -> int:
    """Show the summary of a run that is over, and return its exit code; ``tell`` has the last words about it."""
    if ended is None:
        say(f"agenttop: the run was cut off; what it measured: agenttop report {directory}", sys.stderr)
        return FAILED
    if ended.message:
        say(f"agenttop: {ended.message}", sys.stderr)
    if not ended.summary:
        return ended.exit_code or FAILED
    summary = load_summary(ended.summary)
    out = getattr(options, "out", None)
    if not (ended.stop_reason == "target_unreachable" and not summary["totals"]["requests"]):
        ascii_only = options.ascii or (messages.isatty() and wants_ascii(False))
        if tell is None or options.full:
            print_summary(summary, messages, full=options.full, ascii_only=ascii_only)
        if tell is not None:
            width, color = page_of(messages)
            text = tell(summary, color, width)
            say(in_ascii(text) if ascii_only else text, messages)
    if out == "-":
        print_summary(summary, sys.stdout, as_json=True)
    tell_job(f"agenttop {summary['run']['name']}", lambda: _markdown(summary), failures(summary), messages)
    return ended.exit_code or (FAILED if lost(messages) or lost(sys.stdout) else DONE)


def _markdown(summary: dict[str, Any]) -> str:
    from agenttop.report.markdown import report_markdown  # where there is a job that shows it

    return report_markdown(summary)
