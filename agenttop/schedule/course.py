"""Plans that are edited while they are driven: the past stays as it was, the rest is new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agenttop.schedule.stages import Ramp, Stage

#: Among the courses of a :class:`~agenttop.schedule.control.Control`: that of the run; others are by the pool's index.
RUN = -1


@dataclass(frozen=True, slots=True)
class Leg:
    """One stage as it is driven; its requests count under the stage of this ``index``."""

    duration: float
    target: float
    step: bool
    index: int


def ramp_of(legs: Sequence[Leg]) -> Ramp:
    """Return the ramp along the legs, from a target of 0 on."""
    return Ramp([Stage(leg.duration, leg.target, leg.step) for leg in legs])


# At the plan time p within a leg that begins at s with the value a and goes to b, v = value(p):
#
#     leg        before p                    after p
#     linear     p − s seconds, a → v        the first new leg, from v on
#     step       p − s seconds at b          likewise
#
# A piece of a straight line is on that line, so what has been does not change; the new first leg begins at v, for the
# old piece ends there, so that nothing jumps where it is linear. Where p is past the end, the value (of an open pool
# nothing, for a rate ends with its plan) is held from the end to p.


def cut(legs: Sequence[Leg], plan_time: float, *, open: bool = False) -> tuple[Leg, ...]:
    """Return the legs up to ``plan_time``, with the one under way cut there. ``open``: their target is a rate."""
    ramp = ramp_of(legs)
    at = ramp.stage_at(plan_time)
    if at < 0:
        rest = plan_time - ramp.duration
        held = 0.0 if open else ramp.at(plan_time)
        return (*legs, Leg(rest, held, True, legs[-1].index)) if rest > 0 and legs else tuple(legs)
    leg, begin = legs[at], ramp.bounds[at][0]
    before = legs[at - 1].target if at else ramp.start
    now = ramp.at(plan_time)
    if plan_time <= begin and now == before:
        return tuple(legs[:at])
    # One that has only just begun with a step is a jump of no duration: it is where the target is now.
    return (*legs[:at], Leg(max(plan_time - begin, 0.0), now, leg.step, leg.index))


def value(legs: Sequence[Leg], plan_time: float, *, open: bool = False) -> float:
    """Return the target at ``plan_time``. ``open``: it is a rate, 0 after the end."""
    ramp = ramp_of(legs)
    return 0.0 if open and plan_time >= ramp.duration else ramp.at(plan_time)
