"""A day of measuring in minutes: samples through everything they pass in a run, but the network.

    Recorder ─► fold ─► Delta ─► msgpack ─► Aggregate ─► snapshot for the viewers ─► journal

A second of the run takes some milliseconds here. Values are spread over seven decades, errors have messages that are
never the same twice, and every stage is reached within the first minutes, so whatever still grows after the first tenth
grows with the length of a run.
"""

from __future__ import annotations

import tempfile
from array import array
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import psutil

from agenttop.journal.journal import JournalWriter
from agenttop.journal.summarize import run_header
from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.delta import Delta, Health, PoolState
from agenttop.metrics.histogram import fold
from agenttop.metrics.layout import Layout, PoolInfo, RequestInfo
from agenttop.metrics.outcome import Outcome
from agenttop.metrics.recorder import Leaf, Recorder
from agenttop.metrics.run_state import RunState
from agenttop.metrics.snapshot import RunInfo, StageInfo, Tick
from tests.benchmarks.program import BenchmarkError

STAGES, REQUESTS = 3, 4
DELTAS_A_SECOND = 4
ERRORS_A_SECOND = 3
#: Samples of one answer: latency, ttfb, ttft, and a phase.
SAMPLES_OF_ANSWER = 4
#: What a second of the timeline takes.
TICK_BYTES = sum(1 if field.type is bool else 8 for field in msgspec.structs.fields(Tick))
_STAGE_S = 60
#: A journal is thrown away and begun anew after so long: a day's takes a gigabyte of the disk.
_JOURNAL_S = 600
_VALUES = 1 << 20


@dataclass(frozen=True, slots=True)
class Weight:
    """What the simulating process weighed when so much was done."""

    share: float
    samples: int
    rss_bytes: int
    timeline_bytes: int
    """Of it the timeline's columns, which are meant to grow."""


def simulate(samples: int, seconds: int, shares: tuple[float, ...] = (0.1, 0.5, 1.0)) -> list[Weight]:
    """Push so many samples through so many seconds of a run; what this process weighs at these shares of it.

    Args:
        samples: of all metrics together; rounded down to whole answers a delta.
        seconds: of the simulated run.
        shares: of the seconds, rising.

    Raises:
        BenchmarkError: not every answer was counted.
    """
    layout = Layout(
        pools=(PoolInfo("chat", "sse", "openai.chat", open=False),),
        requests=tuple(RequestInfo(0, f"request {n}") for n in range(REQUESTS)),
        stages=tuple(StageInfo(n, f"stage {n}", 0.0, 0.0, 10, 10, "users") for n in range(STAGES)),
    )
    marks = {max(1, round(seconds * share)): share for share in shares}
    answers = samples // (seconds * DELTAS_A_SECOND * SAMPLES_OF_ANSWER)
    a_second = DELTAS_A_SECOND * answers * SAMPLES_OF_ANSWER
    found = []
    with tempfile.TemporaryDirectory(prefix="agenttop-simulate-") as folder:
        run = _Run(layout, folder)
        for second in range(1, seconds + 1):
            run.second(second, answers)
            if second in marks:
                rss = psutil.Process().memory_info().rss
                found.append(Weight(marks[second], second * a_second, rss, run.timeline_bytes()))
        run.close()
    counted = run.aggregate.total().outcomes[Outcome.OK]
    if counted * SAMPLES_OF_ANSWER != seconds * a_second:
        raise BenchmarkError(f"{counted} answers counted of {seconds * a_second // SAMPLES_OF_ANSWER}")
    return found


class _Run:
    """The pieces of a run that hold figures."""

    def __init__(self, layout: Layout, folder: str) -> None:
        self.aggregate = Aggregate(layout)
        self._recorder = Recorder(layout.closed)
        self._folder = Path(folder)
        self._header = run_header(_info(layout, folder), layout, {}, "")
        self._journal = JournalWriter(folder, self._header)
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder: msgspec.msgpack.Decoder[Delta] = msgspec.msgpack.Decoder(Delta)
        self._json = msgspec.json.Encoder()
        rng = np.random.default_rng(7)
        # From 1 µs to 10 s, in nanoseconds.
        self._values = array("q", (10 ** rng.uniform(3, 10, _VALUES)).astype(np.int64).tobytes())
        self._at = 0
        self._seq = 0
        self._answers = 0

    def second(self, second: int, answers: int) -> None:
        """One second, with so many answers in every delta."""
        stage = second // _STAGE_S % STAGES
        deltas = [self._delta(second, stage, answers) for _ in range(DELTAS_A_SECOND)]
        for delta in deltas:
            self.aggregate.fold(delta)
        situation = RunState(t_s=float(second), stage=stage, target_users=100)
        self.aggregate.second(situation)
        self._json.encode(self.aggregate.snapshot(situation))
        self._journal.second(situation, deltas)
        if not second % _JOURNAL_S:
            self._journal.close()
            self._journal.path.unlink()
            self._journal = JournalWriter(self._folder, self._header)

    def timeline_bytes(self) -> int:
        """What the columns of the timeline hold: a byte a flag, 8 a figure."""
        return len(self.aggregate.timeline) * TICK_BYTES

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    def _delta(self, second: int, stage: int, answers: int) -> Delta:
        row = self._recorder.row(stage)
        for _ in range(answers):
            self._answers += 1
            self._answer(row[self._answers % REQUESTS])
        if self._seq % DELTAS_A_SECOND < ERRORS_A_SECOND:
            leaf = row[0]
            leaf.outcomes["server_error"] = leaf.outcomes.get("server_error", 0) + 1
            self._recorder.error(leaf, Outcome.SERVER_ERROR, f"500: request {second}-{self._seq} failed", float(second))
        self._recorder.check("ok", True)
        new = self._recorder.fold()
        self._seq += 1
        health = Health(fold(self._take(25)), 50.0, 60.0, 100)
        states = [PoolState(0, 100, 50)]
        delta = Delta(0, self._seq, float(second), new.leaves, new.pools, new.errors, new.checks, states, 0.5, health)
        return self._decoder.decode(self._encoder.encode(delta))

    def _answer(self, leaf: Leaf) -> None:
        latency, ttfb, ttft, phase = self._take(SAMPLES_OF_ANSWER)
        leaf.latency.append(latency)
        leaf.ttfb.append(ttfb)
        leaf.ttft.append(ttft)
        leaf.phase("llm_call", phase, latency)
        leaf.status[200] = leaf.status.get(200, 0) + 1
        leaf.bytes_received += 1000
        leaf.output_tokens += 20
        leaf.token_requests += 1
        leaf.output_told += 1

    def _take(self, count: int) -> array[int]:
        self._at = (self._at + count) % (_VALUES - count)
        return self._values[self._at : self._at + count]


def _info(layout: Layout, directory: str) -> RunInfo:
    return RunInfo(
        run_id="simulated",
        name="simulated",
        profile="",
        target="",
        started_at="2026-01-01T00:00:00Z",
        duration_s=0.0,
        warmup_s=0.0,
        stages=layout.stages,
        pools=("chat",),
        seed=0,
        workers=1,
        directory=directory,
    )
