"""The manual changes of a plan as one frozen value, and the number of users the plan then wants.

The controller sends the whole value to every worker at every change. Each worker computes the same numbers from it, so
nothing is ever added up and nothing can drift apart. Times are seconds: ``elapsed`` since the run began, plan time
since the plan's first stage began.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from agenttop.schedule.course import Leg
from agenttop.schedule.shares import largest_remainder
from agenttop.schedule.stages import Ramp

# The plan's clock:
#
#     state     plan time              hold(e)            resume(e)                  jump(e, t)
#     running   elapsed + shift        held_at = plan(e)  –                          shift = t − e
#     held      held_at                –                  shift = held_at − e, runs  held_at = t
#
# A pause is none of the clock's: it only keeps users and arrivals from beginning new work. Resuming ends both.


@dataclass(frozen=True, slots=True)
class Pauses:
    """The pauses of a closed pool's users between two tasks."""

    think_time: tuple[float, float] = (0.0, 0.0)
    """Seconds, uniform in the range."""
    pacing: float | None = None
    """Seconds from the start of one task to the start of the next, instead of ``think_time``."""


@dataclass(frozen=True, slots=True)
class Control:
    """The manual state of a run."""

    shift: float = 0.0
    """Plan time − elapsed while the plan's clock runs."""
    held_at: float | None = None
    """The plan time at which the clock stands; None while it runs."""
    paused: bool = False
    """No new work is begun: users stay and stand by, open pools have no arrivals."""
    users: int | None = None
    """Manual total of the pools that share the run's stages."""
    pool_users: dict[int, int] = field(default_factory=dict)
    """Manual users of a closed pool, by its index."""
    pool_rates: dict[int, float] = field(default_factory=dict)
    """Manual iterations per second of an open pool, by its index."""
    mark: int = 0
    """The mark that requests sent from now on are counted under, besides their stage; 0 for none."""
    draining: int = 0
    """The mark whose requests in flight workers must report; 0 for none."""
    courses: dict[int, tuple[Leg, ...]] = field(default_factory=dict)
    """Edited plans, from their beginning to their end: by the pool's index, or ``course.RUN``."""
    pauses: dict[int, Pauses] = field(default_factory=dict)
    """Of closed pools, by index, in place of the profile's."""
    policies: dict[int, str] = field(default_factory=dict)
    """What users do about a 429 (``count``, ``honor``, ``retry``), by the pool's index, in place of the profile's."""

    def plan_time(self, elapsed: float) -> float:
        """Return the plan time, never before the plan's beginning."""
        return max(elapsed + self.shift, 0.0) if self.held_at is None else self.held_at

    def hold(self, elapsed: float) -> Control:
        """Return this control with the plan's clock standing from ``elapsed`` on."""
        return replace(self, held_at=self.plan_time(elapsed))

    def resume(self, elapsed: float) -> Control:
        """Return this control with the plan going on where it stands, and without a pause."""
        if self.held_at is None:
            return replace(self, paused=False)
        return replace(self, shift=self.held_at - elapsed, held_at=None, paused=False)

    def jump(self, elapsed: float, to_plan_time: float) -> Control:
        """Return this control with the plan at ``to_plan_time`` at ``elapsed``; a plan that is held stays held
        there.
        """
        target = max(to_plan_time, 0.0)
        return replace(self, shift=target - elapsed) if self.held_at is None else replace(self, held_at=target)

    def pause(self, paused: bool) -> Control:
        """Return this control with no new work begun (True), or begun again (False)."""
        return replace(self, paused=paused)

    def with_users(self, users: int | None, pool: int | None = None) -> Control:
        """Return this control with a manual number of users, of one pool or of all that share the run's stages.

        Raises:
            ValueError: the number is negative.
        """
        if users is not None and users < 0:
            raise ValueError(f"there cannot be {users} users")
        if pool is None:
            return replace(self, users=users)
        rest = {index: value for index, value in self.pool_users.items() if index != pool}
        return replace(self, pool_users=rest if users is None else {**rest, pool: users})

    def with_rate(self, rate: float | None, pool: int) -> Control:
        """Return this control with a manual rate of an open pool in iterations per second; None: the plan's again.

        Raises:
            ValueError: the rate is negative or not finite.
        """
        if rate is not None and not 0 <= rate < float("inf"):
            raise ValueError(f"there cannot be {rate} iterations per second")
        rest = {index: value for index, value in self.pool_rates.items() if index != pool}
        return replace(self, pool_rates=rest if rate is None else {**rest, pool: rate})

    def marked(self, mark: int, draining: int) -> Control:
        """Return this control counting under ``mark`` from now on, and reporting what is in flight under
        ``draining``.
        """
        return replace(self, mark=mark, draining=draining)

    def with_course(self, legs: tuple[Leg, ...], group: int) -> Control:
        """Return this control with another plan for the run (``course.RUN``) or for a pool with stages of its own."""
        return replace(self, courses={**self.courses, group: legs})

    def with_pauses(self, pauses: Pauses | None, pool: int) -> Control:
        """Return this control with other pauses between the tasks of a closed pool; None: the profile's again."""
        rest = {index: value for index, value in self.pauses.items() if index != pool}
        return replace(self, pauses=rest if pauses is None else {**rest, pool: pauses})

    def with_policy(self, policy: str | None, pool: int) -> Control:
        """Return this control with another policy for 429s in a pool; None: the profile's again."""
        rest = {index: value for index, value in self.policies.items() if index != pool}
        return replace(self, policies=rest if policy is None else {**rest, pool: policy})

    def release(self, pool: int | None = None) -> Control:
        """Return this control without manual users and rates, of one pool or everywhere. The clock is left as it is."""
        if pool is None:
            return replace(self, users=None, pool_users={}, pool_rates={})
        return self.with_users(None, pool).with_rate(None, pool)


@dataclass(frozen=True, slots=True)
class PoolPlan:
    """One pool as the plan has it."""

    weight: float = 1.0
    """Weight of its share among the pools without stages of their own."""
    ramp: Ramp | None = None
    """Ramp of its own stages; None if it shares the run's."""
    open: bool = False
    """Driven by arrivals, so its users are not planned."""


# Users of a pool, the first line that fits:
#
#     pool             manual for it   manual total   users
#     open             –               –              0
#     any closed       n               –              n
#     own stages       –               –              its own ramp at the plan time
#     shares stages    –               t              its share of max(0, t − Σ manual users of the sharing pools),
#                                                     dealt out among the sharing pools that have none
#     shares stages    –               –              its share of the run's ramp, dealt out among all sharing pools
#
# So a manual total is kept as long as the pools' own allow it, and without one a pool's own leaves the others alone.
# Shares are by weight and largest remainder: they always sum to what is dealt out. Paused users are wanted as well.


def wanted_users(pools: Sequence[PoolPlan], ramp: Ramp | None, control: Control, elapsed: float) -> list[int]:
    """Return the users each pool should have at ``elapsed``; ``ramp`` is the run's own stages.

    After the plan's end it is the last target; ending the run is not this function's business.
    """
    plan_time = control.plan_time(elapsed)
    manual = control.pool_users
    wanted = [0] * len(pools)
    sharing = []
    for index, pool in enumerate(pools):
        if pool.open:
            continue
        if pool.ramp is None:
            sharing.append(index)
        if index in manual:
            wanted[index] = manual[index]
        elif pool.ramp is not None:
            wanted[index] = pool.ramp.users_at(plan_time)
    if control.users is not None:
        total = max(0, control.users - sum(wanted[index] for index in sharing))
        sharing = [index for index in sharing if index not in manual]
    else:
        total = ramp.users_at(plan_time) if ramp is not None else 0
    weights = [pools[index].weight for index in sharing]
    if total and any(weights):
        for index, share in zip(sharing, largest_remainder(total, weights), strict=True):
            if index not in manual:
                wanted[index] = share
    return wanted
