"""Tests of agenttop.users.compile, agenttop.users.layout.

Good requests: ok, and within every objective of the profile.
"""

from __future__ import annotations

from array import array
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agenttop.users.answer import Answer
from agenttop.users.compile import compile_pools, layout_of
from agenttop.users.record import missed_objectives
from tests.profile.writing import SMALL, load
from tests.users.playing import play, profile
from tests.users.test_outcomes import CHAT, POST, events
from tests.wire.server import ok

MS = 1_000_000
NEVER, ALWAYS = "0.000001ms", "1h"


def good(limits_ms: dict[str, float], *, streamed: bool = True, tokens: int | None = 11) -> bool:
    """An answer of 100 ms, planned 50 ms before: first byte 20, reasoning 40, speech 60, its longest gap 15."""
    answer = Answer()
    answer.begin(cast("Any", None))
    answer.ttfb_ns = 20 * MS
    if streamed:
        answer.ttft_ns, answer.first_output, answer.first_speech = 40 * MS, 1040 * MS, 1060 * MS
        answer.gaps = array("q", [5 * MS, 15 * MS, 1 * MS])
        answer.reader = cast("Any", SimpleNamespace(output_tokens=tokens))
    step = SimpleNamespace(objectives=tuple((name, round(limit * MS)) for name, limit in limits_ms.items()))
    return not missed_objectives(cast("Any", step), answer, 100 * MS, 150 * MS, 1000 * MS)


@pytest.mark.parametrize(
    ("name", "value_ms"),
    [("latency", 100), ("response_time", 150), ("ttfb", 20), ("ttft", 40), ("ttfo", 60), ("tpot", 6),
     ("inter_chunk", 15)],
)  # fmt: skip
def test_every_objective_has_its_limit(name: str, value_ms: float) -> None:
    assert good({name: value_ms})
    assert not good({name: value_ms - 0.01})


def test_one_that_is_missed_is_enough() -> None:
    assert good({"latency": 100, "ttft": 40, "tpot": 6})
    assert not good({"latency": 100, "ttft": 40, "tpot": 5})


def test_what_an_answer_does_not_have_is_not_held_against_it() -> None:
    assert good({"ttft": 1, "ttfo": 1, "tpot": 1, "inter_chunk": 1, "latency": 100}, streamed=False)
    assert good({"tpot": 1}, tokens=1)
    assert good({"tpot": 1}, tokens=None)


@pytest.mark.parametrize(("limit", "wanted"), [(ALWAYS, 2), (NEVER, 0)])
async def test_plain_answers(tmp_path: Path, limit: str, wanted: int) -> None:
    text = profile(top=f'objectives = {{ latency = "{limit}" }}')
    played, _ = await play(tmp_path, text, ok(b"x"), ok(b"no", status="500 x"), ok(b"x"))
    assert played.only.outcomes == {"ok": 2, "server_error": 1}
    assert played.only.sums.get("good", 0) == wanted


@pytest.mark.parametrize(("limit", "wanted"), [(ALWAYS, 1), (NEVER, 0)])
async def test_streams(tmp_path: Path, limit: str, wanted: int) -> None:
    text = profile(POST, pool=CHAT, top=f'objectives = {{ ttft = "{limit}", latency = "1h" }}')
    played, _ = await play(tmp_path, text, events("a", "b"))
    assert played.only.sums.get("good", 0) == wanted


def test_without_objectives_the_lean_path_stays(tmp_path: Path) -> None:
    for text, lean in ((SMALL, True), ('objectives = { latency = "1s" }' + SMALL, False)):
        found = load(tmp_path, text).profile
        layout = layout_of(found)
        step = compile_pools(found, layout)[0].tasks[0].steps[0]
        assert (step.lean, layout.objectives, bool(step.objectives)) == (lean, not lean, not lean)
