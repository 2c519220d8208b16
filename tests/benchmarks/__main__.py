"""The command line: see the package."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.benchmarks.capacity import capacity
from tests.benchmarks.detach import detach
from tests.benchmarks.events import events
from tests.benchmarks.fleet import fleet
from tests.benchmarks.memory import memory
from tests.benchmarks.nginx import Missing
from tests.benchmarks.options import Options
from tests.benchmarks.peers import peers
from tests.benchmarks.program import BenchmarkError
from tests.benchmarks.quality import quality
from tests.benchmarks.scenarios import agent, http, open_, sse, ws
from tests.benchmarks.screen import screen
from tests.benchmarks.script import script
from tests.benchmarks.tls import tls
from tests.benchmarks.truth import truth
from tests.benchmarks.users import users
from tests.benchmarks.workers import workers

ALL = {
    "http": http,
    "script": script,
    "tls": tls,
    "sse": sse,
    "events": events,
    "ws": ws,
    "open": open_,
    "users": users,
    "workers": workers,
    "memory": memory,
    "screen": screen,
    "fleet": fleet,
    "detach": detach,
    "truth": truth,
    "capacity": capacity,
    "quality": quality,
    "agent": agent,
    "peers": peers,
}


def main() -> int:
    """Run one benchmark. 0: measured, or skipped aloud; 1: something is not as it must be."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measure the whole program.")
    parser.add_argument("what", choices=ALL, help="what to measure")
    parser.add_argument("--quick", action="store_true", help="one short round instead of three")
    parser.add_argument("--json", metavar="FILE", type=Path, help="also write the figures and the machine here")
    parser.add_argument(
        "--against",
        metavar="CHECKOUT",
        type=Path,
        help="http, sse, events, ws: measure this checkout in turn with ours",
    )
    arguments = parser.parse_args()
    against = arguments.against.resolve() if arguments.against else None
    try:
        results = ALL[arguments.what](Options(arguments.quick, against))
    except Missing as missing:
        print(f"{arguments.what}: skipped: {missing}", file=sys.stderr)
        return 0
    except BenchmarkError as error:
        print(f"{arguments.what}: {error}", file=sys.stderr)
        return 1
    print(results.table())
    if arguments.json:
        results.write(arguments.json)
    return 1 if results.problems else 0


if __name__ == "__main__":
    sys.exit(main())
