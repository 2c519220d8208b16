"""Tests of agenttop.report.stages: the rows of stages, whoever shows them."""

from __future__ import annotations

import msgspec

from agenttop.metrics.snapshot import StageRow
from agenttop.report.stages import cells, most_telling, rows_of, stage_rows
from tests.report.test_text import full

ROWS = [
    StageRow(at, f"s{at}", "users", f"{at + 1} users", 100, 9.5, 0, 0, 80.0, 100.0 + 50 * (at % 4), times=1.5)
    for at in range(10)
]


def test_what_stages_have_in_common_is_compared() -> None:
    stages = [
        {**stage, "pool": pool, "name": f"{pool}/{stage['name']}", "index": at}
        for at, (stage, pool) in enumerate(zip(full()["stages"], ("chat", "tools", "chat"), strict=True))
    ]
    first, other, last = stage_rows(stages, lambda stage: (1.0, "1 user"))
    assert (first.times, other.times) == (None, None), "each is the first of its pool"
    assert last.times is not None
    assert last.name == "chat/drain", "the pool is said once"


def test_stages_without_a_request_have_no_row() -> None:
    summary = full()
    summary["stages"][1] |= {"requests": 0}
    assert [row.name for row in rows_of(summary)] == ["ramp", "drain"]


def test_users_are_a_number_and_rates_have_their_unit() -> None:
    titles, *lines = cells(ROWS[:2])
    assert titles == ["stage", "users", "rps", "p50", "p95", "429", "errors", "× first"]
    assert lines[0] == ["s0", "1", "9.50", "80.0ms", "100ms", "0", "0", "1.5×"]
    open_ = msgspec.structs.replace(ROWS[1], unit="rate", load="5/s")
    titles, *lines = cells([ROWS[0], open_])
    assert titles[1] == "load"
    assert [line[1] for line in lines] == ["1 users", "5/s"]


def test_what_goes_on_stays_where_there_is_little_room() -> None:
    rows = [msgspec.structs.replace(row, over=row.stage != 4) for row in ROWS]
    assert [row.stage for row in most_telling(rows, 4)] == [0, 3, 4, 9]
    assert most_telling(rows, None) == rows
    assert most_telling(rows, 10) == rows
