"""Compares phases by stage: where the time went at each load, and which phase grew as the load did."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from agenttop.report.figures import count, fit, ms, share
from agenttop.report.page import INDENT, Page

UNATTRIBUTED = "(unattributed)"
#: Requests a stage needs before it is compared with another.
MIN_COUNT = 20
#: What is called growth: more than this part of what it was, and …
MIN_SHARE = 0.2
#: … more than this part of all phases together in the stage of the most load, for what nobody waits for is no
#: bottleneck …
MIN_WORTH = 0.01
#: … and more than so many standard errors of the difference. Answers under load resemble the ones before them, so that
#: the usual 2 would too often take a queue's swing for growth.
NOISE = 3.0
_NAME = 12
_CELL = 14


@dataclass(frozen=True, slots=True)
class Column:
    """A stage whose requests reported phases.

    ``load`` is its mean number of users or arrivals a second, ``words`` says it with its unit; ``phases`` are DISTs.
    """

    index: int
    name: str
    group: tuple[str, str]
    """The stage's pool (empty for the whole run) and the load's unit: only loads of one group compare."""
    load: float
    words: str
    phases: dict[str, dict[str, Any]]

    @property
    def requests(self) -> int:
        """Return how many requests, at least, reported phases."""
        return max(int(dist["count"]) for dist in self.phases.values())


@dataclass(frozen=True, slots=True)
class Growth:
    """A phase's mean duration in the stage of the least load and in that of the most, in ms."""

    phase: str
    least_ms: float
    most_ms: float
    least: Column
    most: Column

    def __str__(self) -> str:
        before, after = f"{ms(self.least_ms)} at {self.least.words}", f"{ms(self.most_ms)} at {self.most.words}"
        return f"{fit(self.phase, 40)} grew most: {before} to {after}"


def phases_of(metrics: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the DIST of each phase of METRICS, the unexplained rest among them; empty without phases."""
    found = {name: dist for name, dist in metrics["phases_ms"].items() if dist}
    if found and metrics["unattributed_ms"]:
        found[UNATTRIBUTED] = metrics["unattributed_ms"]
    return found


def spent_on(phases: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Return the milliseconds of all requests together, by phase."""
    return {name: dist["mean"] * dist["count"] for name, dist in phases.items()}


def columns(summary: Mapping[str, Any]) -> list[Column]:
    """Return the stages of a summary that have phases, in order."""
    made = (column(stage, *load_of(summary, stage)) for stage in summary["stages"])
    return [found for found in made if found is not None]


def column(stage: Mapping[str, Any], load: float, words: str) -> Column | None:
    """Return a stage with its load; None if its requests reported no phases."""
    phases = phases_of(stage)
    if not phases:
        return None
    return Column(stage["index"], stage["name"], (stage.get("pool") or "", stage["unit"]), load, words, phases)


def extremes(found: Sequence[Column]) -> list[tuple[Column, Column]]:
    """Return the stages of least and most load, of each group with two different loads and enough requests."""
    enough = sorted((column for column in found if column.requests >= MIN_COUNT), key=lambda column: column.group)
    pairs = []
    for _, group in groupby(enough, key=lambda column: column.group):
        same = list(group)
        least = min(same, key=lambda column: (column.load, -column.requests))
        most = max(same, key=lambda column: (column.load, column.requests))
        if least.load < most.load:
            pairs.append((least, most))
    return pairs


def growths(pairs: Sequence[tuple[Column, Column]]) -> list[Growth]:
    """Return every phase that grew from the least load to the most, the one that grew by most ms first."""
    found = [
        Growth(name, dist["mean"], most.phases[name]["mean"], least, most)
        for least, most in pairs
        for name, dist in least.phases.items()
        if name in most.phases and _grew(dist, most.phases[name], MIN_WORTH * _whole_ms(most))
    ]
    return sorted(found, key=lambda growth: growth.least_ms - growth.most_ms)


def grown_most(before: Column, after: Column) -> tuple[str, float] | None:
    """Return the phase that grew by most ms from one stage to another, and how many times what it was it is; None if
    none grew beyond noise.
    """
    grown = growths([(before, after)])
    if not grown or not grown[0].least_ms:
        return None
    return grown[0].phase, grown[0].most_ms / grown[0].least_ms


def phases_by_stage(page: Page, summary: Mapping[str, Any]) -> None:
    """Add a table of mean durations and shares of the latency, and a line that names the phase that grew most."""
    found = columns(summary)
    if len(found) < 2:
        return
    pairs = extremes(found)
    room = max(2, (page.width - len(INDENT) - _NAME) // (_CELL + 2))
    shown = _shown(found, {column.index for pair in pairs for column in pair}, room)
    page.section("phases by stage", "mean, share of the latency")
    page.table(_rows(shown, _most_first(found)), lambda i: "" if i else "dim", first_min=_NAME)
    if len(shown) < len(found):
        page.prose(f"only the most telling stages; {count(len(found) - len(shown))} more are in the summary", "dim")
    _verdict(page, pairs)


def _rows(shown: Sequence[Column], names: Sequence[str]) -> list[list[str]]:
    """Return the cells: stages, their loads, and a line for each phase."""
    stages = ["", *(fit(column.name, _CELL) for column in shown)]
    loads = ["", *(fit(column.words, _CELL) for column in shown)]
    parts = [_shares(column) for column in shown]
    return [stages, loads] + [
        [name, *(_cell(column.phases.get(name), part.get(name)) for column, part in zip(shown, parts, strict=True))]
        for name in names
    ]


def _verdict(page: Page, pairs: Sequence[tuple[Column, Column]]) -> None:
    grown = growths(pairs)
    if grown:
        page.prose(str(grown[0]), "bold")
    elif pairs:
        least, most = pairs[0]
        page.prose(f"no phase grew by over {MIN_SHARE:.0%} and beyond noise from {least.words} to {most.words}")


@dataclass(slots=True)
class Driven:
    """The users that were wanted in the seconds of a stage of the whole run.

    Not the users there were: these include users of open pools, whose number is not planned.
    """

    low: float = math.inf
    high: float = 0.0
    total: float = 0.0
    seconds: int = 0
    manual: bool = False
    """Any of them was set manually."""

    def add(self, wanted: float, *, manual: bool) -> None:
        """Add a second after the warm-up."""
        users = round(wanted)
        self.low, self.high = min(self.low, users), max(self.high, users)
        self.total += users
        self.seconds += 1
        self.manual = self.manual or manual


def load_of(summary: Mapping[str, Any], stage: Mapping[str, Any]) -> tuple[float, str]:
    """Return the load of a stage with its text: as planned, or as it was if it rose, fell or was set manually."""
    return load_words(stage, _driven(summary, stage))


def load_words(stage: Mapping[str, Any], driven: Driven) -> tuple[float, str]:
    """Return the same of a stage that is not of a summary; of ``driven`` a stage of one pool has no seconds."""
    low, high = sorted((stage["target_start"], stage["target_end"]))
    mean = (low + high) / 2
    if stage["unit"] != "users":
        return mean, f"{low:g}/s" if low == high else f"{low:g}–{high:g}/s"
    if driven.seconds and (low < high or driven.manual):
        low, high, mean = driven.low, driven.high, driven.total / driven.seconds
    if low == high:
        return mean, f"{count(low)} user{'' if low == 1 else 's'}"
    return mean, f"{count(low)}–{count(high)} users"


def _driven(summary: Mapping[str, Any], stage: Mapping[str, Any]) -> Driven:
    found = Driven()
    if stage.get("pool"):
        return found
    timeline, warmup_s = summary["timeline"], summary["run"].get("warmup_s", 0.0)
    manual = timeline.get("manual")
    for second, (index, t_s) in enumerate(zip(timeline["stage"], timeline["t_s"], strict=True)):
        if index == stage["index"] and t_s > warmup_s:
            found.add(timeline["target"][second], manual=bool(manual) and bool(manual[second]))
    return found


def _whole_ms(column: Column) -> float:
    """Return the mean time of all phases of a stage together: the latency, as far as requests report phases."""
    return sum(spent_on(column.phases).values()) / max(column.requests, 1)


def _grew(before: Mapping[str, Any], after: Mapping[str, Any], least_ms: float) -> bool:
    if min(before["count"], after["count"]) < MIN_COUNT:
        return False
    gap = after["mean"] - before["mean"]
    error = math.sqrt(sum(dist["stddev"] ** 2 / dist["count"] for dist in (before, after)))
    return bool(gap > max(MIN_SHARE * before["mean"], NOISE * error, least_ms))


def _shown(found: Sequence[Column], compared: set[int], room: int) -> list[Column]:
    """Return as many columns as there is room for: the compared ones, then those with the most requests; in order."""
    ranked = sorted(found, key=lambda column: (column.index not in compared, -column.requests))
    kept = {column.index for column in ranked[:room]}
    return [column for column in found if column.index in kept]


def _most_first(found: Sequence[Column]) -> list[str]:
    whole: dict[str, float] = {}
    for column in found:
        for name, spent in spent_on(column.phases).items():
            whole[name] = whole.get(name, 0.0) + spent
    return sorted(whole, key=lambda name: -whole[name])


def _shares(column: Column) -> dict[str, float]:
    spent = spent_on(column.phases)
    whole = sum(spent.values()) or 1.0
    return {name: part / whole for name, part in spent.items()}


def _cell(dist: Mapping[str, Any] | None, part: float | None) -> str:
    return "-" if dist is None else f"{ms(dist['mean'])} {share(part):>6}"
