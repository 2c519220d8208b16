"""The levels of load of a plan: spans with one number of users each, which answers are counted under.

A level is a stage; a stage that ramps is cut in quarters (``NAME 1/4`` …), since in it the load is another all the
time. Times are seconds on the plan's own clock.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from agenttop.schedule.control import Control, PoolPlan, wanted_users
from agenttop.schedule.course import RUN, Leg, ramp_of
from agenttop.schedule.stages import Ramp

#: The level of requests sent while users or rates are set by hand.
MANUAL = "manual"
#: Parts that a ramp is cut in.
PARTS = 4
#: Between the stages of courses that go on at once.
JOIN = " + "
#: What tells the second level of a name from the first.
_NUMBER = re.compile(r" \(\d+\)$")
#: Spans shorter than this (seconds) are nobody's: boundaries that differ by rounding alone.
_SHORTEST = 1e-6

# Where pools have stages of their own, several courses go on at once. Each with more than one stage speaks: its
# boundaries are those of levels, and its stage is in their names, joined by " + ". A course of one stage, such as that
# of a pool that asks the cases at an even pace beside others, says nothing, unless no course has more.


@dataclass(frozen=True, slots=True)
class Level:
    """One level of load."""

    name: str
    users: int = 0
    """Users of all closed pools; those in the middle of a ramp's quarter."""
    rate: float = 0.0
    """Iterations per second of all open pools, likewise."""
    begin_s: float = 0.0
    end_s: float = 0.0
    stages: tuple[str, ...] = ()
    """The names of all stages under way, those of a course that says nothing too."""

    @property
    def load(self) -> tuple[int, float]:
        """Return what levels are compared by: more users are more load, and of as many the higher rate."""
        return self.users, self.rate


class Levels:
    """The levels of one plan, in their order; there is at least one.

    Args:
        pools: of the plan, with their ramps.
        courses: the plan's legs, by the pool's index or ``course.RUN``.
        names: of the stages, by the index of a leg.
    """

    def __init__(
        self, pools: Sequence[PoolPlan], courses: Mapping[int, Sequence[Leg]], names: Mapping[int, str]
    ) -> None:
        self._pools = pools
        self._ramp = ramp_of(courses[RUN]) if RUN in courses else None
        self.all: tuple[Level, ...] = _unique(self._spans(courses, names)) or (Level("run"),)
        self._ends = [level.end_s for level in self.all]

    def at(self, plan_time: float) -> Level:
        """Return the level under way at a plan time; after the end the last."""
        return self.all[min(bisect_right(self._ends, plan_time), len(self.all) - 1)]

    def level_at(self, elapsed: float, control: Control, *, searching: bool = False) -> Level:
        """Return the level ``elapsed`` seconds after the run began.

        What a search sets is a level of its own, named by its load; what somebody sets by hand is ``manual``.
        """
        by_hand = control.users is not None or control.pool_users or control.pool_rates
        if not by_hand:
            return self.at(control.plan_time(elapsed))
        users, rate = self._load(control.plan_time(elapsed), control)
        if not searching:
            return Level(MANUAL, users, rate)
        rates = ", ".join(f"{value:g}/s" for value in control.pool_rates.values())
        return Level(rates or f"{users} users", users, rate)

    @property
    def lowest(self) -> tuple[Level, ...]:
        """Return the levels of the least load: the control, whose cases are asked twice."""
        least = min(level.load for level in self.all)
        return tuple(level for level in self.all if level.load == least)

    def _load(self, plan_time: float, control: Control) -> tuple[int, float]:
        """Return users and rate; ``plan_time`` is where the plan's clock is."""
        still = replace(control, shift=0.0, held_at=None)
        users = sum(wanted_users(self._pools, self._ramp, still, plan_time))
        rate = 0.0
        for index, pool in enumerate(self._pools):
            if pool.open:
                over = pool.ramp is None or plan_time >= pool.ramp.duration
                rate += control.pool_rates.get(index, 0.0 if over or pool.ramp is None else pool.ramp.at(plan_time))
        return users, rate

    def _spans(self, courses: Mapping[int, Sequence[Leg]], names: Mapping[int, str]) -> list[Level]:
        speaking = {group: legs for group, legs in courses.items() if sum(leg.duration > 0 for leg in legs) > 1}
        if not speaking:
            speaking = dict(list(courses.items())[:1])
        ramps = {group: ramp_of(legs) for group, legs in courses.items() if legs}
        bounds = sorted({0.0} | {time for group in speaking if group in ramps for time in _bounds(ramps[group])})
        spans = []
        for begin, end in pairwise(bounds):
            if end - begin < _SHORTEST:
                continue
            middle = (begin + end) / 2
            said = JOIN.join(_name(legs, ramps[group], middle, names) for group, legs in speaking.items() if legs)
            users, rate = self._load(middle, Control())
            under_way = (_stage(courses[group], ramp, middle) for group, ramp in ramps.items())
            stages = tuple(dict.fromkeys(_called(names, leg) for leg in under_way))
            spans.append(Level(said, users, rate, begin, end, stages))
        return spans


def is_of(level: str, stage: str) -> bool:
    """Return whether a level is of a stage, by their names: it, a part of its ramp, or joined with others."""
    joined = f"{JOIN}{_NUMBER.sub('', level)}{JOIN}"
    own = (stage, *(_part(stage, part) for part in range(PARTS)))
    return level == stage or any(f"{JOIN}{name}{JOIN}" in joined for name in own)


def _part(stage: str, part: int) -> str:
    """Return the name of a part of a stage that ramps, counted from 0."""
    return f"{stage} {part + 1}/{PARTS}"


def _bounds(ramp: Ramp) -> list[float]:
    """Return where a level begins or ends: at every stage's, and within those that ramp."""
    found = []
    for index, (begin, end) in enumerate(ramp.bounds):
        parts = PARTS if _ramps(ramp, index) else 1
        found += [begin + (end - begin) * part / parts for part in range(parts)]
        found.append(end)
    return found


def _ramps(ramp: Ramp, index: int) -> bool:
    stage = ramp.stages[index]
    before = ramp.stages[index - 1].target if index else ramp.start
    return stage.duration > 0 and not stage.step and stage.target != before


def _stage(legs: Sequence[Leg], ramp: Ramp, time: float) -> Leg:
    """Return the stage of a course at a time; after the end the last."""
    return legs[ramp.stage_at(time)]  # -1 after the end


def _name(legs: Sequence[Leg], ramp: Ramp, time: float, names: Mapping[int, str]) -> str:
    """Return the name of the stage at a time, with its quarter where it ramps; after the end the last one's."""
    index = ramp.stage_at(time)
    if index < 0:
        return _called(names, legs[-1])
    name = _called(names, legs[index])
    if not _ramps(ramp, index):
        return name
    begin, end = ramp.bounds[index]
    return _part(name, min(int((time - begin) / (end - begin) * PARTS), PARTS - 1))


def _called(names: Mapping[int, str], leg: Leg) -> str:
    """Return the name of a stage; one of an edited plan may be known by its number alone."""
    return names.get(leg.index) or f"stage {leg.index + 1}"


def _unique(levels: Sequence[Level]) -> tuple[Level, ...]:
    """Return the levels, each under a name of its own: the second of a name is ``NAME (2)``."""
    taken = {level.name for level in levels}
    seen: Counter[str] = Counter()
    found = []
    for level in levels:
        seen[level.name] += 1
        name, number = level.name, seen[level.name]
        while number > 1 and (name := f"{level.name} ({number})") in taken:
            number += 1
        taken.add(name)
        found.append(replace(level, name=name))
    return tuple(found)
