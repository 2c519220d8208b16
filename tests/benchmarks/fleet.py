"""What a controller takes for so many boxes: their deltas from bytes to figures, pictures and journal, simulated.

Everything but the network and Dask, whose part is measured by a run over two boxes (``agenttop.explain`` fleet).
"""

from __future__ import annotations

import tempfile
import time
from statistics import median

import psutil
from msgspec.structs import replace

from agenttop.controller.items import Item
from agenttop.fleet.messages import items_of, pack
from agenttop.journal.figures import Figures
from agenttop.journal.journal import JournalWriter
from agenttop.journal.rules import Rules
from agenttop.journal.summarize import run_header
from agenttop.metrics.boxes import BoxInfo, BoxState
from agenttop.metrics.compact import gathered
from tests.benchmarks.options import Options, begin
from tests.benchmarks.results import Results
from tests.metrics.fakes import TICKS, FakeRun

WORKERS = 16
#: Users of a worker; each of them asks about twice a second.
USERS = 50


def fleet(options: Options) -> Results:
    """CPU, memory and lateness of a controller, by the number of boxes."""
    results = begin(f"fleet: a controller with boxes of {WORKERS} workers, simulated")
    results.note("all but the network: deltas from bytes to figures, pictures and journal; a second has to take less")
    for boxes in (1, 10) if options.quick else (1, 10, 100):
        _measure(results, boxes, 5 if options.quick else 12)
    return results


def _measure(results: Results, boxes: int, seconds: int) -> None:
    total = boxes * WORKERS
    run = FakeRun(seconds=10 * seconds, workers=WORKERS, peak=WORKERS * USERS)
    infos = [BoxInfo(f"b{number}", number * WORKERS, WORKERS, WORKERS + 1, "h") for number in range(boxes)]
    figures = Figures(run.layout, Rules(), boxes=infos)
    took, sent, first = [], 0, 3 * seconds  # all users are there by then
    with tempfile.TemporaryDirectory(prefix="agenttop-fleet-") as folder:
        info = replace(run.info(), workers=total, boxes=tuple(infos))
        journal = JournalWriter(folder, run_header(info, run.layout, {}, ""))
        for second in range(first, first + seconds):
            said = _said(run, second, infos)
            sent += sum(map(len, said))
            began = time.process_time()
            deltas = []
            for data in said:
                for item in items_of(data):
                    assert item.delta is not None
                    figures.fold(item.delta)
                    deltas.append(item.delta)
            states = tuple(BoxState(each.name, "up", 1.0, 0.5, 0.0) for each in infos)
            now = replace(run.situation(second), workers=total, alive=total, boxes=states)
            figures.second(now, [(0.0, float(second))] * 3)
            figures.snapshot(now)
            journal.second(now, deltas)
            took.append(time.process_time() - began)
        size = journal.size
        journal.close()
    counted = sum(box["requests"] for box in figures.aggregate.boxes.summary())
    results.expect(counted > 0, "nothing was counted")
    results.add(
        f"{boxes} box{'es' if boxes > 1 else ''}, {total} workers, {total * USERS} users",
        CPU_percent=100 * median(took),
        worst_second_ms=1000 * max(took),
        kB_per_s_a_box=sent / seconds / boxes / 1000,
        journal_kB_per_s=size / seconds / 1000,
        RSS_MB=psutil.Process().memory_info().rss / 1e6,
        requests_per_s=counted / seconds,
    )


def _said(run: FakeRun, second: int, infos: list[BoxInfo]) -> list[bytes]:
    """What all boxes say in a second, as it is sent: a message a tick and box, all its workers in it."""
    by_tick = [run.deltas(second)[tick::TICKS] for tick in range(TICKS)]
    found = []
    for deltas in by_tick:
        for info in infos:
            items = [
                Item(number + 1, info.first + number, delta=replace(delta, worker=info.first + number))
                for number, delta in enumerate(gathered(deltas))
            ]
            found.append(pack(items))
    return found
