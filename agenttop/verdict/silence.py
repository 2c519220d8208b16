"""Whether a target hangs: requests are in flight, and none is answered.

With F requests in flight that take R each, answers should come every R/F seconds. It hangs where for five seconds there
was none, the oldest request is as old, and

    twenty were to be expected, and it is older than any of the last two minutes took, by a fifth;  or
    it is twice as old as those were;  or
    nothing was ever answered, and it is half a minute old.
"""

from __future__ import annotations

from collections import deque

from agenttop.verdict.second import UNANSWERED, Second

HANG_S = 5.0
EXPECTED = 20.0
OLDER, TWICE = 1.2, 2.0
NEVER_S = 30.0
#: What the longest answer is looked for in, and what the mean is of, in seconds.
LATELY_S, MEAN_S = 120.0, 10.0


class Silence:
    """How long nothing has been answered."""

    def __init__(self) -> None:
        self.quiet_s = 0.0
        """Seconds without an answer, with requests in flight."""
        self.ever = False
        """There has been an answer."""
        self._since_s = 0.0
        self._taken: deque[tuple[float, float, float, int]] = deque()
        """Of seconds with ok answers: end, longest, sum (seconds) and count."""

    def look(self, second: Second) -> bool:
        """Take a second; return whether the target hangs."""
        records = [answers.latency for answers in second.answers.values() if answers.latency is not None]
        if records:
            count = sum(part.count for part in records)
            longest, total = max(part.high for part in records) / 1e6, sum(part.total for part in records) / 1e6
            self._taken.append((second.t_s, longest, total, count))
        while self._taken and self._taken[0][0] < self._since_s - LATELY_S:
            self._taken.popleft()
        answered = sum(a.ok + a.refused + a.failed - a.failures.get(UNANSWERED, 0) for a in second.answers.values())
        self.ever = self.ever or answered > 0
        if answered or not second.in_flight or not second.sending:
            self._since_s, self.quiet_s = second.t_s, 0.0
            return False
        self.quiet_s = second.t_s - self._since_s
        if min(self.quiet_s, second.oldest_s) < HANG_S:
            return False
        if not self._taken:
            return second.oldest_s >= NEVER_S
        longest_s = max(taken[1] for taken in self._taken)
        newest = [taken for taken in self._taken if taken[0] >= self._taken[-1][0] - MEAN_S]
        mean_s = sum(taken[2] for taken in newest) / sum(taken[3] for taken in newest)
        expected = self.quiet_s * second.in_flight / max(mean_s, 1e-3)
        old = second.oldest_s
        return (expected >= EXPECTED and old >= OLDER * longest_s) or old >= TWICE * longest_s
