"""What one event costs us, from the read to what it means; beside another checkout, in turns of some milliseconds.

CPU time, and the best of many short turns: other processes of the machine disturb it little, so that one or two per
cent can be told.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from tests.benchmarks.event_path import EVENTS
from tests.benchmarks.machine import client_cores, started_on
from tests.benchmarks.options import Options, begin
from tests.benchmarks.program import BenchmarkError
from tests.benchmarks.results import Results

PROGRAM = Path(__file__).with_name("event_path.py")
#: Each case, and how many answers are a turn of some milliseconds.
CASES = {
    "chat, an event a read": 20,
    "chat, ten events a read": 20,
    "messages, an event a read": 20,
    "lean answers": 20 * EVENTS,
}


class EventPath:
    """The event path of one checkout, in a process of its own."""

    def __init__(self, root: Path) -> None:
        environment = os.environ | {"PYTHONPATH": str(root), "PYTHONHASHSEED": "0"}
        with started_on(client_cores()):
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(PROGRAM)],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )

    def read(self, case: str, answers: int) -> float:
        """Read so many answers; nanoseconds of CPU time per event.

        Raises:
            BenchmarkError: it could not.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{case}:{answers}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise BenchmarkError("the event path ended early")
        return float(line)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def events(options: Options) -> Results:
    """Nanoseconds per event."""
    results = begin("events: CPU time from the read to what it means (ns an event; the best, and the median, of turns)")
    turns = 60 if options.quick else 400
    paths = {name: EventPath(root) for name, root in options.programs.items()}
    try:
        for case, answers in CASES.items():
            spent: dict[str, list[float]] = {name: [] for name in paths}
            for turn in range(turns):
                for name in sorted(paths, reverse=turn % 2 == 1):
                    spent[name].append(paths[name].read(case, answers))
            for name, values in spent.items():
                results.add(f"{case}, {name}", best_ns=min(values), median_ns=median(values))
            if options.against:
                pairs = zip(spent["agenttop"], spent["against"], strict=True)
                results.add(
                    f"{case}, agenttop",
                    best_x_against=min(spent["agenttop"]) / min(spent["against"]),
                    median_x_against=median(ours / theirs for ours, theirs in pairs),
                )
    finally:
        for path in paths.values():
            path.close()
    return results
