"""Writes the profile that repeats a run as it was steered, from what the run has left behind."""

from __future__ import annotations

import contextlib
import copy
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from agenttop.journal.journal import read_seconds
from agenttop.journal.places import SUMMARY
from agenttop.journal.replayed_plan import NotRepeatable, Steered, end_of_plan, followed, steered
from agenttop.journal.summarize import RunHeader
from agenttop.profile import model
from agenttop.profile.gate import RUNS
from agenttop.profile.problems import Loc, key_text
from agenttop.profile.secrets import MASK
from agenttop.report.summary import SummaryError, load_summary
from agenttop.schedule.quantities import parse_duration
from agenttop.steering.plan import Plan

#: A run ends so long after its limit at most: its controller looks at the clock 20 times a second.
LATE_S = 1.0
#: Keys whose values are paths beside the profile.
_PATHS = frozenset({"file", "ca", "cert", "key"})


class NothingDriven(ValueError):
    """The run has not sent anything yet."""


@dataclass(frozen=True, slots=True)
class Left:
    """What a run left behind. ``ended_s`` is when its sending ended, as far as that is known."""

    header: RunHeader
    commands: list[dict[str, Any]]
    ended_s: float
    completed: bool


class _Moment(msgspec.Struct):
    t_s: float
    state: str = "running"


class _Driven(msgspec.Struct):
    """The controls of a second; skipping the rest is much quicker than decoding it."""

    situation: _Moment
    controls: list[dict[str, Any]] = []
    sending_ended_s: float | None = None


def left_by(directory: Path) -> Left:
    """Read what a run left behind: its summary if there is one, else its journal.

    Raises:
        OSError: there is no journal.
        JournalError: it is none.
    """
    seconds = read_seconds(directory, _Driven)
    header = next(seconds)
    assert isinstance(header, RunHeader)
    with contextlib.suppress(OSError, SummaryError):
        summary = load_summary(directory / SUMMARY)
        run = summary["run"]
        if not run.get("incomplete"):
            seconds.close()
            ended_s = run["warmup_s"] + run["measured_s"] if run["measured_s"] else run["duration_s"]
            return Left(header, summary["controls"], ended_s, run["stop_reason"] == "completed")
    commands: list[dict[str, Any]] = []
    ended_s = 0.0
    for second in seconds:
        assert isinstance(second, _Driven)
        commands += second.controls
        if second.sending_ended_s is not None:
            ended_s = second.sending_ended_s
        elif second.situation.state not in ("draining", "done"):
            ended_s = second.situation.t_s
    return Left(header, commands, ended_s, completed=False)


def plan_of(header: RunHeader) -> Plan:
    """Return the plan of a run, without its profile's secrets.

    Raises:
        NotRepeatable: a weight was one of them.
    """

    written = header.layout.stages
    # Rounded, a boundary would be another moment than the one a command was given at.
    durations_s = header.durations_s or tuple(stage.end_s - stage.start_s for stage in written)

    def stages(pool: str | None) -> list[model.Stage]:
        return [
            model.Stage.model_construct(
                duration=durations_s[stage.index],
                users=stage.target_end if stage.unit == "users" else None,
                rate=stage.target_end if stage.unit == "rate" else None,
                ramp="step" if stage.step else "linear",
            )
            for stage in written
            if stage.pool == pool
        ]

    weights = [_weight(pool, len(header.layout.pools)) for pool in header.profile.get("pools", ())]
    pools = [
        model.Pool.model_construct(name=pool.name, weight=weight, stages=stages(pool.name))
        for pool, weight in zip(header.layout.pools, weights, strict=True)
    ]
    return Plan(model.Profile.model_construct(stages=stages(None), pools=pools), header.layout)


def _weight(pool: dict[str, Any], pools: int) -> float:
    written = pool.get("weight", 1)
    if isinstance(written, str) and pools == 1:
        return 1.0  # it shares with nobody
    try:
        return float(written)
    except ValueError:
        text = f"the weight of {pool.get('name')} came from the environment, and nobody knows it any more"
        raise NotRepeatable(f"{text}; write it into the profile and run that") from None


def driven(left: Left) -> tuple[Steered, float]:
    """Return the stages that drive the run again, and its length in seconds.

    Raises:
        NotRepeatable: what drove it cannot be told, or it was a search.
        NothingDriven: it did not.
    """
    if "search" in left.header.profile:
        path = os.path.join(left.header.folder, left.header.info.profile)
        text = "it was a search for capacity, which sets the load itself, so that there are no stages to write down"
        raise NotRepeatable(f"{text}; search again: agenttop capacity --profile {path}")
    plan = plan_of(left.header)
    controls, plan = followed(plan, left.commands)
    natural, limit_s, end_s = end_of_plan(plan, controls), left.header.info.duration_s, left.ended_s
    if natural is not None and end_s >= natural - 0.001:
        end_s = natural
    elif left.completed and limit_s <= end_s <= limit_s + LATE_S:
        end_s = limit_s
    if end_s <= 0:
        raise NothingDriven("nothing was driven yet")
    return steered(plan, controls, end_s), end_s


def rewritten(header: RunHeader, found: Steered, end_s: float) -> tuple[dict[str, Any], list[str]]:
    """Return the tables of the profile, and notes about them."""
    table = copy.deepcopy(header.profile)
    for loc, text in header.references:
        _put(table, loc, text)
    masks = [key_text(loc) for loc, value in _texts(table, ()) if MASK in value]
    notes = [f"*** stands where the run had a secret: {key}" for key in masks]
    if header.folder:
        _make_absolute(table, header.folder)
    if found.own or found.shared is not None:
        for key in ("users", "duration", "stages"):
            table.pop(key, None)
    elif "users" in table:
        table.pop("stages", None)  # the short form, written out
    if found.shared is not None:
        table["stages"] = found.shared
    for pool, info in zip(table.get("pools", ()), header.layout.pools, strict=True):
        if info.name in found.pools:
            pool["stages"] = found.pools[info.name]
    if found.paused:
        notes.append(
            "New work was paused for a while: written down as a target of 0, as near as a profile comes to it."
        )
    if found.lines:
        notes.append("Ramps that pools shared while one was set by hand are a line for each: true to a user or two.")
    with contextlib.suppress(ValueError):
        if parse_duration(table.get("warmup", "0s")) >= end_s:
            table["warmup"] = "0s"
            notes.append("The run ended within its warm-up, which is left out.")
    return table, notes


def _put(table: Any, loc: Loc, text: str) -> None:
    """Write a text where the profile had it; do nothing if the place is not there any more."""
    with contextlib.suppress(KeyError, IndexError, TypeError):
        for part in loc[:-1]:
            table = table[part]
        if isinstance(table[loc[-1]], str):
            table[loc[-1]] = text


def _texts(value: Any, loc: Loc) -> Iterator[tuple[Loc, str]]:
    if isinstance(value, str):
        yield loc, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _texts(item, (*loc, key))


def _make_absolute(table: dict[str, Any], folder: str) -> None:
    """Make the paths in it absolute: the profile will stand somewhere else."""
    pools = [pool for pool in table.get("pools", ()) if isinstance(pool, dict)]
    holders = [table.get("tls"), *(pool.get("data") for pool in pools)]
    holders += [task.get("data") for pool in pools for task in pool.get("tasks", ())]
    for holder in holders:
        if not isinstance(holder, dict):
            continue
        for key in _PATHS & set(holder):
            holder[key] = _absolute(holder[key], folder)
    quality = table.get("quality")
    for owner, key in (
        *((pool, "python") for pool in pools),
        (quality, "cases"),
        (quality.get("judge") if isinstance(quality, dict) else None, "calibration"),
        (table.get("gate"), "base"),
    ):
        if isinstance(owner, dict) and key in owner:
            owner[key] = _absolute(owner[key], folder)


def _absolute(path: Any, folder: str) -> Any:
    if isinstance(path, list):
        return [_absolute(each, folder) for each in path]
    # A path out of the environment may be absolute already; some words for runs stand where paths do.
    known = isinstance(path, str) and not path.startswith("${") and path not in RUNS
    return os.path.join(folder, path) if known else path
