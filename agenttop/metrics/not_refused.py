"""Refused (429) answers that a figure leaves out: how many, and what is said of it, so that nobody takes it for one of
all requests."""

from __future__ import annotations

from collections.abc import Sequence

from agenttop.metrics.catalogue import DISTRIBUTIONS, PHASE
from agenttop.metrics.outcome import Outcome

#: What a figure is of that leaves refused answers out.
NOT_REFUSED = "of answers not refused"
#: Stands after such a figure where these words stand once for many.
STAR = "*"
#: A mean over the requests that told something: who is refused tells nothing.
_MEAN = "per_request_mean"
#: Shares of requests, each by its last answer; and of the checks of these answers.
_SHARES = frozenset({"checks", "error_rate", "failed", *map(str, Outcome)})


def left_out(metric: str, method: str, rate_limited: int, retries: int) -> int:
    """Return how many refused answers a figure of a metric leaves out, as a threshold names it; 0 where it counts some.

    Times and means are of requests that were answered; shares of requests, and checks, are of the last answer to each
    of them, so that they leave out what was sent again, unless some request was refused for good.

    Args:
        metric: by its name, ``phase`` for a single phase.
        method: the figure of it, as ``thresholds.catalogue`` has it.
        rate_limited: requests that were refused for good.
        retries: refused answers whose request was sent again.
    """
    if method == "count":
        return 0
    times = DISTRIBUTIONS.get(metric)
    if method == _MEAN or metric == PHASE.rstrip(".") or (times is not None and not times.refused):
        return rate_limited + retries
    return retries if metric in _SHARES and not rate_limited else 0


def basis(refused: Sequence[int]) -> str:
    """Return what figures are of, ``only of answers not refused``: empty if none of them leaves any out, with their
    number if only some do.

    Args:
        refused: of each figure the refused answers that it leaves out.
    """
    some = some_of(refused)
    if not some:
        return ""
    words = f"only {NOT_REFUSED}"
    return words if some == len(refused) else f"{some} {words}"


def some_of(refused: Sequence[int]) -> int:
    """Return how many figures leave refused answers out."""
    return sum(each > 0 for each in refused)


def starred(figure: str, refused: int) -> str:
    """Return a figure, with the star if it leaves refused answers out."""
    return figure + STAR if refused else figure


def explained(refused: Sequence[int], width: int) -> str:
    """Return what the star means, in at most so many columns: ``* of answers not refused (429: 318)``, the number where
    all figures leave out the same; empty if there is no star."""
    numbers = {each for each in refused if each}
    if not numbers:
        return ""
    words = f"{STAR} {NOT_REFUSED} (429{f': {numbers.pop()}' if len(numbers) == 1 else ''})"
    return next((each for each in (words, f"{STAR} {NOT_REFUSED}", f"{STAR} not refused") if len(each) <= width), "")
