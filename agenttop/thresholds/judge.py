"""Judges thresholds once a second, on what the deltas of all workers add up to.

It is fed the deltas that the aggregate is fed, and keeps of each only what some threshold looks at: thresholds on the
same part of a run share one series. What was sent in the warm-up is in none, as in the summary.

A threshold without a window is judged on the whole run so far; its last verdict counts. One with a window must hold in
every window, from its ``delay`` on or else from the first whole window: once failed is failed, and what is observed is
the worst. After the sending has ended windows are judged no more, since only the slowest answers are left to come.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from agenttop.metrics.catalogue import PHASE
from agenttop.metrics.counts import Counts
from agenttop.metrics.delta import Delta, LeafDelta
from agenttop.metrics.layout import Layout
from agenttop.metrics.not_refused import left_out
from agenttop.metrics.outcome import Outcome
from agenttop.metrics.scope import clean_text
from agenttop.metrics.snapshot import Verdict
from agenttop.thresholds import catalogue
from agenttop.thresholds.expression import Expression
from agenttop.thresholds.select import Names, Selection, select
from agenttop.thresholds.series import Tally, Trend

#: Measured seconds of some stages, or of the whole run where that is None.
Seconds = Callable[[frozenset[int] | None], float]
#: A figure of graded answers, by its name, of a slice and of a stage; None where there is none (yet).
Graded = Callable[[str, str | None, str | None], float | None]
_MAX_PHASE_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Rule:
    """A threshold of a profile; times are seconds. ``text`` is as the user wrote it."""

    text: str
    expression: Expression
    abort: bool = False
    delay_s: float | None = None
    window_s: float | None = None
    allow_empty: bool = False


class _Series:
    """A trend or a tally, and the leaves it takes."""

    def __init__(self, rule: Rule, selection: Selection, layout: Layout) -> None:
        expression = rule.expression
        tags = dict(expression.tags)
        self.selection = selection
        self.metric = expression.metric
        self.check = tags.get("check")
        self.phase = tags.get("phase")
        self.trend = Trend(rule.window_s) if _is_time(expression) else None
        self.tally = None if self.trend else Tally(rule.window_s, layout.price)
        self.of_pools = False
        """Some threshold on it counts what pools do, such as iterations."""
        self.refused = self.retries = 0
        """Requests that were refused for good, and refused answers whose request was sent again."""

    def wants(self, request: int, stage: int) -> bool:
        """Return whether it looks at a request of a stage."""
        requests, stages = self.selection.requests, self.selection.stages
        return stage >= 0 and (requests is None or request in requests) and (stages is None or stage in stages)

    def leaf(self, leaf: LeafDelta, end_s: float | None) -> None:
        """Take what is new about a request it looks at, of the second that ends at ``end_s``."""
        self.refused += leaf.outcomes.get(Outcome.RATE_LIMITED, 0)
        self.retries += leaf.sums.get("retries", 0)
        if self.tally is not None:
            self.tally.take(leaf, end_s)
            return
        assert self.trend is not None
        if self.phase is not None:
            for name, records in leaf.hists.items():
                if name.startswith(PHASE) and _clean_phase(name) == self.phase:
                    self.trend.take(records, end_s)
            return
        found = leaf.hists.get(self.metric)
        if found is not None:
            self.trend.take(found, end_s)

    def rest(self, delta: Delta, end_s: float | None) -> None:
        """Take what is new about pools and checks."""
        chosen = self.selection
        assert self.tally is not None
        if self.metric == "checks":
            for name, (passed, failed) in delta.checks.items():
                if self.check in (None, name):
                    self.tally.take(Counts(sums={"checks": passed + failed, "checks_passed": passed}), end_s)
        for pool in delta.pools if self.of_pools else ():
            if pool.stage < 0 or (chosen.stages is not None and pool.stage not in chosen.stages):
                continue
            if chosen.pools is None or pool.pool in chosen.pools:
                self.tally.take(Counts(sums={name: getattr(pool, name) for name in catalogue.OF_POOLS}), end_s)

    def close(self, t_s: float) -> None:
        """End a second."""
        for part in (self.trend, self.tally):
            if part is not None:
                part.close(t_s)

    def figure(self, expression: Expression, seconds: float) -> float | None:
        """Return the figure an expression asks for, in its base unit; None without data."""
        if self.trend is not None:
            return self.trend.figure(expression)
        assert self.tally is not None
        return self.tally.figure(expression, seconds)


class _Quality(_Series):
    """Graded answers: kept elsewhere, and asked for."""

    def __init__(self, rule: Rule, selection: Selection, layout: Layout, graded: Graded | None) -> None:
        super().__init__(rule, selection, layout)
        self._graded = graded

    def wants(self, request: int, stage: int) -> bool:
        """See the base: it looks at no request."""
        return False

    def figure(self, expression: Expression, seconds: float) -> float | None:
        """See the base."""
        tags = dict(expression.tags)
        return None if self._graded is None else self._graded(expression.method, tags.get("slice"), tags.get("stage"))


class _Standing:
    """The state of one rule."""

    def __init__(self, rule: Rule, series: _Series, warmup_s: float) -> None:
        self.rule = rule
        self.series = series
        self._from_s = max(rule.delay_s or 0.0, warmup_s)
        if rule.delay_s is None and rule.window_s is not None:
            self._from_s = warmup_s + rule.window_s  # the first whole window
        self.value: float | None = None
        """Observed figure in the base unit; of a window the worst, once one has been judged."""
        self.judged = False
        """Some window has been judged."""
        self.aborted_run = False
        self.told = False

    @property
    def failing(self) -> bool:
        """Return whether it has a figure that does not hold."""
        return self.value is not None and not self.rule.expression.holds(self.value)

    def judge(self, t_s: float, value: float | None, *, sending: bool, running: bool) -> None:
        """Take the newest figure; ``t_s``, ``sending`` and ``running`` are as for :meth:`Judge.second`."""
        if self.aborted_run:
            return
        rule = self.rule
        if rule.window_s is None:
            self.value = value
        elif sending and t_s >= self._from_s:
            if value is not None and (not self.judged or self._worse(value)):
                self.value, self.judged = value, True
        elif not self.judged:
            self.value = value
        due = t_s >= self._from_s and (rule.window_s is None or self.judged)
        self.aborted_run = rule.abort and running and due and self.failing

    def _worse(self, value: float) -> bool:
        expression, best = self.rule.expression, self.value
        if best is None or expression.holds(value) != expression.holds(best):
            return best is None or expression.holds(best)
        return value > best if expression.operator.startswith("<") else value < best

    def verdict(self) -> Verdict:
        """Return the verdict for viewers and the summary."""
        rule, expression = self.rule, self.rule.expression
        word = "no data" if self.value is None else "fail" if self.failing else "pass"
        series = self.series
        left = left_out(expression.metric, expression.method, series.refused, series.retries)
        observed = None if self.value is None else round(self.value / expression.scale, 6)
        excess = abs(observed - expression.value) / (expression.value or 1.0) if observed is not None else 1.0
        return Verdict(
            expression=rule.text,
            verdict=word,
            passed=word == "pass" or (word == "no data" and rule.allow_empty),
            observed=observed,
            unit=expression.unit or {catalogue.TIME: "ms", catalogue.PER_S: "/s"}.get(expression.kind, ""),
            window_s=rule.window_s,
            aborted_run=self.aborted_run,
            excess=round(excess, 6) if word != "pass" else 0.0,
            refused=0 if self.value is None else left,
        )


class Judge:
    """All thresholds of one run."""

    def __init__(self, rules: Sequence[Rule], layout: Layout, graded: Graded | None = None) -> None:
        """Make a judge of the rules; without ``graded`` there is no figure of quality.

        Raises:
            UnknownTagError: a rule names a pool, request or stage that the layout does not have.
        """
        names = names_of(layout)
        self._graded = graded
        self._series: dict[tuple[object, ...], _Series] = {}
        self._routes: dict[tuple[int, int], list[_Series]] = {}
        self._standings = [self._standing(rule, select(rule.expression, names), layout) for rule in rules]
        self.verdicts: tuple[Verdict, ...] = tuple(standing.verdict() for standing in self._standings)
        """One a rule, in the order of the profile."""

    def grow(self, layout: Layout) -> None:
        """Take the layout of an edited plan: new stages of a name are judged together with the old ones of
        that name.
        """
        names = names_of(layout)
        for standing in self._standings:
            standing.series.selection = select(standing.rule.expression, names)

    def _standing(self, rule: Rule, selection: Selection, layout: Layout) -> _Standing:
        expression = rule.expression
        tags = dict(expression.tags)
        # Every count of one part of the run is in one tally; checks are by name.
        what = expression.metric if _is_time(expression) or expression.metric == "checks" else ""
        key = (what, tags.get("phase"), tags.get("check"), selection, rule.window_s)
        if expression.metric == catalogue.QUALITY:
            quality = self._series.setdefault(
                (catalogue.QUALITY, selection), _Quality(rule, selection, layout, self._graded)
            )
            return _Standing(rule, quality, layout.warmup_s)
        series = self._series.setdefault(key, _Series(rule, selection, layout))
        series.of_pools = series.of_pools or expression.metric in catalogue.OF_POOLS
        return _Standing(rule, series, layout.warmup_s)

    def fold(self, delta: Delta, end_s: float | None = None) -> None:
        """Take what is new on one worker, of the second that ends at ``end_s``; by default of the one that closes
        next.
        """
        if not self._series:
            return
        for leaf in delta.leaves:
            key = (leaf.request, leaf.stage)
            route = self._routes.get(key)
            if route is None:
                route = self._routes[key] = [series for series in self._series.values() if series.wants(*key)]
            for series in route:
                series.leaf(leaf, end_s)
        for series in self._series.values():
            if series.of_pools or series.metric == "checks":
                series.rest(delta, end_s)

    def second(self, t_s: float, seconds: Seconds, *, sending: bool, running: bool) -> list[Verdict]:
        """Close a second and judge.

        Args:
            t_s: its end, in seconds since the run began.
            seconds: what rates divide by.
            sending: requests were still sent in this second.
            running: the run goes on, and can be ended.

        Returns:
            The thresholds that fail now and did not before, each once in a run. Those that only want more of something
            than there is yet are none.
        """
        for series in self._series.values():
            series.close(t_s)
        for standing in self._standings:
            rule = standing.rule
            measured = seconds(standing.series.selection.stages)
            if rule.window_s is not None:
                measured = min(measured, rule.window_s)
            value = standing.series.figure(rule.expression, measured)
            standing.judge(t_s, value, sending=sending, running=running)
        self.verdicts = tuple(standing.verdict() for standing in self._standings)
        return self._news()

    def _news(self) -> list[Verdict]:
        found = []
        for standing, verdict in zip(self._standings, self.verdicts, strict=True):
            expression = standing.rule.expression
            growing = expression.kind == catalogue.COUNT and not expression.operator.startswith("<")
            final = standing.judged or standing.rule.window_s is None
            if verdict.verdict == "fail" and final and not standing.told and (not growing or standing.aborted_run):
                standing.told = True
                found.append(verdict)
        return found

    @property
    def aborting(self) -> Verdict | None:
        """Return the threshold that wants the run to end; None if none does."""
        return next((verdict for verdict in self.verdicts if verdict.aborted_run), None)

    @property
    def failed(self) -> int:
        """Return how many thresholds have not passed."""
        return sum(not verdict.passed for verdict in self.verdicts)


def names_of(layout: Layout) -> Names:
    """Return the names that the tags of a threshold may use."""
    return Names(
        [pool.name for pool in layout.pools],
        [(layout.pools[request.pool].name, request.name) for request in layout.requests],
        [stage.name for stage in layout.stages],
    )


def _is_time(expression: Expression) -> bool:
    return expression.metric in catalogue.TIMES or expression.metric == catalogue.PHASE


@lru_cache(maxsize=256)
def _clean_phase(name: str) -> str:
    return clean_text(name.removeprefix(PHASE), _MAX_PHASE_LENGTH)
