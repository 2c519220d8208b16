"""Defines the arguments of the commands on runs that are there, and of ``hit``, and which function each calls."""

from __future__ import annotations

import argparse

from agenttop.cli.arguments import age, count, duration, hosts, percent, quick_users, rate, whole
from agenttop.cli.first import begin

RUN = "a run's id, a unique beginning of it, or its profile's name"


def fleet_options(parser: argparse.ArgumentParser) -> None:
    """Define the options of a fleet."""
    boxes = "send the load from these boxes, over SSH: b1,b2:2222,user@b3"
    parser.add_argument("--hosts", metavar="HOSTS", type=hosts, help=boxes)
    parser.add_argument("--min-hosts", metavar="N", type=count, help="how many of them must be there (all)")
    parser.add_argument("--remote-python", metavar="PATH", help="their Python that has agenttop (python3)")


def fleet_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Define the arguments of ``agenttop fleet``."""
    parser.description = (
        "Can these boxes send a load together? Says of each whether it is reached and fit, its cores, open files and "
        "ports, how far it is, and how well its clock is known. Exit code 2: one of them is not, or too few are."
    )
    parser.add_argument("what", choices=("check",), help="look at each box, send no load")
    parser.add_argument("--profile", metavar="FILE", help="of its [fleet]")
    parser.add_argument("--users", metavar="N", type=whole, help="do they suffice for so many users?")
    fleet_options(parser)
    parser.set_defaults(command=_fleet)
    return parser


def ps_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Define the arguments of ``agenttop ps``."""
    parser.description = (
        "List the runs of this machine: the live ones and the newest that are over, with what their graded answers "
        "scored and how they ended. agenttop prune removes old ones."
    )
    parser.add_argument("--json", action="store_true", help="as a list of objects")
    parser.add_argument("--all", action="store_true", help="every run there is, not only the newest")
    parser.set_defaults(command=_ps)
    return parser


def prune_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Define the arguments of ``agenttop prune``."""
    parser.description = (
        "Remove runs that are over from this machine, with all they left behind: summary, journal, answers. Says how "
        "many and how much space, and asks; without a terminal it needs --yes. What goes on stays, and so does the "
        "newest run of each profile that passed, which compare and gates call last-passed."
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--keep", metavar="N", type=whole, help="all but the N newest that are over")
    which.add_argument("--older", metavar="AGE", type=age, help="those that are over for longer, such as 30d or 12h")
    parser.add_argument("--also-last-passed", action="store_true", help="the newest that passed go as well")
    parser.add_argument("--dry-run", action="store_true", help="list what would go, and remove nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.set_defaults(command=_prune)
    return parser


def report_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Define the arguments of ``agenttop report``."""
    parser.description = (
        "Show a summary again, and write it to files; rebuild it from the journal where a run was cut off."
    )
    parser.add_argument("runs", metavar="RUN|FILE", nargs="*", help=f"{RUN} (the newest), a summary or its directory")
    parser.add_argument("--compare", action="store_true", help="the first run with those that follow, as compare does")
    parser.add_argument(
        "-o",
        "--out",
        metavar="FILE",
        action="append",
        default=[],
        help='write it here, as the ending says: .html, .md, .xml (JUnit), .csv, .hgrm, .br.yaml, .json; "-" is the '
        "summary on standard output; repeatable",
    )
    parser.add_argument(
        "--table", choices=("requests", "timeline", "stages"), default="requests", help="what a .csv has (requests)"
    )
    parser.add_argument("--strict", action="store_true", help="in a .xml what the data cannot tell is a failure")
    parser.add_argument("--full", action="store_true", help="all there is to tell, and the answer at its end")
    parser.set_defaults(command=_report)
    return parser


def attach_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Define the arguments of ``agenttop attach``, but for the options of a view."""
    parser.description = "Look at a live run again."
    parser.add_argument("run", metavar="RUN", nargs="?", help=f"{RUN} (the only one)")
    parser.set_defaults(command=_attach)
    return parser


def ctl_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Define the arguments of ``agenttop ctl``."""
    from agenttop.steering.commands import COMMANDS

    width = max(len(str(form)) for form in COMMANDS.values()) + 2
    parser.description = "Send a command to a live run. The answer is JSON; exit code 1: it says no."
    parser.epilog = "commands:\n" + "\n".join(f"  {form!s:{width}}{form.help}" for form in COMMANDS.values())
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.usage = f"{parser.prog} [-h] [RUN] COMMAND..."
    parser.add_argument("words", metavar="[RUN] COMMAND", nargs=argparse.REMAINDER, help=f"{RUN} (the only one)")
    parser.set_defaults(command=_ctl)
    return parser


def replay_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Define the arguments of ``agenttop replay``, but for the options of a view."""
    parser.description = "Play a run again on the screen, or with --headless in lines: all at once, or at --speed."
    parser.add_argument("run", metavar="RUN", nargs="?", help=f"{RUN} (the newest), or its directory")
    parser.add_argument("--speed", metavar="N", type=rate, help="so many times as fast as it was; x changes it")
    parser.set_defaults(command=_replay)
    return parser


def profile_of_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Define the arguments of ``agenttop profile-of``."""
    parser.description = (
        "Write the profile that drives a run again as it was steered: its stages, with what was set, held, edited or "
        "paused by hand."
    )
    parser.add_argument("run", metavar="RUN", nargs="?", help=f"{RUN} (the newest), or its directory")
    parser.add_argument("-o", "--out", metavar="FILE.toml", help="write it here instead of to standard output")
    parser.set_defaults(command=_profile_of)
    return parser


def compare_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Define the arguments of ``agenttop compare``."""
    parser.description = (
        "Is HEAD worse than BASE, in answers, times, errors, tokens or cost? Each is a summary, a run, last (the "
        "newest that is over) or last-passed (the newest whose exit code was 0). Exit code 99: worse than allowed."
    )
    parser.usage = f"{parser.prog} [-h] BASE HEAD [OPTION]..."
    parser.add_argument("runs", metavar="BASE HEAD", nargs="*", help=f"a summary, {RUN}, last or last-passed")
    parser.add_argument("--base", metavar="RUN", nargs="+", default=[], help="several runs instead of BASE")
    parser.add_argument("--head", metavar="RUN", nargs="+", default=[], help="several runs instead of HEAD")
    parser.add_argument(
        "--max-score-drop",
        metavar="2%|SLICE=5%",
        action="append",
        default=[],
        help="points that the score, or that of a slice, may fall; repeatable",
    )
    parser.add_argument(
        "--max-regress",
        metavar="METRIC.STAT=10%",
        action="append",
        default=[],
        help="by how much a figure may be worse, such as latency.p95=10%% or ttft.p95{pool:chat}=10%%; of shares in "
        "points; repeatable",
    )
    unsure = parser.add_mutually_exclusive_group()
    unsure.add_argument("--strict", action="store_true", help="what the data cannot tell blocks")
    unsure.add_argument(
        "--lenient", action="store_true", help="what the data cannot tell passes, and is said: the default"
    )
    parser.add_argument(
        "-o", "--out", metavar="FILE", help="also write it to a file: .html, .md, .json or .xml (JUnit)"
    )
    parser.add_argument("--json", action="store_true", help="as an object instead of a table")
    parser.set_defaults(command=_compare)
    return parser


def hit_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Define the arguments of ``agenttop hit``, but for the options that every run has."""
    parser.description = (
        "Load one URL, without a profile. What is typed is sent as it stands; $NAME in a header comes from the "
        "environment, and so stays out of the shell's history and the list of processes."
    )
    parser.add_argument("url", metavar="URL", help="http://, https://, ws:// or wss://")
    parser.add_argument(
        "-c", metavar="USERS", type=count, dest="users", help="users at once (10); with -q the most requests in flight"
    )
    parser.add_argument("-z", metavar="DURATION", type=duration, dest="duration", help="how long (10s)")
    parser.add_argument("-n", metavar="COUNT", type=count, dest="requests", help="so many requests, and then end")
    parser.add_argument("-q", metavar="RATE", type=rate, dest="rate", help="requests a second, whatever answers take")
    parser.add_argument("-m", metavar="METHOD", dest="method", help="GET, or POST with -d")
    parser.add_argument("-d", metavar="BODY|@FILE", dest="body", help="what to send; the message of a WebSocket")
    parser.add_argument(
        "-H", metavar="HEADER", dest="header", action="append", default=[], help='"Name: value", repeatable'
    )
    parser.add_argument("--dialect", metavar="D", help="how answers are read, such as openai.chat")
    parser.add_argument("--write", metavar="FILE.toml", help="write the profile it amounts to, and send nothing")
    parser.set_defaults(command=_hit, limit=None)
    return parser


def quick_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Define the arguments of ``agenttop quick``, but for the options that every run has."""
    parser.description = (
        "The sixty-second answer for a URL of which nothing is known: finds its dialect and model by a few questions, "
        "looks with one user, then with more up to a bound that it states before it begins, and says in words what the "
        "target holds, why it stops there, and what to try next."
    )
    parser.add_argument("url", metavar="URL", help="of an agent, or the base of an API: http:// or https://")
    parser.add_argument("--dialect", metavar="D", help="instead of finding it, such as openai.chat")
    parser.add_argument("--model", metavar="NAME", help="instead of the first that chats")
    parser.add_argument("-d", metavar="BODY|@FILE", dest="body", help="what to send instead of a question of ours")
    parser.add_argument(
        "-H", metavar="HEADER", dest="header", action="append", default=[], help='"Name: value", repeatable; $NAME'
    )
    parser.add_argument("--users", metavar="N", type=quick_users, default=32, help="at a time at most, up to 32")
    parser.add_argument("-n", metavar="COUNT", type=count, dest="requests", default=1000, help="at most (1000)")
    parser.add_argument("--tokens", metavar="COUNT", type=count, default=200_000, help="at most (200 000)")
    parser.add_argument("-z", metavar="DURATION", type=duration, dest="limit", default=60.0, help="about (60s)")
    parser.add_argument("-o", metavar="FILE.toml", dest="write", help="write the profile to go on from")
    parser.set_defaults(command=_quick)
    return parser


def cases_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Define the arguments of ``agenttop cases``."""
    parser.description = (
        "Show what was understood of files of cases; with --answers grade recorded answers, without any load. "
        "agenttop explain graders says how cases and graders are written."
    )
    parser.add_argument("files", metavar="FILE", nargs="+", help=".jsonl, .yaml, .csv or .json")
    parser.add_argument(
        "--answers",
        metavar="FILE|RUN",
        help='recorded answers, a line each: {"id": "a", "text": "Hello"}; or a run (its id, name, directory, "last"), '
        "whose answers are graded anew",
    )
    parser.add_argument("--min-score", metavar="SHARE", type=percent, help="exit with 99 below it, such as 90%%")
    parser.add_argument("--judge", metavar="URL", help="an OpenAI-compatible endpoint; its key is in $JUDGE_KEY")
    parser.add_argument("--judge-model", metavar="NAME", default="gpt-4o-mini", help="its model (gpt-4o-mini)")
    parser.add_argument("--max-calls", metavar="N", type=count, default=200, help="of the judge (200)")
    parser.add_argument("--labels", metavar="FILE", help="answers with a person's score each: does the judge agree?")
    parser.add_argument("--json", action="store_true", help="as an object")
    parser.set_defaults(command=_cases)
    return parser


def _cases(options: argparse.Namespace) -> int:
    from agenttop.cli.cases import cases

    return cases(options)


def _profile_of(options: argparse.Namespace) -> int:
    from agenttop.cli.profile_of import profile_of

    return profile_of(options.run, options.out)


def _compare(options: argparse.Namespace) -> int:
    from agenttop.cli.compare import compare_runs

    return compare_runs(options)


def _hit(options: argparse.Namespace) -> int:
    if options.write is None:
        begin(options, "hit", target=options.url)
    from agenttop.cli.hit import hit

    return hit(options)


def _quick(options: argparse.Namespace) -> int:
    begin(options, "quick", target=options.url)
    from agenttop.cli.quick import quick

    return quick(options)


def _fleet(options: argparse.Namespace) -> int:
    from agenttop.cli.fleet import fleet

    return fleet(options)


def _ps(options: argparse.Namespace) -> int:
    from agenttop.cli.ps import list_runs

    return list_runs(as_json=options.json, everything=options.all)


def _prune(options: argparse.Namespace) -> int:
    from agenttop.cli.prune import prune

    return prune(options)


def _report(options: argparse.Namespace) -> int:
    from agenttop.cli.report import show_report

    return show_report(options)


def _attach(options: argparse.Namespace) -> int:
    if options.run is not None:
        begin(options, f"attach {options.run}")
    from agenttop.cli.attach import attach

    return attach(options.run, options)


def _replay(options: argparse.Namespace) -> int:
    begin(options, f"replay {options.run or 'the newest run'}")
    from agenttop.cli.replay import replay

    return replay(options.run, options)


def _ctl(options: argparse.Namespace) -> int:
    from agenttop.cli.ctl import control

    return control(options.words)
