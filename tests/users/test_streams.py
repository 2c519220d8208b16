"""Streams that are none, that stall, and that have no end."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.metrics.outcome import Outcome
from agenttop.users.streams import is_one_burst
from tests.users.playing import play, profile
from tests.users.test_outcomes import CHAT, HALF, LONG, POST, ROLE, _late, events

MS = 1_000_000
S = 1000 * MS


@pytest.mark.parametrize(
    ("latency", "ttft", "span", "chunks", "tokens", "burst"),
    [
        # a proxy that lets go of everything at the end
        (2 * S, 1_999 * MS, 0, 40, None, True),
        (2 * S, 1_995 * MS, 3 * MS, 40, None, True),
        (20 * S, 19_980 * MS, 10 * MS, 400, 400, True),
        # a stream made up of a finished answer
        (2 * S, 2 * S, 0, 1, 80, True),
        (2 * S, 1_999 * MS, 0, 8, None, True),
        # one that streams
        (2 * S, 300 * MS, 1_700 * MS, 40, 40, False),
        # the fastest there are: some 3 000 tokens a second after a second of thought
        (1_013 * MS, 1_000 * MS, 13 * MS, 40, 40, False),
        (1_003 * MS, 1_000 * MS, 2_300_000, 8, 8, False),
        (1_005 * MS, 1_000 * MS, 5 * MS, 2, 16, False),
        # a fast model that answers in few chunks
        (300 * MS, 295 * MS, 2 * MS, 3, None, False),
        (300 * MS, 295 * MS, 2 * MS, 3, 12, False),
        (300 * MS, 299 * MS, 0, 1, 5, False),
        # too quick to tell
        (99 * MS, 98 * MS, 0, 40, 40, False),
        # all at once, but not at the end: TTFT is true
        (2 * S, 300 * MS, 0, 40, 40, False),
    ],
)
def test_what_is_one_burst(latency: int, ttft: int, span: int, chunks: int, tokens: int | None, burst: bool) -> None:
    assert is_one_burst(latency, ttft, span, chunks, tokens) is burst


@given(st.floats(20, 5_000), st.integers(2, 5_000), st.integers(0, 60 * S))
def test_no_model_that_streams_is_taken_for_one(per_s: float, tokens: int, ttft: int) -> None:
    span = int((tokens - 1) / per_s * S)
    assert not is_one_burst(ttft + span, ttft, span, tokens, tokens)


@given(st.integers(1, 5_000), st.integers(100 * MS, 600 * S), st.integers(0, 1 * MS))
def test_a_lump_is_one_whenever_it_is_long_enough(chunks: int, latency: int, span: int) -> None:
    assert is_one_burst(latency, latency - span, span if chunks >= 10 else 0, chunks, None) is (chunks >= 8)


async def test_streams_are_counted(tmp_path: Path) -> None:
    played, _ = await play(tmp_path, profile(POST, pool=CHAT), events("a", "b"), events("", ""), events("a"))
    # One had no output, and a quick answer is no burst.
    assert played.only.sums["streamed"] == 2
    assert "one_burst" not in played.only.sums


@pytest.mark.parametrize(
    ("answer", "top", "pool", "stalled"),
    [
        (ROLE[:-5], 'idle_timeout = "5s"', CHAT, 1),
        (ROLE[:-5], 'first_token_timeout = "4s"', CHAT, 0),
        (HALF, 'idle_timeout = "5s"', "", 0),
    ],
    ids=["stalled", "no first token", "no stream"],
)
async def test_what_stalled(tmp_path: Path, answer: bytes, top: str, pool: str, stalled: int) -> None:
    step = POST if pool else 'get = "/"'
    played = await _late(answer, profile(step, top=LONG + top, pool=pool), tmp_path)
    assert played.only.outcomes == {"timeout": 1}
    assert played.only.sums.get("stalled", 0) == stalled


async def test_a_stream_without_an_end_is_not_one_that_was_cut(tmp_path: Path) -> None:
    whole = events("a", done=False)
    cut = whole[: -len(b"0\r\n\r\n")]

    async def hang_up(reader: object, writer: object) -> None:
        writer.write(cut)  # type: ignore[attr-defined]
        writer.close()  # type: ignore[attr-defined]

    played, _ = await play(tmp_path, profile(POST, pool=CHAT), whole, hang_up, events("a"))
    assert played.only.outcomes == {Outcome.TRUNCATED.value: 2, "ok": 1}
    assert played.only.sums["unterminated"] == 1
