"""Makes what viewers draw of a run: one second of its timeline, and the snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from agenttop.metrics.counts import Counts, total
from agenttop.metrics.figures import share
from agenttop.metrics.formulas import goodput, written_tokens
from agenttop.metrics.heat import heat
from agenttop.metrics.layout import Layout
from agenttop.metrics.live import LOOP_LAG, Live, Slice, percentile_ms, percentiles
from agenttop.metrics.outcome import Outcome
from agenttop.metrics.request_trends import Key, RequestTick
from agenttop.metrics.run_state import PoolTarget, RunState
from agenttop.metrics.snapshot import SENT_EVENTS, Generator, PoolRow, RequestRow, Snapshot, Tick, Trust
from agenttop.metrics.workers import Workers

_US_PER_MS = 1000.0
#: Percentiles of a tick, by distribution: its fields are called ``latency_p50_ms`` and so on.
_OF_REQUEST = {"latency": (50, 95, 99), "ttft": (50, 95, 99), "inter_chunk": (95,)}
_PERCENTILES = {**_OF_REQUEST, LOOP_LAG: (99,)}
_NOTHING = Counts()


def requests_of_pools(layout: Layout) -> list[list[int]]:
    """Return the indices of each pool's requests, by pool."""
    found: list[list[int]] = [[] for _ in layout.pools]
    for index, request in enumerate(layout.requests):
        found[request.pool].append(index)
    return found


class LiveView:
    """Makes ticks and snapshots from the live window and the workers' gauges; keeps no state."""

    def __init__(self, layout: Layout, live: Live, workers: Workers) -> None:
        self._layout = layout
        self._live = live
        self._workers = workers
        self._of_pool = requests_of_pools(layout)

    def snapshot(
        self,
        seq: int,
        now: RunState,
        tick: Tick,
        reasons: tuple[str, ...],
        dropped: Sequence[int],
        newest: Mapping[Key, RequestTick],
        trust: Trust | None = None,
    ) -> Snapshot:
        """Return the snapshot. ``reasons`` are what the generator is short of and ``trust`` its grade, ``dropped``
        iterations by pool, ``newest`` the last closed second of each request.
        """
        live, layout = self._live, self._layout
        users, in_flight = self._workers.by_pool()
        whole = total(live.counts)
        requests, sums = whole.requests, whole.sums
        retry_after = live.retry_after.percentile(50)
        (schedule_lag,) = percentile_ms(live.records("schedule_lag"), 99)
        (loop_lag,) = percentile_ms(live.records(LOOP_LAG), 99)
        return Snapshot(
            seq=seq,
            t_s=now.t_s,
            plan_t_s=now.plan_t_s,
            state=now.state,
            warmup=now.warmup,
            held=now.held,
            paused=now.paused,
            stage=now.stage,
            users=sum(users),
            target_users=now.target_users,
            planned_users=now.planned_users,
            rate=now.rate,
            manual=now.manual,
            in_flight=sum(in_flight),
            oldest_s=self._workers.oldest_s,
            window_s=live.seconds,
            rps=live.rps(range(len(layout.requests))),
            ttft=percentiles(live.records("ttft")),
            latency=percentiles(live.records("latency")),
            inter_chunk=percentiles(live.records("inter_chunk")),
            requests=requests,
            ok=whole.ok,
            failed=whole.failed,
            rate_limited=whole.rate_limited,
            cancelled=whole.outcomes[Outcome.CANCELLED],
            dropped_iterations=sum(dropped),
            error_rate=whole.failed / requests if requests else 0.0,
            retry_after_s=None if retry_after is None else retry_after / 1_000_000,
            causes=live.causes(),
            pools=tuple(self._pool_row(i, now, users[i], in_flight[i], dropped[i]) for i in range(len(layout.pools))),
            table=tuple(
                self._request_row(i, newest)
                for i, request in enumerate(layout.requests)
                if not request.optional or live.counts[i].requests
            ),
            events=now.events[-SENT_EVENTS:],
            generator=Generator(
                workers=now.workers,
                alive=now.alive,
                cpu_percent_max=self._workers.cpu_percent,
                loop_lag_p99_ms=loop_lag,
                schedule_lag_p99_ms=schedule_lag,
                rss_mb=self._workers.rss_mb,
                open_files=self._workers.open_files,
                saturated=bool(reasons),
                reasons=reasons,
                trust=trust,
            ),
            tick=tick,
            phases_ms=live.phases_ms(),
            bytes_sent=sums["bytes_sent"],
            bytes_received=sums["bytes_received"],
            output_tokens=written_tokens(sums)[0],
            goodput=share(goodput(whole)) if layout.objectives and requests else None,
            good=sums["good"],
            retries=sums["retries"],
            recovered=sums["recovered"],
            sent_again=sums["sent_again"],
            sessions_lost=sums["sessions_lost"],
            said_nothing=sums["said_nothing"],
            violations=sums["rate_limit_violations"],
            budget_refused=whole.outcomes[Outcome.BUDGET_REFUSED],
            changed=now.changed,
            by_hand=now.by_hand,
        )

    def tick(self, piece: Slice, now: RunState) -> Tick:
        """Return the tick of one closed slice, with the gauges at its end. Percentiles are of the live window that ends
        with it, the same as a snapshot's: those of single seconds could not be put together to any of a longer time.
        """
        users, in_flight = self._workers.by_pool()
        whole = piece.whole
        per_s = 1 / piece.seconds if piece.seconds > 0 else 0.0
        all_open = bool(self._layout.pools) and all(pool.open for pool in self._layout.pools)
        return Tick(
            t_s=round(now.t_s, 3),
            stage=now.stage,
            users=sum(users),
            target=now.rate if all_open else now.target_users,
            in_flight=sum(in_flight),
            rps=round(whole.requests * per_s, 3),
            failed_per_s=round(whole.failed * per_s, 3),
            rate_limited_per_s=round(whole.rate_limited * per_s, 3),
            output_tokens_per_s=round(written_tokens(whole.sums)[0] * per_s, 3),
            **self.percentiles(),
            manual=bool(now.manual),
            held=now.held,
            plan_t_s=round(now.plan_t_s, 3),
            latency_counts=heat(whole.records("latency")),
            ttft_counts=heat(whole.records("ttft")),
            inter_chunk_counts=heat(whole.records("inter_chunk")),
        )

    def request_ticks(self, piece: Slice, *, late: bool = False) -> dict[Key, RequestTick]:
        """Return one second of every request, by pool and name; with ``late`` only what is new of a second that was
        closed before, of the requests that have something.
        """
        found = range(len(self._layout.requests)) if not late else piece.by_request
        return {self._key(request): self._request_tick(request, piece, late=late) for request in found}

    def _key(self, request: int) -> Key:
        info = self._layout.requests[request]
        return self._layout.pools[info.pool].name, info.name

    def _request_tick(self, request: int, piece: Slice, *, late: bool) -> RequestTick:
        counts = piece.by_request.get(request, _NOTHING)
        values: dict[str, float | None] = {}
        for metric, percents in _OF_REQUEST.items():
            if not late:
                told = percentile_ms(self._live.records(metric, request), *percents)
                values |= {f"{metric}_p{percent}_ms": value for percent, value in zip(percents, told, strict=True)}
        return RequestTick(
            t_s=round(piece.end_s, 3),
            seconds=0.0 if late else round(piece.seconds, 3),
            requests=counts.requests,
            failed=counts.failed,
            rate_limited=counts.rate_limited,
            output_tokens=written_tokens(counts.sums)[0],
            latency_counts=heat(counts.records("latency")),
            ttft_counts=heat(counts.records("ttft")),
            inter_chunk_counts=heat(counts.records("inter_chunk")),
            **values,
        )

    def percentiles(self, slices: Iterable[Slice] | None = None) -> dict[str, float | None]:
        """Return the percentiles of a tick in ms, by its fields: of the live window, or of the slices of another."""
        found: dict[str, float | None] = {}
        for metric, percents in _PERCENTILES.items():
            values = percentile_ms(self._live.records(metric, slices=slices), *percents)
            found |= {f"{metric}_p{percent}_ms": value for percent, value in zip(percents, values, strict=True)}
        return found

    def _pool_row(self, pool: int, now: RunState, users: int, in_flight: int, dropped: int) -> PoolRow:
        info, of_pool = self._layout.pools[pool], self._of_pool[pool]
        counts = total(self._live.counts[request] for request in of_pool)
        wanted = now.pools[pool] if pool < len(now.pools) else PoolTarget(0.0, 0.0)
        return PoolRow(
            name=info.name,
            protocol=info.protocol,
            dialect=info.dialect,
            unit="rate" if info.open else "users",
            users=users,
            target=wanted.target,
            planned=wanted.planned,
            manual=wanted.manual,
            in_flight=in_flight,
            rps=self._live.rps(of_pool),
            rate_limited=counts.rate_limited,
            errors=counts.other_failed,
            dropped_iterations=dropped,
        )

    def _request_row(self, request: int, newest: Mapping[Key, RequestTick]) -> RequestRow:
        info = self._layout.requests[request]
        counts = self._live.counts[request]
        latencies, ttfts = self._live.records("latency", request), self._live.records("ttft", request)
        p50, p90, p95, p99 = percentile_ms(latencies, 50, 90, 95, 99)
        (ttft,) = percentile_ms(ttfts, 95)
        return RequestRow(
            pool=self._layout.pools[info.pool].name,
            name=info.name,
            protocol=self._layout.pools[info.pool].protocol,
            requests=counts.requests,
            rps=self._live.rps((request,)),
            p50_ms=p50,
            p95_ms=p95,
            ttft_p95_ms=ttft,
            rate_limited=counts.rate_limited,
            errors=counts.other_failed,
            streamed=counts.sums["streamed"],
            one_burst=counts.sums["one_burst"],
            samples=latencies.count if latencies is not None else 0,
            ttft_samples=ttfts.count if ttfts is not None else 0,
            p99_ms=p99,
            max_ms=latencies.high / _US_PER_MS if latencies is not None else None,
            busy_ms=round(latencies.total / _US_PER_MS, 1) if latencies is not None else 0.0,
            output_tokens_per_s=self._live.tokens_per_s(request),
            p90_ms=p90,
            ttft=percentiles(ttfts),
            inter_chunk=percentiles(self._live.records("inter_chunk", request)),
            output_tokens=written_tokens(counts.sums)[0],
            second=newest.get(self._key(request)),
        )
