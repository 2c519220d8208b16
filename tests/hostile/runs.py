"""A run against some rows of the table, beside a target that is well, and what it should have come to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.e2e.harness import Place
from tests.hostile.profile import RATE, WELL, profile
from tests.hostile.table import Row

MAX_RSS_MB = 200
TOLD = ("said_nothing", "sent_again", "sessions_lost")
"""Counters of what is told though nothing failed."""
LAST_S = 20
"""How long a run may go on after its plan: what is in flight ends by its timeout."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A run that has ended."""

    summary: dict[str, Any]
    code: int
    words: str
    planned_s: int

    @property
    def well(self) -> dict[str, Any]:
        """The figures of the pool whose target is well."""
        pool: dict[str, Any] = self.summary["pools"][WELL]
        return pool

    def problems(self, rows: Sequence[Row]) -> list[str]:
        """Return what is not as it should be, a line each. Nothing of it depends on how fast the machine is."""
        found = [text for row in rows for text in self._of(row)]
        well, run, generator = self.well, self.summary["run"], self.summary["generator"]
        planned = RATE * self.planned_s
        if well["requests"] < 0.95 * planned or well["failed"] or well["cancelled"]:
            found.append(
                f"the target that is well: {well['requests']} of {planned} requests, {well['failed']} failed, "
                f"{well['cancelled']} cancelled: {well['errors']}"
            )
        if (self.code, run["stop_reason"]) != (0, "completed"):
            found.append(f"exit code {self.code}, {run['stop_reason']}: {self.words}")
        if run["duration_s"] > self.planned_s + LAST_S:
            found.append(f"took {run['duration_s']} s in place of {self.planned_s}")
        if generator["max_rss_mb"] >= MAX_RSS_MB:
            found.append(f"a worker took {generator['max_rss_mb']} MB")
        lost = [text for text in generator["warnings"] if "worker" in text and ("died" in text or "killed" in text)]
        return found + lost

    def _of(self, row: Row) -> list[str]:
        pool = self.summary["pools"][row.name]
        came = {outcome for outcome, count in pool["outcomes"].items() if count}
        said = [error["message"] for error in pool["errors"]]
        if came == {"ok"}:
            said = [*self.summary["generator"]["warnings"], *(f"{name}: {pool[name]}" for name in TOLD if pool[name])]
        found = []
        if not matches(row.outcome, came):
            found.append(f"{row.path}: {row.does}: {pool['outcomes']} in place of {row.outcome}: {said}")
        elif row.says and not any(re.search(row.says, text) for text in said):
            found.append(f"{row.path}: {row.does}: nothing of {row.says!r} in {said}")
        return found


def matches(outcome: str, came: set[str]) -> bool:
    """Return whether the outcomes that came are those of a row: one at least of each of its words, and no other."""
    words = [set(word.split("|")) for word in outcome.split()]
    return all(word & came for word in words) and came <= set().union(*words)


def ran(place: Place, rows: Sequence[Row], ports: Mapping[str, int], well: int, duration_s: int) -> Ran:
    """Run against the rows. One worker, as on the smallest machine."""
    path = place.write(profile(rows, ports, well, duration_s))
    run = place.finish("--profile", path, "--headless", "--workers", "1", patience_s=120)
    words = run.err.text()
    return Ran(place.summary(), run.wait(), words or run.out.text()[-2000:], duration_s)
