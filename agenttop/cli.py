"""The command line: arguments, exit codes, and nothing else.

Exit codes: 0 done · 1 the run failed · 2 bad command line or profile, nothing was sent · 99 a threshold or gate failed
· 130 stopped by the user (the summary is written all the same).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from agenttop import __version__
from agenttop.exits import DONE, FAILED, STOPPED, USAGE, UsageError
from agenttop.profile.durations import parse_duration

_EPILOG = """\
commands:
  demo                 load the embedded agent with profiles/demo.toml: nothing else needed
  agent                the embedded agent alone, as a target to play with
  validate FILE...     check profiles, send nothing
  init [FILE]          write a commented starter profile
  schema [profile|summary]   JSON Schema, for editors
  report RUN|FILE      show a summary again, or rebuild that of a run that was cut off
  ps, attach, ctl      runs on this machine: list them, look at one again, steer one from a script
  serve [RUN]          look at one in a browser on this machine

A run:  agenttop --profile peak.toml
        agenttop --profile peak.toml --users 50 --spawn-rate 5 --for 2m --headless --out summary.json
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} --help)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        if arguments and arguments[0] == "agent":
            from agenttop.agent.server import main as agent

            return agent(arguments[1:])
        options = _parse(arguments)
        return int(options.command(options))
    except UsageError as error:
        print(f"agenttop: {error}", file=sys.stderr)
        return USAGE
    except BrokenPipeError:
        # Whoever read our output has had enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        return STOPPED


# -- arguments


def _parse(arguments: list[str]) -> argparse.Namespace:
    words = {
        "demo": _demo_parser,
        "validate": _validate_parser,
        "init": _init_parser,
        "schema": _schema_parser,
        "report": _report_parser,
        "ps": _ps_parser,
        "attach": _attach_parser,
        "ctl": _ctl_parser,
        "serve": _serve_parser,
    }
    if arguments and arguments[0] in words:
        parser = words[arguments[0]](_Parser(prog=f"agenttop {arguments[0]}"))
        return parser.parse_args(arguments[1:])
    parser = _Parser(
        prog="agenttop",
        description="Load-test an AI agent over HTTP, SSE and WebSocket, live in the terminal.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"agenttop {__version__}")
    parser.add_argument("--profile", metavar="FILE", help="what to run (TOML)")
    _run_options(parser)
    parser.set_defaults(command=_run_profile)
    if not arguments:
        parser.print_help()
        raise UsageError("say what to run: agenttop --profile FILE, or agenttop demo")
    options = parser.parse_args(arguments)
    if options.profile is None:
        raise UsageError("say what to run: agenttop --profile FILE, or agenttop demo")
    return options


def _duration(text: str) -> float:
    try:
        value = parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if value <= 0:
        raise argparse.ArgumentTypeError("must be longer than 0s")
    return value


def _whole(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a whole number, not {text!r}") from None
    if not 0 <= value <= 1_000_000:
        raise argparse.ArgumentTypeError("must be 0 to 1 000 000")
    return value


def _rate(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number, not {text!r}") from None
    if not 0 < value <= 1_000_000:
        raise argparse.ArgumentTypeError("must be above 0 and at most 1 000 000")
    return value


def _port(text: str) -> int:
    value = _whole(text)
    if value > 65535:
        raise argparse.ArgumentTypeError("must be 0 to 65 535")
    return value


def _workers(text: str) -> int | None:
    if text == "auto":
        return None
    value = _whole(text)
    if not 1 <= value <= 256:
        raise argparse.ArgumentTypeError("must be auto or 1 to 256")
    return value


def _view_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--headless", action="store_true", help="plain lines, no live terminal")
    parser.add_argument("--ascii", action="store_true", help="draw with ASCII characters only")
    parser.add_argument(
        "--on-hangup", choices=("continue", "stop"), default="continue", help="what a lost terminal does to the run"
    )


def _run_options(parser: argparse.ArgumentParser) -> None:
    _view_options(parser)
    parser.add_argument("--out", metavar="FILE", help='also write the summary (JSON) here; "-" is standard output')
    parser.add_argument("--target", metavar="URL", help="instead of the profile's target")
    parser.add_argument(
        "--set", metavar="KEY=VALUE", action="append", default=[], help="override a key of the profile, repeatable"
    )
    parser.add_argument("--for", metavar="DURATION", type=_duration, dest="limit", help="cap the run's length")
    parser.add_argument("--armed", action="store_true", help="get ready, and send nothing until it is started")
    parser.add_argument("--workers", metavar="N|auto", type=_workers, default=0, help="load generator processes")
    parser.add_argument("--users", metavar="N", type=_whole, help="instead of the profile's stages: so many users")
    parser.add_argument("--spawn-rate", metavar="R", type=_rate, help="… begun at so many a second")
    parser.add_argument("--yes", action="store_true", help="use a provider's live key though no [budget] caps it")


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


def _report_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.description = "Show a summary again; rebuild it from the journal where a run was cut off."
    parser.add_argument("run", metavar="SUMMARY", help="a summary file, a run's directory, or a run's id")
    parser.add_argument("-o", "--out", metavar="FILE", help='write the summary (JSON) here; "-" is standard output')
    parser.set_defaults(command=_report)
    return parser


def _ps_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.description = "List the live runs on this machine."
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(command=_ps)
    return parser


def _attach_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.description = "Look at a live run again."
    parser.add_argument(
        "run", metavar="RUN", nargs="?", help="its id or a beginning of it; not needed for the only one"
    )
    _view_options(parser)
    parser.set_defaults(command=_attach)
    return parser


def _ctl_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.description = (
        "Steer a live run: users, rate, hold, resume, pause, next, release, plan, think, on_429, stop …"
    )
    parser.add_argument("run", metavar="RUN")
    parser.add_argument("words", metavar="COMMAND", nargs=argparse.REMAINDER)
    parser.set_defaults(command=_ctl)
    return parser


def _serve_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.description = "Show a live run in a browser on this machine: to look at, not to change."
    parser.add_argument(
        "run", metavar="RUN", nargs="?", help="its id or a beginning of it; not needed for the only one"
    )
    parser.add_argument("--port", metavar="N", type=_port, default=0, help="a port of 127.0.0.1; 0: any free one")
    parser.set_defaults(command=_serve)
    return parser


# -- commands


def _run_profile(options: argparse.Namespace) -> int:
    from agenttop.session import run_profile

    return run_profile(Path(options.profile), options)


def _demo(options: argparse.Namespace) -> int:
    from agenttop.agent.process import AgentProcess
    from agenttop.session import builtin_profile, run_profile

    if options.target is not None:
        raise UsageError("demo brings its own target; say: agenttop --profile FILE --target URL")
    with AgentProcess() as agent:
        options.target = agent.url
        return run_profile(builtin_profile("demo.toml"), options, own_target=True)


def _validate(options: argparse.Namespace) -> int:
    from agenttop.profile.validate import validate_files

    problems = validate_files(options.files)
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        return USAGE
    for name in options.files:
        print(f"{name}: ok")
    return DONE


def _init(options: argparse.Namespace) -> int:
    from agenttop.profile.starter import STARTER

    try:
        with open(options.file, "x", encoding="utf-8") as stream:
            stream.write(STARTER)
    except FileExistsError:
        raise UsageError(f"{options.file} is there already; name another file") from None
    except OSError as error:
        raise UsageError(f"{options.file}: {error.strerror}") from None
    print(f"{options.file} written; look through it, then: agenttop --profile {options.file}")
    return DONE


def _schema(options: argparse.Namespace) -> int:
    from agenttop.profile.schema import profile_schema
    from agenttop.report.summary import summary_schema

    print(json.dumps(profile_schema() if options.what == "profile" else summary_schema(), indent=2, ensure_ascii=False))
    return DONE


def _report(options: argparse.Namespace) -> int:
    from agenttop.session import show_report

    return show_report(options.run, options.out)


def _ps(options: argparse.Namespace) -> int:
    from agenttop.session import list_runs

    return list_runs(as_json=options.json)


def _attach(options: argparse.Namespace) -> int:
    from agenttop.session import attach

    return attach(options.run, options)


def _ctl(options: argparse.Namespace) -> int:
    from agenttop.session import control

    return control(options.run, " ".join(options.words))


def _serve(options: argparse.Namespace) -> int:
    from agenttop.session import serve

    return serve(options.run, options.port)
