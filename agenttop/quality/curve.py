"""The quality curve: scores by level of load and by slice, and whether they fell as users were added. Pure.

With s_i the mean score of case i over its answers at one level, w_i its weight:

    score      Σ w_i·s_i / Σ w_i, with the interval of means over cases (Miller 2024, arXiv:2411.00640, clustered by
               case), or Wilson's where each case was asked once and passed or failed, and where no two cases differ:
               200 cases of 200 are no proof that the 201st is right, though their deviation is 0
    drop       mean of s_i(lowest level) − s_i(highest level) over the cases that both have: paired
    control    the same of the earlier and the later answers of the lowest level: what is there without any load
    lost       of each answer 1 − score goes to its cause; by level their means sum to 1 − score, and the differences
               between two levels to the drop

Levels with the same number of users are one point of the curve.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import numpy as np

from agenttop.metrics.graded import Drop, LevelScore, QualityState, SliceScore
from agenttop.quality.brief import CaseBrief, Golden
from agenttop.quality.failed import KEPT_REASONS, Failed
from agenttop.quality.levels import is_of
from agenttop.quality.score import Score
from agenttop.quality.sums import Sums, by_cause, drop_of, halves, lost_of, score_of

#: Different reasons kept of all that is ungraded; those that come later are ``OTHERS``.
KEPT_UNGRADED = 20
OTHERS = "other reasons"
#: A level stands for its number of users if it has this part of the cases that the fullest has.
_ENOUGH = 0.5


class JudgeUse(msgspec.Struct, frozen=True):
    """What a judge was asked, and what that took. ``agreement`` is with the labels of people, where there are any."""

    calls: int = 0
    cached: int = 0
    errors: int = 0
    tokens: int = 0
    cost_usd: float | None = None
    agreement: dict[str, Any] | None = None
    rate_limited: int = 0
    """429s; they are not among the calls."""
    given_up: str = ""
    """Why it is not asked any more."""


class Curve:
    """The scores of one run up to now.

    Args:
        golden: its cases.
    """

    def __init__(self, golden: Golden) -> None:
        self.golden = golden
        self._index = {case.id: index for index, case in enumerate(golden.cases)}
        self._weights = np.array([case.weight for case in golden.cases], dtype=np.float64)
        members: dict[str, list[int]] = defaultdict(list)
        for index, case in enumerate(golden.cases):
            for name in case.slices:
                members[name].append(index)
        ranked = sorted(members.items(), key=lambda item: -len(item[1]))
        self._slices = {name: np.array(found, dtype=np.int64) for name, found in ranked}
        self._all = np.arange(len(golden.cases))
        self._levels: dict[tuple[str, int], Sums] = {}
        self._answers = 0
        self._graded = 0
        self._ungraded: Counter[str] = Counter()
        """By reason."""
        self._failed = Failed()
        self.judge = JudgeUse()
        self._state: QualityState | None = None

    def asked(self, answers: int) -> None:
        """Take that so many answers more were handed over."""
        self._answers += answers
        self._state = None

    @property
    def ungraded(self) -> str:
        """Return how many answers have no score and why, in words; empty where all have one."""
        total = self._ungraded.total()
        if not total:
            return ""
        told = [f"{count} × {reason}" for reason, count in self._ungraded.most_common(KEPT_REASONS)]
        return f"{total} of {self._answers} answers are in no score: {'; '.join(told)}"

    def judged(self, judge: JudgeUse) -> None:
        """Take what the judge has done so far."""
        self.judge = judge
        self._state = None

    def take(self, scores: Iterable[Score]) -> None:
        """Take new scores; those of cases that the golden set does not have are counted as ungraded."""
        self._state = None
        for score in scores:
            case = self._index.get(score.case)
            if score.value is None or case is None:
                reason = score.reason or "no reason given"
                known = reason in self._ungraded or len(self._ungraded) < KEPT_UNGRADED
                self._ungraded[reason if known else OTHERS] += 1
                continue
            self._graded += 1
            key = (score.level, score.users)
            sums = self._levels.get(key)
            if sums is None:
                sums = self._levels[key] = Sums.of(len(self.golden.cases))
            value = min(max(score.value, 0.0), 1.0)
            sums.add(case, value, score.cause)
            if not score.passed:
                self._failed.add(score, value, self.golden.cases[case].input)

    # -- figures

    @property
    def state(self) -> QualityState:
        """Return the figures so far, for viewers."""
        if self._state is None:
            self._state = self._make_state()
        return self._state

    def figure(self, name: str, slice_name: str | None = None, stage: str | None = None) -> float | None:
        """Return a figure that a threshold asks for: ``score`` (of a slice, of a stage), ``drop``, ``judge_errors``,
        ``answers``, ``graded``, ``ungraded`` or ``waiting``; None where there is none yet.
        """
        if name == "score":
            if slice_name is None and stage is None:
                return self.state.score
            among = self._all if slice_name is None else self._slices.get(slice_name)
            sums = self._sum(lambda level, _: stage is None or self._is_of(level, stage))
            found = None if among is None or sums is None else score_of(sums, self._weights, among)
            return None if found is None else found[0]
        if name == "drop":
            return None if self.state.drop is None else self.state.drop.drop
        return float(getattr(self.state, name))

    def _is_of(self, level: str, stage: str) -> bool:
        """Return whether a stage is under way at a level; of a level that was not planned its name says so."""
        stages = self.golden.stages.get(level)
        return is_of(level, stage) if stages is None else stage in stages

    def summary(self) -> dict[str, Any]:
        """Return the ``quality`` of the summary."""
        state = self.state
        judge = msgspec.to_builtins(self.judge)
        return {
            "score": state.score,
            "interval": None if state.score is None else [state.low, state.high],
            "cases": state.cases,
            "of_cases": state.of_cases,
            "answers": state.answers,
            "graded": state.graded,
            "ungraded": state.ungraded,
            "ungraded_by": dict(self._ungraded.most_common()),
            "waiting": state.waiting,
            "slices": {
                row.name: {"score": row.score, "interval": [row.low, row.high], "cases": row.cases}
                for row in state.slices
            },
            "by_stage": [
                {
                    "stage": row.level,
                    "users": row.users,
                    "score": row.score,
                    "interval": [row.low, row.high],
                    "cases": row.cases,
                    "answers": row.answers,
                    "lost": row.lost,
                    "slices": row.slices,
                }
                for row in state.levels
            ],
            "by_case": self._by_case(),
            "drop": _drop(state.drop),
            "control": _drop(state.control),
            "judge": judge,
            "failed": self._failed.summary(),
        }

    def _by_case(self) -> dict[str, Any]:
        sums = self._sum()
        if sums is None:
            return {}
        return {
            case.id: {
                "score": float(sums.total[index] / sums.count[index]),
                "runs": int(sums.count[index]),
                "reasons": self._failed.reasons(case.id),
            }
            | _as_written(case)
            for index, case in enumerate(self.golden.cases)
            if sums.count[index]
        }

    def _make_state(self) -> QualityState:
        sums = self._sum()
        found = None if sums is None else score_of(sums, self._weights, self._all)
        score, (low, high), cases = found or (None, (0.0, 1.0), 0)
        slices = []
        for name, among in self._slices.items():
            part = None if sums is None else score_of(sums, self._weights, among)
            if part is not None:
                slices.append(SliceScore(name, part[0], *part[1], part[2]))
        drop, control = self._drops()
        return QualityState(
            score,
            low,
            high,
            cases,
            len(self.golden.cases),
            self._answers,
            self._graded,
            self._ungraded.total(),
            tuple(self._level(*key, sums) for key, sums in self._levels.items()),
            tuple(slices),
            drop,
            control,
            self._failed.sent(),
            self.judge.calls,
            self.judge.errors,
        )

    def _level(self, level: str, users: int, sums: Sums) -> LevelScore:
        found = score_of(sums, self._weights, self._all)
        assert found is not None  # a level begins with a score
        score, (low, high), cases = found
        slices = {}
        for name, among in self._slices.items():
            part = score_of(sums, self._weights, among)
            if part is not None:
                slices[name] = part[0]
        lost = by_cause(lost_of(sums, self._weights))
        return LevelScore(level, users, score, low, high, cases, int(sums.count.sum()), lost, slices)

    def _sum(self, wanted: Callable[[str, int], bool] = lambda level, users: True) -> Sums | None:
        """Return the scores of all levels that are wanted together; None if there are none."""
        found = [sums for key, sums in self._levels.items() if wanted(*key)]
        if not found:
            return None
        total = Sums.of(len(self.golden.cases))
        for sums in found:
            total = total + sums
        return total

    def _drops(self) -> tuple[Drop | None, Drop | None]:
        """Return the drop from the fewest users to the most, and of the fewest against themselves."""
        by_users: dict[int, Sums] = {}
        for (_, users), sums in self._levels.items():
            by_users[users] = by_users[users] + sums if users in by_users else sums
        asked = {users: int((sums.count > 0).sum()) for users, sums in by_users.items()}
        fullest = max(asked.values(), default=0)
        enough = sorted(users for users, cases in asked.items() if cases >= _ENOUGH * fullest)
        if not enough:
            return None, None
        few, many = enough[0], enough[-1]
        levels = [sums for (_, users), sums in self._levels.items() if users == few]
        weights, margin = self._weights, self.golden.margin
        control = drop_of(*halves(levels, len(self.golden.cases)), weights, (few, few), margin)
        if few == many:
            return None, control
        return drop_of(by_users[few], by_users[many], weights, (few, many), margin), control


def _as_written(case: CaseBrief) -> dict[str, Any]:
    """Return what a comparison needs to know of a case, where it is not as usual."""
    found: dict[str, Any] = {"tags": list(case.slices)} if case.slices else {}
    if case.weight != 1.0:
        found["weight"] = case.weight
    if case.threshold is not None:
        found["threshold"] = case.threshold
    return found


def _drop(drop: Drop | None) -> dict[str, Any] | None:
    if drop is None:
        return None
    return {
        "from_users": drop.from_users,
        "to_users": drop.to_users,
        "drop": drop.drop,
        "interval": [drop.low, drop.high],
        "visible": drop.visible,
        "cases": drop.cases,
        "verdict": drop.verdict,
        "lost": drop.lost,
    }
