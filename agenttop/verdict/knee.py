"""The knee: the load beyond which throughput does not grow, where the two bounds of operational analysis cross.

P. J. Denning and J. P. Buzen, The Operational Analysis of Queueing Network Models, ACM Computing Surveys 10 (1978) 225:
N users who think for Z between an answer and their next request get X = N/(R + Z) answers a second, R being the
response time (the interactive response time law). While nothing queues R is R₀; however many there are, X is at most
X_max. The two bounds of X cross at

    N* = X_max · (R₀ + Z)            and X_max · R₀ are served at a time

R₀ + Z needs no knowledge of the profile: it is N/X at light load. Of a run of arrivals N* is the rate X_max itself.
All is measured in this run, and nothing is told of a run whose throughput has not stopped growing: then it holds at
least the load that it had.

Of n answers that come by chance a rate is known to 1/√n (answers of a closed loop come more regularly, so that the
intervals are rather too wide).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from agenttop.metrics.assessment import Estimate, Knee, Scaling
from agenttop.verdict import usl
from agenttop.verdict.levels import NEAR, Level, together
from agenttop.verdict.second import RATE
from agenttop.verdict.usl import Z95

#: Throughput has stopped growing where it would be so much higher had it grown with the load.
PASSED = 1.25
#: Of the growth that the load would bring, what is left of it is less than this part: users, and arrivals, which all
#: have to be served.
FLAT = {"users": 0.5, "rate": 0.9}
#: Levels up to this part of the knee are light.
LIGHT = 0.5
#: How surely throughput is below something before that is said: one-sided 95 %, and of what is late already 84 %.
SURE, LIKELY = 1.645, 1.0


def flat(level: Level, below: Sequence[Level], unit: str) -> bool | None:
    """Return whether throughput has not grown with the load up to a level.

    Args:
        level: the level now.
        below: levels of less load.
        unit: of the load.

    Returns:
        None where it cannot be told.
    """
    verdicts = []
    for other in below:
        ratio = level.load / other.load
        if ratio < PASSED or not other.ok or not level.ok:
            continue
        line = other.per_s * (1 + FLAT[unit] * (ratio - 1))
        noise = LIKELY * math.sqrt(1 / level.ok + 1 / other.ok)
        apart = math.log(level.per_s / line)
        verdicts.append(True if apart < -noise else False if apart > noise else None)
    if True in verdicts:
        return True
    return False if False in verdicts else None


def knee_of(levels: Sequence[Level], unit: str) -> Knee | None:
    """Return the knee; None while throughput still grows with the load, or too little is known."""
    if len(levels) < 2:
        return None
    top, plateau = levels[-1], _plateau(levels)
    light = [levels[0]]
    for _ in range(2):  # what counts as light depends on where the knee is
        cycle = together(light)
        limit = LIGHT * plateau.per_s * cycle.load / cycle.per_s
        light = [level for level in levels if level.load <= max(limit, levels[0].load * NEAR)]
    cycle = together(light)
    cycle_s = cycle.load / cycle.per_s
    at = plateau.per_s * cycle_s
    if top.load < PASSED * at or not any(flat(level, levels[:index], unit) for index, level in enumerate(levels)):
        return None
    known = 1 / plateau.ok + 1 / cycle.ok
    per_s = _around(plateau.per_s, 1 / plateau.ok)
    response = _mean(cycle)
    spread = (response.high - response.low) / 2 / Z95 / response.value if response.value else 0.0
    served = _around(plateau.per_s * response.value, 1 / plateau.ok + spread**2)
    return Knee(
        unit=unit,
        load=_around(at, known),
        per_s=per_s,
        served=served,
        response_s=response,
        think_s=_think(cycle_s, response, cycle.ok) if unit != RATE else Estimate(0.0, 0.0, 0.0),
        most=top.load,
        refused=plateau.refused / (plateau.ok + plateau.refused),
        scaling=_scaling(levels, plateau, unit),
    )


def _plateau(levels: Sequence[Level]) -> Level:
    """Return the levels of the highest throughput as one: the best, and its neighbours within the noise of both."""
    best = max(range(len(levels)), key=lambda index: levels[index].per_s * (1 - 1 / math.sqrt(levels[index].ok)))
    found = [levels[best]]
    for level in levels[best + 1 :]:
        noise = SURE * math.sqrt(1 / level.ok + 1 / levels[best].ok)
        if math.log(level.per_s / levels[best].per_s) < -noise:
            break
        found.append(level)
    return together(found)


def _scaling(levels: Sequence[Level], plateau: Level, unit: str) -> Scaling | None:
    found = usl.fit(levels) if unit != RATE else None
    if found is None:
        return None
    sigma, kappa = found
    top = levels[-1]
    noise = SURE * math.sqrt(1 / top.ok + 1 / plateau.ok)
    # A hard limit bends N/X as well: only a rate that was seen to be lower has fallen.
    falls = kappa.low > 0 and top.load > plateau.load and math.log(top.per_s / plateau.per_s) < -noise
    return Scaling(sigma, kappa, falls, usl.peak(sigma.value, kappa.value))


def _mean(level: Level) -> Estimate:
    """Return the mean response time in seconds."""
    mean = level.response_s
    half = Z95 * math.sqrt(level.deviations) / level.latencies / 1e6 if level.latencies else 0.0
    return Estimate(mean, max(0.0, mean - half), mean + half)


def _think(cycle_s: float, response: Estimate, answers: int) -> Estimate:
    half = Z95 * math.sqrt(cycle_s**2 / answers + ((response.high - response.low) / 2 / Z95) ** 2)
    value = max(0.0, cycle_s - response.value)
    return Estimate(value, max(0.0, value - half), value + half)


def _around(value: float, variance: float) -> Estimate:
    """Return a figure whose logarithm has this variance."""
    factor = math.exp(Z95 * math.sqrt(variance))
    return Estimate(value, value / factor, value * factor)
