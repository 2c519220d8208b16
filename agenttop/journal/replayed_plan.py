"""Computes what a run was really driven to, as the stages of a plan that need no steering.

A run is its plan and the commands it was given: from these two the controls are known at every moment, and from them
what was wanted (``schedule.control``), so that nothing has to be read off a timeline. Between two commands a target is
constant (set by hand, held, paused) or follows stages of the plan, shifted in time by what was held and jumped before.

    shared users      one line, unless a pool that shares was set by hand: then a line for each of these pools, in whole
                      users, for shares among fewer pools would be others
    a pool's users    a line      ┐ of each pool with stages of its own
    a pool's rate     a line      ┘
    paused            0: no new work was begun. Users stood by and kept their sessions; a plan has no word for that
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from agenttop.journal.plan_pieces import Piece, rate_stages, users_stages
from agenttop.schedule.control import Control, wanted_users
from agenttop.schedule.course import RUN, ramp_of
from agenttop.schedule.stages import Ramp
from agenttop.steering.apply import Rejected, steer
from agenttop.steering.command import Command, CommandError, parse_command
from agenttop.steering.effects import index_of
from agenttop.steering.plan import Plan
from agenttop.steering.user_policy import Unfit, apply_user_policy

#: Commands that change what users do, and not what is wanted of them.
USER_POLICY = ("think", "pacing", "on_429")
#: Times this close, in seconds, are the same.
_TOUCHING_S = 1e-9
#: A ramp through more users than this, in one stage and shared by pools, is written as a line for each of them: a run
#: keeps figures of every stage.
LONG_RAMP = 100
_BEFORE_S = 1e-6


#: What is set by hand of a line; None where the plan has it.
ManualValue = Callable[[Control], float | None]


class NotRepeatable(ValueError):
    """What drove the run cannot be told from its commands; the message says which."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch between two commands with its controls; seconds since the run began."""

    start_s: float
    end_s: float
    control: Control


@dataclass(frozen=True, slots=True)
class Steered:
    """Stages for a profile, of the run and by pool; stages that nothing has changed are not there."""

    shared: list[dict[str, Any]] | None
    pools: dict[str, list[dict[str, Any]]]
    own: bool
    """No pool shares the run's stages any more."""
    paused: bool
    """The run was paused at some time, which is written as a target of 0."""
    lines: bool = False
    """Ramps that several pools shared are lines for each of them, true to a user or two."""


def controls_of(plan: Plan, commands: Sequence[Mapping[str, Any]]) -> list[tuple[float, Control]]:
    """Return when which controls began to hold, from the ``controls`` of a summary or a journal.

    Raises like :func:`followed`.
    """
    return followed(plan, commands)[0]


def followed(plan: Plan, commands: Sequence[Mapping[str, Any]]) -> tuple[list[tuple[float, Control]], Plan]:
    """Return when which controls began to hold, and the plan as it was edited.

    What was driven of a plan is in the edited one as well, so that this holds for the whole run.

    Raises:
        NotRepeatable: one of them is no command of ours, or makes no sense for this plan.
    """
    control = Control()
    found = [(0.0, control)]
    for entry in commands:
        text, t_s = str(entry["command"]), float(entry["t_s"])
        try:
            command = parse_command(text)
            if command.op in ("box", "start", "stop", "status"):
                continue
            if command.op in USER_POLICY:
                # Whether anything changed was seen when it was given.
                pool = index_of(command.pool, plan.layout)
                found.append((t_s, control := apply_user_policy(command, control, plan.layout.pools, pool)[0]))
                continue
            if command.op in ("users", "rate"):
                # What came of it stands there; what it was relative to need not be worked out.
                command = Command(command.op, float(entry["to"]), False, command.pool)
            change = steer(command, control, plan, t_s)
            control = change.control
            if change.stages is not None:
                plan = plan.under(control, replace(plan.layout, stages=change.stages))
        except (CommandError, Rejected, Unfit, TypeError, ValueError) as error:
            raise NotRepeatable(f"{text} at {t_s:g} s: {error}") from None
        found.append((t_s, control))
    return found, plan


def end_of_plan(plan: Plan, controls: Sequence[tuple[float, Control]]) -> float | None:
    """Return when the plan's clock comes to its end by itself; None while it is held."""
    _, control = controls[-1]
    return plan.duration_s - control.shift if control.held_at is None else None


def steered(plan: Plan, controls: Sequence[tuple[float, Control]], end_s: float) -> Steered:
    """Return the stages that give the same targets from the run's begin to ``end_s``."""
    begins = [begin for begin, _ in controls] + [end_s]
    spans = [
        Span(begin, min(begins[number + 1], end_s), control)
        for number, (begin, control) in enumerate(controls)
        if min(begins[number + 1], end_s) > begin
    ]
    sharing = [index for index, pool in enumerate(plan.pools) if not pool.open and pool.ramp is None]
    apart = any(index in span.control.pool_users for span in spans for index in sharing)
    pools: dict[str, list[dict[str, Any]]] = {}
    shared: list[dict[str, Any]] | None = None
    lines = False
    if apart:
        found, lines = _apart(plan, spans, sharing)
        pools = {plan.layout.pools[index].name: users_stages(pieces) for index, pieces in found.items()}
    same = _untouched(spans, plan.ramp, RUN, _shared_manual, end_s)
    if sharing and not apart and not same:
        shared = users_stages(_line(plan, spans, plan.ramp, RUN, _shared_manual))
    # Stages of the run that drive no pool still say how long it lasts.
    idle = plan.ramp is not None and not sharing and not same
    for index, pool in enumerate(plan.pools):
        manual_of = _pool_manual(index, rate=pool.open)
        if pool.ramp is None or (not idle and _untouched(spans, pool.ramp, index, manual_of, end_s)):
            continue
        name = plan.layout.pools[index].name
        pieces = _line(plan, spans, pool.ramp, index, manual_of, rate=pool.open)
        pools[name] = rate_stages(pieces) if pool.open else users_stages(pieces)
    return Steered(shared, pools, apart or idle, any(span.control.paused for span in spans), lines)


def _shared_manual(control: Control) -> float | None:
    return control.users


def _pool_manual(index: int, *, rate: bool) -> ManualValue:
    def users(control: Control) -> float | None:
        return control.pool_users.get(index)

    def rates(control: Control) -> float | None:
        return control.pool_rates.get(index)

    return rates if rate else users


def _untouched(spans: Sequence[Span], ramp: Ramp | None, group: int, manual_of: ManualValue, end_s: float) -> bool:
    """Return whether a line is the plan's own as it was written, to its end."""
    free = all(
        not span.control.paused
        and span.control.held_at is None
        and not span.control.shift
        and group not in span.control.courses
        and manual_of(span.control) is None
        for span in spans
    )
    return free and ramp is not None and ramp.duration <= end_s + _TOUCHING_S


# -- lines


def _line(
    plan: Plan,
    spans: Sequence[Span],
    ramp: Ramp | None,
    group: int,
    manual_of: ManualValue,
    *,
    rate: bool = False,
) -> list[Piece]:
    """Return a target over the whole run, equal neighbours joined."""
    names = _names(plan, group)
    pieces: list[Piece] = []
    joined: list[tuple[Span, tuple[Any, ...]]] = []
    for span in spans:
        control = span.control
        held = None if control.held_at is None else (control.held_at, control.courses.get(group))
        key = (control.paused, manual_of(control), held, 0.0 if held is not None else control.shift)
        if joined and joined[-1][1] == key:
            # Some other line has changed here.
            span = Span(joined.pop()[0].start_s, span.end_s, control)
        joined.append((span, key))
    for span, _ in joined:
        control, manual = span.control, manual_of(span.control)
        if control.paused:
            pieces.append(Piece(span.start_s, span.end_s, 0.0, 0.0, "paused"))
        elif manual is not None:
            pieces.append(Piece(span.start_s, span.end_s, manual, manual, "manual"))
        elif ramp is None:
            pieces.append(Piece(span.start_s, span.end_s, 0.0, 0.0, "none"))
        elif control.held_at is not None:
            # Where it stands may be where it was edited later: as it was then, the new stage had not begun.
            then = ramp_of(plan.under(control).courses[group])
            value = then.at(control.held_at) if control.held_at < then.duration or not rate else 0.0
            pieces.append(Piece(span.start_s, span.end_s, value, value, "held"))
        else:
            pieces += _along(ramp, names, span, after=0.0 if rate else ramp.at(ramp.duration))
    return pieces


def _along(ramp: Ramp, names: Sequence[str], span: Span, after: float) -> Iterator[Piece]:
    """Yield the pieces of a running plan in a span; ``after`` is the value once its stages are over."""
    shift = span.control.shift
    value = ramp.start
    for stage, (begin, end), name in zip(ramp.stages, ramp.bounds, names, strict=True):
        first = stage.target if stage.step else value
        value = stage.target
        start_s, end_s = max(begin - shift, span.start_s), min(end - shift, span.end_s)
        if end_s <= start_s:
            continue

        rise = (value - first) / (end - begin)
        # Where it is cut by nobody, its ends are what the plan says and not what rounding makes of it.
        yield Piece(
            start_s,
            end_s,
            first if start_s == begin - shift else first + rise * (start_s + shift - begin),
            value if end_s == end - shift else first + rise * (end_s + shift - begin),
            name,
        )
    start_s = max(ramp.duration - shift, span.start_s)
    if span.end_s > start_s:
        yield Piece(start_s, span.end_s, after, after, "end")


def _apart(plan: Plan, spans: Sequence[Span], sharing: Sequence[int]) -> tuple[dict[int, list[Piece]], bool]:
    """Return the users of each sharing pool, a piece for every number it had, and whether any piece is a
    sloping line.
    """
    found: dict[int, list[Piece]] = {index: [] for index in sharing}
    lines = False
    for span in spans:
        then = plan if span.control.held_at is None else plan.under(span.control)
        for start_s, end_s, line in _parts(plan.ramp, span):
            lines = lines or line
            times = (start_s, end_s - _BEFORE_S) if line else ((start_s + end_s) / 2,)
            users = [wanted_users(then.pools, then.ramp, span.control, t_s) for t_s in times]
            for index in sharing:
                first, last = (0.0 if span.control.paused else float(users[at][index]) for at in (0, -1))
                pieces = found[index]
                same = bool(pieces) and pieces[-1].first == pieces[-1].last == first == last
                begin_s = pieces.pop().start_s if same else start_s
                pieces.append(Piece(begin_s, end_s, first, last, ""))
    return found, lines


def _parts(ramp: Ramp | None, span: Span) -> Iterator[tuple[float, float, bool]]:
    """Yield parts of a span in which a ramp has one whole number, or (True) goes through many in a line."""
    control, start_s = span.control, span.start_s
    runs = ramp is not None and control.held_at is None and control.users is None and not control.paused
    while start_s < span.end_s:
        end_s, line = span.end_s, False
        if runs and ramp is not None:
            plan_s = start_s + control.shift
            at = ramp.stage_at(plan_s)
            stage_end_s = min(end_s, ramp.bounds[at][1] - control.shift) if at >= 0 else start_s
            beyond = ramp.at(stage_end_s - _BEFORE_S + control.shift) - ramp.at(plan_s)
            line = stage_end_s > start_s + _BEFORE_S and abs(beyond) > LONG_RAMP
            change_s = ramp.next_change(plan_s) - control.shift
            end_s = stage_end_s if line else min(end_s, max(change_s, math.nextafter(start_s, math.inf)))
        yield start_s, end_s, line
        start_s = end_s


def _names(plan: Plan, group: int) -> list[str]:
    """Return the names as a profile has them: a layout puts the pool's name before those of its own stages."""
    own = f"{plan.layout.pools[group].name}/" if group != RUN else ""
    return [plan.layout.stages[leg.index].name.removeprefix(own) for leg in plan.courses.get(group, ())]
