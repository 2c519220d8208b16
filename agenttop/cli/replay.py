"""``agenttop replay``: plays a run that is over on the screen again, or in lines."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from typing import TextIO

from agenttop.cli.arguments import is_light
from agenttop.cli.first import cleared
from agenttop.cli.run_path import run_path
from agenttop.cli.terminal import explain_lines, on_terminal, wants_ascii
from agenttop.exits import DONE, FAILED, UsageError
from agenttop.journal.journal import JournalError, as_journal
from agenttop.journal.places import live_runs
from agenttop.journal.playback import Playback
from agenttop.journal.replay import SPEEDS, ReplayFeed
from agenttop.schedule.quantities import clock
from agenttop.view.lines import Teller


def replay(run: str | None, options: argparse.Namespace) -> int:
    """Play a run's journal; return the exit code.

    Raises:
        UsageError: there is none that can be played.
    """
    path = run_path(run)
    directory = path if path.is_dir() else path.parent
    try:
        playback = Playback(directory, live=directory.name in live_runs())
    except JournalError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise UsageError(f"{directory}: no journal to replay: {error.strerror}") from None
    with playback:
        if options.headless or not on_terminal():
            if not options.headless:
                explain_lines()
            try:
                with as_journal(directory):
                    return tell(playback, sys.stdout, options.speed)
            except JournalError as error:
                raise UsageError(str(error)) from None
        try:
            playback.move(1)  # where not even that can be shown, there is no use for a screen
            playback.snapshot()
        except JournalError as error:
            raise UsageError(str(error)) from None
        from agenttop.tui.app import run_live
        from agenttop.tui.result import How

        feed = ReplayFeed(playback, speed=options.speed or SPEEDS[0])
        no_color, light = bool(os.environ.get("NO_COLOR")), is_light(options.theme)
        ascii_only, first = wants_ascii(options.ascii), cleared(options)
        result = run_live(feed, ascii=ascii_only, ansi=no_color, light=light, refresh_s=options.refresh, first=first)
    return FAILED if result.how is How.FAILED else DONE


def tell(playback: Playback, out: TextIO, speed: float | None, sleep: Callable[[float], None] = time.sleep) -> int:
    """Print a line a second: all at once, or at a ``speed``."""
    info = playback.info()
    print(f"agenttop {info.profile}: {info.run_id}, {clock(playback.end_s)} recorded", file=out, flush=True)
    lines = Teller(info)
    before_s = 0.0
    while playback.at < len(playback):
        playback.move(playback.at + 1)
        if speed is not None:
            sleep((playback.t_s - before_s) / speed)
            before_s = playback.t_s
        for line in lines(playback.snapshot()):
            print(line, file=out, flush=speed is not None)
    if playback.note:
        print(f"  ! {playback.note}", file=out)
    return DONE
