"""Steps that a stream tells of, timed as their bytes arrive."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agenttop.users.answer import Answer
from agenttop.users.compile import compile_pools, layout_of
from agenttop.users.compiled import CompiledStep
from tests.profile.writing import load
from tests.users.playing import play, profile
from tests.wire.server import chunked

POOL = 'protocol = "sse"\ndialect = "ag-ui"'
POST = 'post = "/"\njson = {}'
STREAM = {"content-type": "text/event-stream"}


def step_of(folder: Path) -> CompiledStep:
    text = profile(POST, pool=POOL).replace("{port}", "1")
    loaded = load(folder, text).profile
    return compile_pools(loaded, layout_of(loaded))[0].tasks[0].steps[0]


def said(what: str) -> bytes:
    """``+a`` begins the step a, ``-a`` ends it, ``!`` is the end of the run, all else is text."""
    kinds = {"+": "STEP_STARTED", "-": "STEP_FINISHED", "!": "RUN_FINISHED"}
    event = {"type": kinds.get(what[0], "TEXT_MESSAGE_CONTENT"), "stepName": what[1:], "delta": what}
    return f"data: {json.dumps(event)}\n\n".encode()


@pytest.mark.parametrize(
    ("events", "steps"),
    [
        (["+a", "x", "-a", "+b", "-b", "!"], {"a": 20, "b": 10}),
        (["+a", "+b", "-b", "-a", "!"], {"a": 30, "b": 10}),
        (["+a", "-a", "x", "+a", "-a", "!"], {"a": 20}),
        (["+a", "+a", "-a", "-a", "!"], {"a": 40}),
        (["+a", "+b", "-a", "-b", "!"], {"a": 20, "b": 20}),
        (["+a", "+b", "-b", "!"], {"b": 10}),
        (["-a", "+a", "+a", "-a", "!"], {"a": 10}),
        (["x", "-a", "!"], {}),
        (["x", "!"], None),
    ],
)
def test_steps_are_timed_in_pairs(tmp_path: Path, events: list[str], steps: dict[str, int] | None) -> None:
    answer = Answer()
    for _ in range(2):  # the second answer knows nothing of the first
        answer.begin(step_of(tmp_path))
        answer.head(200, STREAM, 0)
        ends = [answer.data(said(event), 1000 + 10 * number) for number, event in enumerate(events)]
        assert answer.step_ns == steps
        assert ends == [False] * (len(events) - 1) + [True]


def test_steps_in_one_piece_take_no_time(tmp_path: Path) -> None:
    answer = Answer()
    answer.begin(step_of(tmp_path))
    answer.head(200, STREAM, 0)
    assert answer.data(b"".join(said(event) for event in ("+a", "x", "-a", "!")), 7)
    assert (answer.step_ns, answer.first_output) == ({"a": 0}, 7)


async def test_steps_are_phases(tmp_path: Path) -> None:
    stream = chunked(
        *(said(event) for event in ("+plan", "-plan", "+answer", "x", "-answer", "+never", "!")),
        headers=("content-type: text/event-stream", "server-timing: queue;dur=1.5, plan;dur=1000000"),
    )
    played, _ = await play(tmp_path, profile(POST, pool=POOL), stream)
    hists = played.only.hists
    assert {name for name in hists if name.startswith("phase.")} == {"phase.queue", "phase.plan", "phase.answer"}
    assert hists["phase.plan"].total <= hists["latency"].total
    assert hists["unattributed"].count == 1


async def test_phases_of_a_failed_run_are_no_figures(tmp_path: Path) -> None:
    failure = b'data: {"type":"RUN_ERROR","message":"broken"}\n\n'
    stream = chunked(said("+a"), said("-a"), failure, headers=("content-type: text/event-stream",))
    played, _ = await play(tmp_path, profile(POST, pool=POOL), stream)
    assert played.only.outcomes == {"stream_error": 1}
    assert played.message() == "broken"
    assert not any(name.startswith("phase.") for name in played.only.hists)
