"""Judges whether a level holds, from the requests that were counted at it."""

from __future__ import annotations

from dataclasses import dataclass

from agenttop.search.interval import confidence_at, wilson

#: The lower end of the interval is not below the share that must be good, and the exact test says so too.
PASS = "pass"
#: Its upper end is below it, and the exact test says so too.
FAIL = "fail"
#: Neither.
UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The judgement of a level. Shares are 0 to 1."""

    verdict: str
    """:data:`PASS`, :data:`FAIL` or :data:`UNDECIDED`."""
    holds: bool
    """The level counts as one that holds: by the verdict, or if that is undecided by the share alone."""
    share: float
    low: float
    high: float
    confidence: float
    """How surely ``holds`` is known: as the verdict requires or more, less if it is undecided."""


# A confidence of c says that a level which passes does not hold at most 1 − c of the time, and likewise one that fails.
# An end of a two-sided interval is passed by mistake half as often as the interval is wrong; but growing counts are
# looked at up to k times, and the first look that decides ends it. So that all looks together are wrong no more often
# than 1 − c, each has a k-th part of that (Bonferroni), which makes an interval of
#
#     1 − (1 − c)·min(1, 2/k)         95 % for one or two looks, 97.5 % for four


def at_each_look(confidence: float, looks: int) -> float:
    """Return the confidence that the interval of each of so many looks needs."""
    return 1 - (1 - confidence) * min(1.0, 2 / looks)


def judge(good: int, requests: int, wanted: float, confidence: float, looks: int = 1) -> Judgement:
    """Judge ``good`` of ``requests`` against the share that must be good.

    ``confidence`` is that of the verdict, where counts that grow may be looked at ``looks`` times in all.
    """
    each = at_each_look(confidence, looks)
    low, high = wilson(good, requests, each)
    share, sure = (good / requests if requests else 0.0), confidence_at(good, requests, wanted)
    verdict = UNDECIDED if sure < each else PASS if low >= wanted else FAIL if high < wanted else UNDECIDED
    holds = verdict == PASS or (verdict == UNDECIDED and requests > 0 and share >= wanted)
    return Judgement(verdict, holds, share, low, high, _overall(sure, looks))


def _overall(each: float, looks: int) -> float:
    """Return the confidence of a verdict over all looks, from that of one look: the inverse of :func:`at_each_look`."""
    return max(0.0, 1 - (1 - each) / min(1.0, 2 / looks))
