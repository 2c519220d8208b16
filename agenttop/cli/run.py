"""What a command amounts to: a profile loaded, a run launched, a view opened on it, its summary shown."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from agenttop.cli.arguments import is_light
from agenttop.controller.launch import LaunchError, NoRoomError, default_workers, launch
from agenttop.controller.spec import RunSpec
from agenttop.exits import DONE, FAILED, USAGE, UsageError
from agenttop.journal.journal import BROKEN, JournalError, rebuild
from agenttop.journal.journal import FILE_NAME as JOURNAL
from agenttop.journal.places import SUMMARY, live_runs, new_run, runs_directory, socket_path
from agenttop.metrics.safe_text import SafeText
from agenttop.metrics.snapshot import Ended
from agenttop.profile.load import Loaded, load_profile
from agenttop.profile.problems import ProfileError
from agenttop.profile.search import Capacity
from agenttop.report.summary import SummaryError, encode_summary, load_summary, write_summary
from agenttop.report.text import render_text
from agenttop.runs.control_socket import SocketFeed
from agenttop.runs.register import require_place
from agenttop.runs.resolve import find_live_run, find_run
from agenttop.steering.command import GRAMMAR, split_run
from agenttop.users.terms import caps_of
from agenttop.view import held
from agenttop.view import lines as plain
from agenttop.view.pipes import lost, say
from agenttop.worker.files import files_warning
from agenttop.worker.priority import step_back


def builtin_profile(name: str) -> Path:
    """A profile that is shipped: in the package, or beside it in a checkout.

    Raises:
        UsageError: it is in neither place.
    """
    package = Path(__file__).parents[1]
    for place in (package / "profiles", package.parent / "profiles"):
        if (place / name).is_file():
            return place / name
    raise UsageError(f"the profile {name} is not installed")


def run_profile(
    path: Path, options: argparse.Namespace, *, own_target: bool = False, capacity: Capacity | None = None
) -> int:
    """Run a profile as the command line says; returns the exit code.

    ``capacity``: search for it, instead of driving the profile's stages. ``own_target``: the target is a child of this
    process, so the run cannot be left alone.

    Raises:
        UsageError: something the user can mend.
    """
    if options.spawn_rate is not None and options.users is None:
        raise UsageError("--spawn-rate goes with --users")
    try:
        loaded = load_profile(
            path,
            overrides=options.set,
            target=options.target,
            users=options.users,
            spawn_rate=options.spawn_rate,
            run_for=options.limit,
            capacity=capacity,
        )
    except ProfileError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return USAGE
    return run_loaded(loaded, path.name, options, own_target=own_target)


def run_loaded(loaded: Loaded, name: str, options: argparse.Namespace, *, own_target: bool = False) -> int:
    """Run a profile that has been loaded, from a file of this ``name``; otherwise as :func:`run_profile`."""
    if not options.yes:
        _refuse_uncapped(name, loaded)
    out = _writable(options.out)
    messages = sys.stderr if options.out == "-" else sys.stdout
    chosen = options.workers if options.workers != 0 else loaded.settings.workers
    workers = chosen if isinstance(chosen, int) else default_workers()
    warnings = [*loaded.warnings, *files_warning(loaded.profile, workers)]
    for warning in warnings:
        print(f"agenttop: {warning}", file=sys.stderr)
    require_place(loaded.profile.name)
    spec = _spec(name, loaded, tuple(warnings), workers, options.limit, out, armed=options.armed)
    held.hold()
    try:
        socket = launch(spec)
    except (NoRoomError, OSError) as error:
        reason = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
        raise UsageError(f"{reason}; XDG_STATE_HOME says where runs are kept") from None
    except LaunchError as error:
        print(f"agenttop: {SafeText(loaded.secrets)(str(error), 1000)}", file=sys.stderr)
        return FAILED
    feed = SocketFeed(socket, can_detach=not own_target)
    try:
        outcome = _view(feed, options, messages, lines=options.out == "-", theme=loaded.settings.theme)
    except (ConnectionError, FileNotFoundError):
        outcome = plain.Outcome(None)
    if outcome.left and (options.on_hangup == "stop" or own_target):
        # A target of our own must live until its run has ended.
        asyncio.run(_tell(socket, "stop", until_end=own_target))
        return DONE
    if outcome.left:
        say(f"the run goes on: agenttop attach {spec.run_id}", messages)
        return FAILED if outcome.failed else DONE
    return _conclude(outcome.ended, spec.directory, messages, options)


def attach(run: str | None, options: argparse.Namespace) -> int:
    """View a live run."""
    run_id = find_live_run(run)
    feed = SocketFeed(socket_path(run_id), can_detach=True, attached=True)
    try:
        outcome = _view(feed, options, sys.stdout, lines=False)
    except (ConnectionError, FileNotFoundError) as error:
        raise _unanswered(run_id, error) from None
    if outcome.left:
        if options.on_hangup == "stop":
            asyncio.run(_tell(socket_path(run_id), "stop"))
        return FAILED if outcome.failed else DONE
    return _conclude(outcome.ended, str(runs_directory() / run_id), sys.stdout, options)


def control(words: Sequence[str]) -> int:
    """Send one command, which may stand behind its RUN, to a live run and print its answer as JSON.

    Returns:
        The exit code: 1 where it was rejected.
    """
    run, command = split_run(words)
    run_id = find_live_run(run)
    if not command:
        raise UsageError(f"say a command: {', '.join(list(GRAMMAR)[:-1])} or status")
    try:
        answer = asyncio.run(_tell(socket_path(run_id), command))
    except (ConnectionError, FileNotFoundError) as error:
        raise _unanswered(run_id, error) from None
    print(json.dumps(answer, ensure_ascii=False))
    return DONE if answer.get("applied", True) else FAILED


def serve(run: str | None, port: int) -> int:
    """Show a live run in a browser until Ctrl-C."""
    try:
        from agenttop.serve import server
    except ModuleNotFoundError:
        raise UsageError("serve needs textual-serve: pip install 'agenttop[serve]'") from None
    run_id = find_live_run(run)
    try:
        server.serve(run_id, port, lambda address: say(f"{address}  (Ctrl-C ends it; the run goes on)", sys.stdout))
    except OSError as error:
        raise UsageError(f"--port {port}: {error.strerror}; name another, or leave it out") from None
    return DONE


def show_report(where: str | None, out: str | None) -> int:
    """Print the summary of a file, a run's directory or a run; rebuild it where the run was cut off."""
    path = run_path(where)
    named, target = where or path.name, _writable(out)
    try:
        if path.is_dir() and not (path / SUMMARY).exists():
            _refuse_live(path.resolve())
            if not (path / JOURNAL).exists():
                raise UsageError(f"{named}: no run's directory: it has neither {SUMMARY} nor {JOURNAL}")
            summary = rebuild(path)
            _keep(path / SUMMARY, summary)
        else:
            summary = load_summary(path / SUMMARY if path.is_dir() else path)
        if target is not None:
            write_summary(target, summary)
    except (SummaryError, JournalError) as error:
        both = (path / SUMMARY).exists() and (path / JOURNAL).exists()
        rest = "; without that file it is rebuilt from its journal" if both else ""
        raise UsageError(f"{error}{rest}") from None
    except OSError as error:
        raise UsageError(f"{error.filename or named}: {error.strerror}") from None
    try:
        _print_summary(summary, sys.stdout, as_json=out == "-", ascii_only=False)
    except BROKEN as error:
        raise UsageError(f"{named}: not a summary that can be shown: {type(error).__name__}") from None
    return FAILED if lost(sys.stdout) else DONE


def _refuse_live(directory: Path) -> None:
    if directory.parent == runs_directory().resolve() and directory.name in live_runs():
        raise UsageError(f"{directory.name} goes on; look at it: agenttop attach {directory.name}")


def _keep(path: Path, summary: dict[str, Any]) -> None:
    """Write what was rebuilt beside its journal, where that may be written to: it can be shown all the same."""
    try:
        write_summary(path, summary)
    except OSError as error:
        print(f"agenttop: the summary is shown and not kept: {path}: {error.strerror}", file=sys.stderr)


def run_path(where: str | None) -> Path:
    """A file or a run's directory of this name, else the directory of the run that is meant (the newest where none is).

    Raises:
        UsageError: there is none.
    """
    if where is not None:
        path = Path(where)
        try:
            a_run = path.is_file() or (path / SUMMARY).exists() or (path / JOURNAL).exists()
        except OSError as error:
            raise UsageError(f"{where}: {error.strerror}") from None
        if a_run or os.sep in where or where.startswith("."):
            return path
        if path.exists():  # of something else: a folder may well be called as a profile is
            with contextlib.suppress(UsageError):
                return runs_directory() / find_run(where)
            return path
    return runs_directory() / find_run(where)


# -- pieces


def _spec(
    name: str,
    loaded: Loaded,
    warnings: tuple[str, ...],
    workers: int,
    limit_s: float | None,
    out: str | None,
    *,
    armed: bool,
) -> RunSpec:
    try:
        run_id, directory = new_run(loaded.profile.name)
    except OSError as error:
        raise UsageError(f"{error.filename}: {error.strerror}; XDG_STATE_HOME says where runs are kept") from None
    return RunSpec(
        run_id=run_id,
        directory=str(directory),
        profile=loaded.profile,
        profile_name=name,
        masked=loaded.masked,
        secrets=loaded.secrets,
        sha256=loaded.sha256,
        warnings=warnings,
        workers=workers,
        limit_s=limit_s,
        armed=armed,
        out=out,
        references=loaded.references,
        folder=str(loaded.path.resolve().parent),
    )


def _refuse_uncapped(name: str, loaded: Loaded) -> None:
    """A key that spends real money is not used without a cap on how much, unless the user says so."""
    if loaded.live_keys and caps_of(loaded.profile) is None:
        keys = " and ".join(f"{key} looks like a live key of {provider}" for key, provider in loaded.live_keys)
        raise UsageError(
            f"{name}: budget: {keys}, and nothing caps what this run spends; write [budget] with requests, tokens or "
            "cost_usd, or say --yes"
        )


def _writable(out: str | None) -> str | None:
    """The absolute path to write to, made sure of before anything is sent; None for none and for standard output."""
    if out is None or out == "-":
        return None
    path = Path(out).absolute()
    try:
        if path.is_dir():
            raise UsageError(f"--out {out} is a directory; name a file")
        if not path.parent.is_dir():
            raise UsageError(f"--out {out}: there is no directory {path.parent}")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise UsageError(f"--out {out} cannot be written")
    except OSError as error:
        raise UsageError(f"--out {out}: {error.strerror}") from None
    return str(path)


def on_terminal() -> bool:
    """Whether there is a terminal that can show the screen."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _view(
    feed: SocketFeed, options: argparse.Namespace, messages: TextIO, *, lines: bool, theme: str | None = None
) -> plain.Outcome:
    """The live screen where there is a terminal for it, else a line a second. ``theme`` is that of the settings."""
    if options.headless or lines or not on_terminal():
        return asyncio.run(plain.follow(feed, messages))
    # Textual takes a quarter of a second to import; whoever does not look at a screen need not wait for it.
    from agenttop.tui.app import run_live
    from agenttop.tui.result import How

    step_back()  # a late screen is late, a late worker is wrong
    no_color, light = bool(os.environ.get("NO_COLOR")), is_light(options.theme or theme)
    result = run_live(feed, ascii=options.ascii, ansi=no_color, light=light, refresh_s=options.refresh)
    if result.how is How.ABSENT:
        raise ConnectionError(result.message)
    return plain.Outcome(result.ended, left=result.how not in (How.ENDED, How.LOST), failed=result.how is How.FAILED)


def _unanswered(run_id: str, error: OSError) -> UsageError:
    """A run that was there and cannot be looked at: it has just ended, or says why not."""
    if error.errno is None and str(error):
        return UsageError(f"{run_id}: {error}")
    return UsageError(f"{run_id} does not answer any more; see: agenttop report {run_id}")


def _conclude(ended: Ended | None, directory: str, messages: TextIO, options: argparse.Namespace) -> int:
    """Show the summary of a run that is over."""
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
        _print_summary(summary, messages, as_json=False, ascii_only=options.ascii)
    if out == "-":
        _print_summary(summary, sys.stdout, as_json=True, ascii_only=False)
    return ended.exit_code or (FAILED if lost(messages) or lost(sys.stdout) else DONE)


def _print_summary(summary: dict[str, Any], stream: TextIO, *, as_json: bool, ascii_only: bool) -> None:
    if as_json:
        say(encode_summary(summary).decode(), stream)
        return
    terminal = stream.isatty()
    width = min(max(shutil.get_terminal_size((80, 24)).columns, 80), 120) if terminal else 80
    say(render_text(summary, color=terminal and not os.environ.get("NO_COLOR"), width=width, ascii=ascii_only), stream)


async def _tell(socket: Path, command: str, *, until_end: bool = False) -> dict[str, Any]:
    """One command, one answer (``status``: the present snapshot). ``until_end``: wait for the end of the run."""
    feed = SocketFeed(socket)
    await feed.open()
    try:
        reply = await feed.command(command, source="ctl")
        if command.strip() == "status" and reply.applied:
            return await feed.status()
        if until_end:
            async for _ in feed.messages():
                pass
        return {"applied": reply.applied, "message": reply.message}
    finally:
        await feed.close()
