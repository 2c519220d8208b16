"""The rules by which a window of answers shows trouble. Each returns None where it cannot be told.

    refuses   more than 1 % of the requests are refused (429)
    fails     more than 1 % fail otherwise
    slows     more than 5 % of the answers, or of the first tokens, are late, or more than half are slower (see
              ``baseline``), of all or of one request
    queues    it slows, and throughput has not grown with the load (see ``knee.flat``)

"More" is meant surely: were the share what the rule says, so many would be seen once in 740 times (three standard
deviations), of a single request once in 31 600 (four), for there may be many. The test is the exact one of the binomial
distribution. What has come on goes off where the share itself is below, for late answers at 7 %.
"""

from __future__ import annotations

from agenttop.search.interval import tail
from agenttop.verdict.baseline import LATE_SHARE, SLOWER_SHARE
from agenttop.verdict.window import Share, Sums

REFUSED = FAILED = 0.01
#: Late answers that are few enough again.
FEW_LATE = 0.07
#: Probabilities beyond three, and beyond four standard deviations.
SURELY, ONE_OF_MANY = 1.35e-3, 3.17e-5
#: Fewer answers of one request say nothing of it.
MIN_OF_ONE = 10


def refuses(sums: Sums, on: bool) -> bool | None:
    """Return whether the target refuses; ``on``: so far it did."""
    return _beyond(Share(sums.refused, sums.finished), REFUSED, REFUSED, on)


def fails(sums: Sums, on: bool) -> bool | None:
    """Return whether requests fail for another reason."""
    return _beyond(Share(sums.failed, sums.finished), FAILED, FAILED, on)


def slows(sums: Sums, on: bool) -> bool | None:
    """Return whether answers, or first tokens, come late."""
    told = [_beyond(share, LATE_SHARE, FEW_LATE, on) for share in (sums.late, sums.late_ttft)]
    told += [_beyond(share, SLOWER_SHARE, SLOWER_SHARE, on) for share in (sums.slower, sums.slower_ttft)]
    told += [
        _beyond(share, LATE_SHARE, 2 * FEW_LATE, on, ONE_OF_MANY)
        for share in sums.late_of.values()
        if share.whole >= MIN_OF_ONE
    ]
    if True in told:
        return True
    return False if False in told else None


def _beyond(share: Share, limit: float, leave: float, on: bool, seldom: float = SURELY) -> bool | None:
    part, whole = share.part, share.whole
    if not whole:
        return None
    if on:
        return part > leave * whole
    return part > limit * whole and tail(part, whole, limit) < seldom
