"""How long a benchmark runs, and how its results begin."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.machine import client_cores, load_average, server_cores
from tests.benchmarks.program import ROOT
from tests.benchmarks.results import Results


@dataclass(frozen=True, slots=True)
class Options:
    """How long, how often, and against what."""

    quick: bool = False
    against: Path | None = None
    """Another checkout, whose program is measured in turn with ours."""

    @property
    def rounds(self) -> int:
        """Interleaved repetitions."""
        return 1 if self.quick else 3

    @property
    def programs(self) -> dict[str, Path]:
        """The checkouts to measure, by the name they have in the table."""
        return {"agenttop": ROOT} | ({"against": self.against} if self.against else {})


def begin(title: str) -> Results:
    """Results that say what their reader must know of the machine."""
    results = Results(title)
    if server_cores() == client_cores():
        results.note("one core for server and client: the figures say little about either")
    if (load := load_average()) > 0.3:
        results.note(f"the machine was busy when this began (load average {load:.1f}): trust ratios and medians only")
    return results
