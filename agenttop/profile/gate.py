"""Checks ``[gate]`` against the rest of a profile, and says what of it a comparison is asked."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from agenttop.expressions.nearest import nearest
from agenttop.metrics.catalogue import CATALOGUE, OWN_DISTRIBUTIONS
from agenttop.profile.certificates import located, unreadable
from agenttop.profile.model import Gate as Table
from agenttop.profile.model import Profile
from agenttop.profile.problems import Fault, Loc
from agenttop.profile.thresholds import names_of
from agenttop.quality.margins import LAST, LAST_PASSED, Gate, Regress, regress_of, score_drop

#: Bases that are looked for among the runs of this machine.
RUNS = (LAST, LAST_PASSED)
_MORE = ("capacity", "cost_usd", "error_rate", "goodput", "phase", "rate_limit", "rate_limited", "rps", "tokens")
#: Figures of a distribution, and what of them no other figure has.
_STATS = ("p50", "p75", "p90", "p95", "p99", "p99_9", "p999", "med", "mean", "avg", "stddev", "min", "max", "count")
_OF_MANY = re.compile(r"p\d+(_\d+)?|med|avg|stddev|min|max")


def bases_of(gate: Table) -> list[str]:
    """Return what a gate compares with, as it is written."""
    return [gate.base] if isinstance(gate.base, str) else list(gate.base)


def allowed(gate: Table) -> Gate:
    """Return what head may be worse by."""
    drops = dict(score_drop(text) for text in gate.max_score_drop)
    regress = tuple(regress_of(figure, margin) for figure, margin in gate.max_regress.items())
    return Gate(drops, regress, gate.strict)


def check_gate(profile: Profile, slices: Collection[str] | None, path: Path) -> Iterator[Fault]:
    """Yield the faults of the gate of a profile at ``path``, sound by itself, whose cases have these slices (None: no
    case could be read).
    """
    gate = profile.gate
    if gate is None:
        return
    if not gate.max_score_drop and not gate.max_regress:
        yield Fault(("gate",), 'says nothing that could block; write max_score_drop = "2%", or max_regress')
    yield from _bases(gate, path)
    if gate.max_score_drop and profile.quality is None:
        yield Fault(("gate", "max_score_drop"), "nothing is graded; write [quality] with its cases")
    elif slices is not None:
        for name in allowed(gate).score_drops:
            if name and name not in slices:
                text = f'no case is in a slice "{name}"{nearest(name, slices)}'
                yield Fault(("gate", "max_score_drop"), text)
    if len(allowed(gate).score_drops) < len(gate.max_score_drop):
        yield Fault(("gate", "max_score_drop"), "has two margins for one score; leave one of them")
    for wanted in allowed(gate).regress:
        problem = _problem(wanted, profile)
        if problem:
            yield Fault(("gate", "max_regress"), f"{wanted.figure}: {problem}")


def _bases(gate: Table, path: Path) -> Iterator[Fault]:
    names = bases_of(gate)
    if not names:
        yield Fault(("gate", "base"), 'names nothing; write base = "last-passed", or a file')
    for index, name in enumerate(names):
        loc: Loc = ("gate", "base") if isinstance(gate.base, str) else ("gate", "base", index)
        if not name:
            yield Fault(loc, 'names nothing; write base = "last-passed", or a file')
            continue
        if name in RUNS:
            if len(names) > 1:
                yield Fault(loc, f"{name} stands alone; several runs are several files")
            continue
        problem = unreadable(located(path.resolve().parent, name), name)
        if problem is not None:
            yield Fault(loc, problem + nearest(name, RUNS))


def _problem(wanted: Regress, profile: Profile) -> str:
    """Return what keeps a figure from being compared; empty if nothing does."""
    known = {*CATALOGUE, *_MORE}
    if wanted.metric not in known and not wanted.metric.startswith("phase."):
        return f"there is no such figure{nearest(wanted.metric, known)}"
    if wanted.metric in OWN_DISTRIBUTIONS or wanted.metric.startswith("phase."):
        if wanted.stat not in _STATS:
            return f"has no such statistic; write such as {wanted.metric}.p95"
    elif wanted.metric == "phase":
        return f"a phase has several figures; write such as phase.{wanted.stat or 'llm_call'}.p95"
    elif _OF_MANY.fullmatch(wanted.stat):
        return f"{wanted.metric} is one figure, and has no {wanted.stat}"
    if wanted.metric == "capacity" and profile.search is None:
        return "nothing is searched; write [search], or run agenttop capacity"
    if wanted.metric == "goodput" and not profile.objectives.limits_ns:
        return "needs [objectives]"
    if wanted.metric == "cost_usd" and (profile.budget is None or profile.budget.price is None):
        return "needs a price in [budget]"
    names = names_of(profile)
    if wanted.kind == "pools" and wanted.name not in names.pools:
        return f'no pool is called "{wanted.name}"{nearest(wanted.name, names.pools)}'
    if wanted.kind == "requests" and not any(pool.python for pool in profile.pools):
        requests = {f"{pool}/{name}": name for pool, name in names.requests}
        if wanted.name not in {*requests, *requests.values()}:
            return f'no request is called "{wanted.name}"{nearest(wanted.name, requests.values())}'
    return ""
