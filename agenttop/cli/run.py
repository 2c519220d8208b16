"""``agenttop --profile``: loads a profile, launches a run, opens a view on it, shows its summary."""

from __future__ import annotations

import argparse
import socket
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from agenttop.cli.ctl import stop
from agenttop.cli.first import kept
from agenttop.cli.fleet import fleet_of, refused
from agenttop.cli.output import report_files, writable
from agenttop.cli.viewing import Tell, ahead, conclude, goes_on, view
from agenttop.controller.launch import LaunchError, NoRoomError, RefusedError, default_workers, launch
from agenttop.controller.spec import RunSpec
from agenttop.exits import DONE, FAILED, USAGE, UsageError
from agenttop.export.server import reason_of
from agenttop.journal.places import new_run
from agenttop.metrics.safe_text import SafeText
from agenttop.profile.load import Loaded, load_profile
from agenttop.profile.problems import ProfileError
from agenttop.profile.search import Capacity
from agenttop.runs.control_socket import SocketFeed
from agenttop.runs.register import require_place
from agenttop.users.terms import caps_of
from agenttop.view import held
from agenttop.view import lines as plain
from agenttop.view.pipes import say
from agenttop.worker.files import files_warning


def run_profile(
    path: Path, options: argparse.Namespace, *, own_target: bool = False, capacity: Capacity | None = None
) -> int:
    """Run a profile as the command line says; return the exit code.

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


def run_loaded(
    loaded: Loaded, name: str, options: argparse.Namespace, *, own_target: bool = False, tell: Tell | None = None
) -> int:
    """Run a profile that has been loaded from a file of this ``name``; otherwise as :func:`run_profile`.

    ``tell``: what is said at the end instead of the report's answer.
    """
    if not options.yes:
        _refuse_uncapped(name, loaded)
    out = writable(options.out)
    reports = report_files("--report", options.report)
    messages = sys.stderr if options.out == "-" else sys.stdout
    chosen = options.workers if options.workers != 0 else loaded.settings.workers
    workers = chosen if isinstance(chosen, int) else default_workers()
    fleet = fleet_of(loaded.profile.fleet, options)
    warnings = list(loaded.warnings)
    if fleet is None:
        warnings += files_warning(loaded.profile, workers)
    else:
        fleet = replace(fleet, workers=chosen if isinstance(chosen, int) else None)
    for warning in warnings:
        kept(options)
        print(f"agenttop: {warning}", file=sys.stderr)
    require_place(loaded.profile.name)
    gate = _gate(loaded, getattr(options, "until_decided", None), options.limit)
    prometheus = _free(options.prometheus)
    spec = _spec(name, loaded, tuple(warnings), workers, options.limit, out, armed=options.armed)
    spec = replace(spec, reports=reports, prometheus=prometheus, fleet=fleet, **gate)
    held.hold()
    ahead(options, lines=options.out == "-")
    if fleet is not None and sys.stderr.isatty():
        kept(options)
        print(f"agenttop: reaching {', '.join(host.name for host in fleet.hosts)} …", file=sys.stderr)
    try:
        at = launch(spec)
    except (NoRoomError, OSError) as error:
        reason = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
        raise UsageError(f"{reason}; XDG_STATE_HOME says where runs are kept") from None
    except RefusedError as error:
        raise refused(str(error), fleet) from None
    except LaunchError as error:
        print(f"agenttop: {SafeText(loaded.secrets)(str(error), 1000)}", file=sys.stderr)
        return FAILED
    feed = SocketFeed(at, can_detach=not own_target)
    try:
        outcome = view(feed, options, messages, lines=options.out == "-", theme=loaded.settings.theme)
    except (ConnectionError, FileNotFoundError):
        outcome = plain.Outcome(None)
    if outcome.left and (options.on_hangup == "stop" or own_target):
        # A target of our own must live until its run has ended.
        return stop(spec.run_id, until_end=own_target)
    if outcome.left:
        say(goes_on(spec.run_id), messages)
        return FAILED if outcome.failed else DONE
    return conclude(outcome.ended, spec.directory, messages, options, tell)


def _free(address: tuple[str, int] | None) -> tuple[str, int] | None:
    """Return an address at which figures can be served, checked before anything is sent.

    Raises:
        UsageError: it is taken, or none of this machine.
    """
    if address is not None:
        try:
            family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
            with socket.create_server(address, family=family):
                pass
        except OSError as error:
            host, port = address
            raise UsageError(f"--prometheus {host}:{port}: {reason_of(error)}") from None
    return address


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


def _gate(loaded: Loaded, until_s: float | None, limit_s: float | None) -> dict[str, Any]:
    """Return what the gate of a profile adds to a run; ``until_s`` is how long that may go on until it is decided, of
    ``limit_s`` that any run may last.

    Raises:
        UsageError: it cannot, or there is nothing that it could be compared with.
    """
    if loaded.profile.gate is None and until_s is None:
        return {}
    # These read whole summaries, and import what compares them.
    from agenttop.cli.sides import gate_bases
    from agenttop.controller.until_decided import most_of, problem_of
    from agenttop.steering.plan import Plan
    from agenttop.users.compile import layout_of

    plan = Plan(loaded.profile, layout_of(loaded.profile))
    most_s = most_of(plan, until_s, limit_s)
    if until_s is not None and (problem := problem_of(loaded.profile, plan, most_s)):
        raise UsageError(f"--until-decided: {problem}")
    bases, no_base = gate_bases(loaded)
    goes_on = until_s is not None and bool(bases)
    return {"bases": tuple(bases), "no_base": no_base, "until_s": most_s if goes_on else None}


def _refuse_uncapped(name: str, loaded: Loaded) -> None:
    """Refuse a key that spends real money without a cap on how much, unless the user says so."""
    if loaded.live_keys and caps_of(loaded.profile) is None:
        keys = " and ".join(f"{key} looks like a live key of {provider}" for key, provider in loaded.live_keys)
        raise UsageError(
            f"{name}: budget: {keys}, and nothing caps what this run spends; write [budget] with requests, tokens or "
            "cost_usd, or say --yes"
        )
