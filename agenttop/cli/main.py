"""The command line: arguments, dispatch, exit codes, and nothing else. What a command does is in its file.

Exit codes: 0 done · 1 the run failed · 2 bad command line or profile, nothing was sent · 99 a threshold or gate failed
· 130 stopped by the user (the summary is written all the same).
"""

from __future__ import annotations

import argparse
import difflib
import errno
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from agenttop import __version__
from agenttop.cli import parsers as cli_runs
from agenttop.cli.arguments import address as _address
from agenttop.cli.arguments import duration as _duration
from agenttop.cli.arguments import port as _port
from agenttop.cli.arguments import rate as _rate
from agenttop.cli.arguments import refresh as _refresh
from agenttop.cli.arguments import whole as _whole
from agenttop.cli.arguments import workers as _workers
from agenttop.cli.completion import WORDS, complete, completion, completion_parser
from agenttop.cli.explain import explain_parser
from agenttop.cli.first import begin
from agenttop.cli.shipped import builtin_profile
from agenttop.exits import FAILED, STOPPED, USAGE, UsageError
from agenttop.view.pipes import hush

_EPILOG = """\
commands:
  capacity           find the most users (or arrivals) that are served well
  demo               load the embedded agent with profiles/demo.toml
  hit URL            a quick look without a profile
  quick URL          what does it hold, and why no more? in sixty seconds
  agent              the embedded agent alone, as a target to play with
  validate FILE...   check profiles, send nothing
  cases FILE...      show cases of a golden set; grade recorded answers
  init [FILE]        write a commented starter profile
  schema [WHAT]      JSON Schema of a profile or a summary, for editors
  ps                 the runs of this machine, live and over
  prune              remove old runs of this machine
  attach [RUN]       look at a live run again
  ctl [RUN] COMMAND  steer a live run from a script
  replay [RUN]       play a run again, with a time cursor
  serve [RUN]        look at a live run in a browser on this machine
  report [RUN|FILE]  show a summary again, or rebuild that of a run cut off
  fleet check        can these boxes send a load together?
  compare BASE HEAD  is one run worse than another? can block a merge
  profile-of [RUN]   the profile that drives a run again as it was steered
  explain [TOPIC]    the reference: keys, metrics, dialects, outcomes, files
  completion SHELL   what the tab key completes in bash, zsh and fish

RUN is a run's id, a unique beginning of it, or its profile's name. Each command
says more with --help.

A run:  agenttop --profile peak.toml
        agenttop --profile peak.toml --users 50 --spawn-rate 5 --for 2m
"""

#: Of standard output: its reader has had enough, its disk is full, its terminal is gone.
_UNWRITABLE = (errno.EPIPE, errno.ENOSPC, errno.EIO)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} --help)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that has no such character is no reason to end
    try:
        if words and words[0] == "agent":
            from agenttop.agent.server import main as agent

            return agent(words[1:])
        if words[:2] == ["completion", WORDS]:
            return complete(words[2:], _COMMANDS, _parser_of)
        options = _parse(words)
        code = int(options.command(options))
        sys.stdout.flush()
        return code
    except UsageError as error:
        print(f"agenttop: {error}", file=sys.stderr)
        return USAGE
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        hush(sys.stdout)
        if error.errno != errno.EPIPE:
            print(f"agenttop: standard output: {error.strerror}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return STOPPED


# -- arguments


def _parse(words: list[str]) -> argparse.Namespace:
    if words and words[0] in _PARSERS:
        return _parser_of(words[0]).parse_args(words[1:])
    if words and not words[0].startswith("-"):
        raise UsageError(_no_command(words[0], _COMMANDS))
    parser = _parser_of("")
    if not words:
        parser.print_help()
        raise UsageError("say what to run: agenttop --profile FILE, or agenttop demo")
    options = parser.parse_args(words)
    if options.profile is None:
        raise UsageError("say what to run: agenttop --profile FILE, or agenttop demo")
    return options


def _parser_of(command: str) -> argparse.ArgumentParser:
    """Return the parser of a command; that of a run for an empty name."""
    if command == "agent":
        from agenttop.agent.server import agent_parser

        return agent_parser()
    if command:
        return _PARSERS[command](_Parser(prog=f"agenttop {command}"))
    parser = _Parser(
        prog="agenttop",
        description="Load-test an AI agent over HTTP, SSE and WebSocket, live in the terminal.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"agenttop {__version__}")
    parser.add_argument("--profile", metavar="FILE", help="what to run (TOML)")
    _run_options(parser)
    parser.add_argument(
        "--until-decided",
        metavar="DURATION",
        type=_duration,
        nargs="?",
        const=0.0,
        help="with [gate]: go on until it is decided, so long in all at most (4 times the plan)",
    )
    parser.set_defaults(command=_run_profile)
    return parser


def _no_command(word: str, commands: Sequence[str]) -> str:
    """Return the error for a word that is no command."""
    if word.endswith(".toml") or os.path.isfile(word):
        return f"to run a profile say: agenttop --profile {word}"
    close = difflib.get_close_matches(word, commands, n=1)
    return f"there is no command {word!r}" + (f"; did you mean {close[0]}?" if close else " (see agenttop --help)")


def _screen_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--headless", action="store_true", help="plain lines, no live terminal")
    parser.add_argument("--ascii", action="store_true", help="draw with ASCII characters only")
    parser.add_argument("--theme", choices=("dark", "light"), help="the terminal's background; also AGENTTOP_THEME")
    parser.add_argument(
        "--refresh",
        metavar="SECONDS",
        type=_refresh,
        default=1.0,
        help="between two pictures, for a slow line; 1 to 60",
    )


def _view_options(parser: argparse.ArgumentParser) -> None:
    _screen_options(parser)
    parser.add_argument("--full", action="store_true", help="the whole report at the end, not only its answer")
    parser.add_argument(
        "--on-hangup", choices=("continue", "stop"), default="continue", help="what a lost terminal does to the run"
    )


def _common_options(parser: argparse.ArgumentParser) -> None:
    _view_options(parser)
    parser.add_argument("--out", metavar="FILE", help='also write the summary (JSON) here; "-" is standard output')
    parser.add_argument(
        "--report",
        metavar="FILE",
        action="append",
        default=[],
        help="also write the run here at its end, as agenttop report -o does; repeatable",
    )
    parser.add_argument(
        "--prometheus",
        metavar="[HOST:]PORT",
        type=_address,
        help="serve the figures at /metrics while it runs; on this machine alone, unless a host is said",
    )
    parser.add_argument(
        "--set", metavar="KEY=VALUE", action="append", default=[], help="override a key of the profile, repeatable"
    )
    parser.add_argument("--armed", action="store_true", help="get ready, and send nothing until it is started")
    parser.add_argument(
        "--workers", metavar="N|auto", type=_workers, default=0, help="load generator processes (of each box)"
    )
    cli_runs.fleet_options(parser)
    parser.add_argument("--yes", action="store_true", help="use a provider's live key though no [budget] caps it")


def _run_options(parser: argparse.ArgumentParser, *, stages: bool = True) -> None:
    """Add the options of a run. ``stages``: the run has some, which --users may replace."""
    _common_options(parser)
    parser.add_argument("--target", metavar="URL", help="instead of the profile's target")
    parser.add_argument("--for", metavar="DURATION", type=_duration, dest="limit", help="cap the run's length")
    if not stages:
        parser.set_defaults(users=None, spawn_rate=None)
        return
    parser.add_argument("--users", metavar="N", type=_whole, help="instead of the profile's stages: so many users")
    parser.add_argument("--spawn-rate", metavar="R", type=_rate, help="… begun at so many a second")


def _capacity_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.description = (
        "Find the most users (or iterations per second of an open pool) at which the objectives of a profile hold. "
        "Without a [search] in it, its highest stage is the most that is tried."
    )
    parser.add_argument("--profile", metavar="FILE", required=True, help="what to run (TOML)")
    parser.add_argument(
        "--max", metavar="N", type=_rate, dest="most", help="the most users, or arrivals a second, to try"
    )
    parser.add_argument("--pool", metavar="NAME", help="whose users or arrivals")
    _run_options(parser, stages=False)
    parser.set_defaults(command=_capacity)
    return parser


def _hit_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    _common_options(parser)
    return cli_runs.hit_parser(parser)


def _quick_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    _common_options(parser)
    return cli_runs.quick_parser(parser)


def _demo_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.description = "Start the embedded agent and load it with profiles/demo.toml."
    _run_options(parser)
    parser.set_defaults(command=_demo)
    return parser


def _validate_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.description = "Check profiles and every file they name; send nothing."
    parser.add_argument("files", metavar="FILE", nargs="+")
    parser.set_defaults(command=_validate)
    return parser


def _init_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.description = "Write a commented starter profile."
    parser.add_argument("file", metavar="FILE", nargs="?", default="agenttop.toml")
    parser.set_defaults(command=_init)
    return parser


def _schema_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.description = "Print the JSON Schema of profiles or of summaries."
    parser.add_argument("what", choices=("profile", "summary"), nargs="?", default="profile")
    parser.set_defaults(command=_schema)
    return parser


def _replay_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    _screen_options(parser)
    return cli_runs.replay_parser(parser)


def _attach_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    _view_options(parser)
    return cli_runs.attach_parser(parser)


def _serve_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.description = "Show a live run in a browser on this machine: to look at, not to change."
    parser.add_argument("run", metavar="RUN", nargs="?", help=f"{cli_runs.RUN} (the only one)")
    parser.add_argument("--port", metavar="N", type=_port, default=0, help="a port of 127.0.0.1; 0: any free one")
    parser.set_defaults(command=_serve)
    return parser


def _completion_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.set_defaults(command=_completion)
    return completion_parser(parser)


_PARSERS: dict[str, Callable[[argparse.ArgumentParser], argparse.ArgumentParser]] = {
    "capacity": _capacity_parser,
    "demo": _demo_parser,
    "hit": _hit_parser,
    "quick": _quick_parser,
    "validate": _validate_parser,
    "cases": cli_runs.cases_parser,
    "init": _init_parser,
    "schema": _schema_parser,
    "report": cli_runs.report_parser,
    "compare": cli_runs.compare_parser,
    "ps": cli_runs.ps_parser,
    "prune": cli_runs.prune_parser,
    "attach": _attach_parser,
    "ctl": cli_runs.ctl_parser,
    "serve": _serve_parser,
    "replay": _replay_parser,
    "profile-of": cli_runs.profile_of_parser,
    "explain": explain_parser,
    "fleet": cli_runs.fleet_parser,
    "completion": _completion_parser,
}
#: The agent parses what is said to it itself.
_COMMANDS = (*_PARSERS, "agent")


# -- dispatch: a command's file is imported when it is called, so that help and errors start fast


def _run_profile(options: argparse.Namespace) -> int:
    begin(options, Path(options.profile).name, profile=Path(options.profile))
    from agenttop.cli.run import run_profile

    return run_profile(Path(options.profile), options)


def _capacity(options: argparse.Namespace) -> int:
    begin(options, f"capacity of {Path(options.profile).name}", profile=Path(options.profile))
    from agenttop.cli.capacity import capacity

    return capacity(options)


def _demo(options: argparse.Namespace) -> int:
    begin(options, "demo: the embedded agent is started", profile=builtin_profile("demo.toml"))
    from agenttop.cli.demo import demo

    return demo(options)


def _validate(options: argparse.Namespace) -> int:
    from agenttop.cli.validate import validate

    return validate(options.files)


def _init(options: argparse.Namespace) -> int:
    from agenttop.cli.init import init

    return init(options.file)


def _schema(options: argparse.Namespace) -> int:
    from agenttop.cli.schema import print_schema

    return print_schema(options.what)


def _serve(options: argparse.Namespace) -> int:
    from agenttop.cli.serve import serve

    return serve(options.run, options.port)


def _completion(options: argparse.Namespace) -> int:
    return completion(options.shell)
