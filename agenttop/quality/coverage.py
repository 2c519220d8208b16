"""How often each case was asked at each level of load, and where that is less than was promised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from agenttop.quality.answer import Answer

#: How often the cases of the lowest level are asked at least: the control, the same load once more.
CONTROL = 2
_REMEDY = "a longer stage or fewer cases would do"


class Coverage:
    """What has been asked so far.

    Args:
        cases: ids of all cases.
        repeats: how often each is to be asked at each level, at least.
        lowest: names of the levels of the least load, where :data:`CONTROL` holds as well.
    """

    def __init__(self, cases: Iterable[str], repeats: int, lowest: Iterable[str]) -> None:
        self._cases = tuple(cases)
        self._repeats = repeats
        self._lowest = frozenset(lowest)
        self._asked: dict[str, Counter[str]] = {}

    def add(self, answer: Answer) -> None:
        """Take an answer; of a conversation, whose steps are graded one by one, its last one counts."""
        if answer.last:
            self._asked.setdefault(answer.level, Counter())[answer.case] += 1

    def asked(self, level: str) -> int:
        """Return how many answers there are of a level."""
        return sum(self._asked.get(level, Counter()).values())

    def wanted(self, level: str) -> int:
        """Return how often each case is to be asked at a level."""
        return max(self._repeats, CONTROL) if level in self._lowest else self._repeats

    def short(self) -> list[str]:
        """Return a line for each level at which cases were asked less often than promised, in the order met."""
        lines = []
        for level, asked in self._asked.items():
            wanted = self.wanted(level)
            missing = sum(asked[case] < wanted for case in self._cases)
            if not missing:
                continue
            least = min(asked[case] for case in self._cases)
            twice = " (the lowest load is its own control)" if wanted > self._repeats else ""
            how = "never asked" if wanted == 1 else f"asked less than {_times(wanted)}{twice}"
            some = f", some {_times(least) if least else 'never'}" if wanted > 1 else ""
            lines.append(f"level {level}: {missing} of {len(self._cases)} cases were {how}{some}; {_REMEDY}")
        return lines


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
