"""One run's figures, folded from the deltas of its workers: timeline, live picture and what the summary says.

What is new is only noted when it arrives and merged once a second, by numpy, for all workers at once: a delta costs
some tens of µs, and every histogram is touched once a second however many workers there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from agenttop.metrics.blocks import Blocks
from agenttop.metrics.boxes import Boxes, BoxInfo
from agenttop.metrics.catalogue import LIVE, PHASE, PHASE_SHARE
from agenttop.metrics.counts import Counts
from agenttop.metrics.delta import Delta, HistDelta
from agenttop.metrics.figures import STAGED, metrics, of_stage
from agenttop.metrics.histogram import merge
from agenttop.metrics.layout import Layout
from agenttop.metrics.live import LOOP_LAG, WINDOW_S, Live, Slice, percentile_ms
from agenttop.metrics.live_view import LiveView, requests_of_pools
from agenttop.metrics.phases import stage_phases
from agenttop.metrics.quotas import QuotaBoard
from agenttop.metrics.request_trends import Key, RequestTick, RequestTrends
from agenttop.metrics.run_state import RunState
from agenttop.metrics.saturation import Saturation
from agenttop.metrics.scope import MAX_PHASES, OTHER, Scope, clean_text, merged
from agenttop.metrics.slowest import Slowest
from agenttop.metrics.snapshot import Edited, Snapshot, Tick
from agenttop.metrics.spending import Spending
from agenttop.metrics.timeline import Timeline
from agenttop.metrics.trust import Episodes, Times, grade
from agenttop.metrics.workers import Workers

#: Distributions that a picture is made of, phases aside.
PICTURED = LIVE | {"retry_after", "unattributed"}
#: Records of a phase that what comes after is compared with.
MIN_ANSWERS = 20


class Aggregate:
    """Figures of one run, by the indices of ``layout``.

    Distributions are kept by request and by stage; those of a pool and of the run are made of their requests' when
    asked for. What was sent in the warm-up is in the timeline and the live picture alone.

    Args:
        layout: of the run.
        window_s: of the live picture.
        live_only: there will be no summary, only pictures: takes half the time and a tenth of the memory.
        boxes: of a fleet.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        window_s: float = WINDOW_S,
        live_only: bool = False,
        boxes: Sequence[BoxInfo] = (),
    ) -> None:
        self.layout = layout
        self.boxes = Boxes(boxes)
        self._live_only = live_only
        self.edited: Edited | None = None
        """The plan, if it was edited."""
        self.timeline = Timeline()
        self.saturation = Saturation(self.boxes)
        self.trust = Episodes()
        self.workers = Workers(len(layout.pools))
        self.quotas = QuotaBoard(layout)
        self.slowest = Slowest()
        setup = [index for index, request in enumerate(layout.requests) if request.setup]
        self.live = Live(len(layout.requests), window_s, setup)
        self.closed: tuple[Slice, ...] = ()
        """What was new when the last second was closed: of seconds before it, and then the second itself."""
        self.spending = Spending(layout.budget, priced=layout.price is not None)
        self.checks: dict[str, tuple[int, int]] = {}
        """By check: passed, failed."""
        self.live_view = LiveView(layout, self.live, self.workers)
        self.trends = RequestTrends.of_run(len(layout.requests))
        self._newest: dict[Key, RequestTick] = {}
        """The last closed second of each request."""
        self._requests = [Scope(of_pools=False) for _ in layout.requests]
        self._stages = [Scope() for _ in layout.stages]
        self._pools = [Scope() for _ in layout.pools]
        self._of_pool = requests_of_pools(layout)
        self._blocks = Blocks(len(layout.requests), layout.warmup_s, layout.price)
        self._dropped = [0] * len(layout.pools)
        self._pending: dict[tuple[int | None, int, int], Counts] = {}
        """What was counted of a request in a stage, by the second in which it ended, and is not yet merged."""
        self._phases: set[str] = set()
        self._seq = 0

    def fold(self, delta: Delta) -> None:
        """Count what is new on one worker.

        Raises:
            IndexError: it speaks of a pool, request or stage the layout does not have (some only as the second closes).
        """
        second = delta.second
        for leaf in delta.leaves:
            key = (second, leaf.request, leaf.stage)
            pending = self._pending.get(key)
            if pending is None:
                pending = self._pending[key] = Counts()
            pending.add_leaf(leaf)
        for new in delta.pools:
            self._dropped[new.pool] += new.dropped_iterations
            if new.stage >= 0:
                for scope in (self._pools[new.pool], self._stages[new.stage]):
                    scope.add_pool(new)
        for error in delta.errors:
            self.live.error(error)
            if error.stage >= 0:
                self._requests[error.request].errors.add(error)
                self._stages[error.stage].errors.add(error)
        for name, (passed, failed) in delta.checks.items():
            before = self.checks.get(name, (0, 0))
            self.checks[name] = (before[0] + passed, before[1] + failed)
        if delta.health.loop_lag is not None:
            self.live.loop_lag(second, delta.health.loop_lag)
        if delta.budget is not None:
            self.spending.fold(delta.worker, delta.budget)
        self.workers.observe(delta)
        self.saturation.observe(delta)
        self.quotas.observe(delta)
        self.boxes.fold(delta)
        for row in delta.slowest:
            self.slowest.add(row)

    def worker_gone(self, worker: int) -> None:
        """Forget the users and requests in flight of a worker that is no more; what it has counted stays."""
        self.workers.forget(worker)
        self.saturation.forget(worker)
        self.spending.forget(worker)

    def replan(self, edited: Edited) -> None:
        """Take the plan as it was edited: there are more stages from now on."""
        self.edited = edited
        self.layout = msgspec.structs.replace(self.layout, stages=edited.stages)
        self._stages += [Scope() for _ in edited.stages[len(self._stages) :]]

    def second(self, now: RunState) -> Tick:
        """Close a second and return its tick: what ended in it, and everything folded since the last one that does not
        say when it ended. What ended in a second that was closed before goes to that one.
        """
        self._merge()
        windows: dict[float, list[Slice]] = {}
        all_late = self.live.late()
        for start_s, late in all_late:
            self.timeline.amend(start_s, late)
            self.trends.amend(start_s, self.live_view.request_ticks(late, late=True))
            windows |= self.live.amended(start_s)
        for t_s, slices in windows.items():
            self.timeline.put(t_s, self.live_view.percentiles(slices))
        self.saturation.judge(now.t_s, now.workers if now.state == "running" else 0)
        for worker in self.saturation.silent:
            self.workers.forget(worker)  # until it is heard again
        self.workers.close()
        if self.boxes:
            self.boxes.close(now.t_s, now.boxes, self.workers.gauges())
        newest = self.live.close(now.t_s)
        self.closed = (*(late for _, late in all_late), newest)
        tick = self.live_view.tick(newest, now)
        self.timeline.append(tick)
        self._newest = self.live_view.request_ticks(newest)
        self.trends.add(self._newest)
        (lag,) = percentile_ms(self.live.records(LOOP_LAG), 50)
        found = grade(
            self.saturation.current,
            self.saturation.reasons,
            Times(tick.ttft_p50_ms, tick.latency_p50_ms, lag, tick.loop_lag_p99_ms),
        )
        self.trust.second(now.t_s, found, counts=not now.warmup)
        return tick

    def total(self) -> Scope:
        """Return the counts of the whole run."""
        return merged(self.pool(pool) for pool in range(len(self._pools)))

    def pool(self, pool: int) -> Scope:
        """Return the counts of one pool."""
        return merged([self._pools[pool], *(self.request(request) for request in self._of_pool[pool])])

    def request(self, request: int) -> Scope:
        """Return the counts of one request."""
        self._merge()
        return self._requests[request]

    def stage(self, stage: int) -> Scope:
        """Return the counts of one stage."""
        self._merge()
        return self._stages[stage]

    def metrics_total(self, seconds: float) -> dict[str, Any]:
        """Return METRICS of the whole run over ``seconds`` measured seconds."""
        found = metrics(self.total(), seconds, self.layout)
        return found | {"blocks": self._blocks.summary(range(len(self._requests)), seconds)}

    def metrics_pool(self, pool: int, seconds: float) -> dict[str, Any]:
        """Return METRICS of one pool over ``seconds`` measured seconds."""
        found = metrics(self.pool(pool), seconds, self.layout)
        return found | {"blocks": self._blocks.summary(self._of_pool[pool], seconds)}

    def metrics_request(self, request: int, seconds: float) -> dict[str, Any]:
        """Return METRICS of one request over ``seconds`` measured seconds."""
        found = metrics(self.request(request), seconds, self.layout)
        return found | {"blocks": self._blocks.summary((request,), seconds)}

    def metrics_stage(self, stage: int, seconds: float) -> dict[str, Any]:
        """Return METRICS of one stage that really lasted ``seconds``."""
        return metrics(self.stage(stage), seconds, self.layout)

    def stage_count(self, stage: int) -> int:
        """Return how many requests of a stage had finished when the last second was closed."""
        return self._stages[stage].requests

    def stage_figures(self, stage: int, seconds: float) -> dict[str, Any]:
        """Return what the table of stages says of one that lasted ``seconds``, when the last second was closed."""
        return of_stage(self._stages[stage], seconds)

    def snapshot(self, now: RunState) -> Snapshot:
        """Return the snapshot for viewers; right after :meth:`second` it shows exactly that second."""
        self._seq += 1
        tick = self.timeline.last or self.live_view.tick(Slice(now.t_s, now.t_s), now)
        reasons, trust = self.saturation.reasons, self.trust.now
        picture = self.live_view.snapshot(self._seq, now, tick, reasons, self._dropped, self._newest, trust)
        return msgspec.structs.replace(
            picture,
            first_phases_ms=self._first_phases_ms(now.stage),
            budget=self.spending.lines(),
            stage_phases=stage_phases(self._stages),
            quotas=self.quotas.gauges(now.t_s),
            edited=self.edited,
            boxes=self.boxes.rows,
        )

    def _first_phases_ms(self, now: int) -> dict[str, float]:
        """Return the mean duration (ms) by phase in the first stage that has enough of one; nothing if that is
        ``now``.
        """
        for index, scope in enumerate(self._stages):
            found = {
                name.removeprefix(PHASE): hist.total / hist.count / 1000
                for name, hist in scope.hists.items()
                if name.startswith(PHASE) and hist.count >= MIN_ANSWERS
            }
            if found:
                return {} if index == now else found
        return {}

    def _merge(self) -> None:
        """Merge what has been noted into the scopes and the open slice."""
        pending, self._pending = self._pending, {}
        open_s = self.timeline.last.t_s if self.timeline.last is not None else 0.0
        for (second, request, stage), new in pending.items():
            named: dict[str, list[HistDelta]] = {}
            for metric, parts in new.parts.items():
                if self._live_only and metric not in PICTURED and not metric.startswith(PHASE):
                    continue
                named.setdefault(self._metric(metric), []).extend(parts)
            whole = {metric: merge(parts) for metric, parts in named.items()}
            self.live.add(second, request, new, whole)
            if stage < 0:
                continue
            if self._live_only:
                # Rows and phases of stages are in every picture.
                kept = {metric: one for metric, one in whole.items() if metric in STAGED or metric.startswith(PHASE)}
                self._stages[stage].add_merged(new, kept)
                continue
            for scope in (self._requests[request], self._stages[stage]):
                scope.add_merged(new, whole)
            self._blocks.add(open_s if second is None else second, request, new, whole)

    def _metric(self, name: str) -> str:
        """Return the name to keep a distribution under: targets name phases, so their number is bounded."""
        prefix = next((prefix for prefix in (PHASE, PHASE_SHARE) if name.startswith(prefix)), "")
        phase = name.removeprefix(prefix)
        if not prefix or phase in self._phases:
            return name
        phase = clean_text(phase, 60) or OTHER
        if len(self._phases) >= MAX_PHASES and phase not in self._phases:
            return prefix + OTHER
        self._phases.add(phase)
        return prefix + phase
