"""Numbers that no answer means: a target that tells them is measured all the same."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from agenttop.dialects import dialect_named
from tests.users.playing import play, profile
from tests.wire.server import ok


@pytest.mark.parametrize("header", ["retry-after: 9999999999", "retry-after: Fri, 31 Dec 9999 23:59:59 GMT"])
async def test_a_wait_of_centuries_is_a_refusal_like_others(tmp_path: Path, header: str) -> None:
    date = "date: Sun, 06 Nov 1994 08:49:37 GMT"
    played, _ = await play(tmp_path, profile(), ok(b"", header, date, status="429 x"), ok(b"x"))
    assert played.only.outcomes == {"rate_limited": 1, "ok": 1}


@pytest.mark.parametrize("duration", ["1e30", "1e307"])
async def test_a_phase_of_centuries_is_recorded(tmp_path: Path, duration: str) -> None:
    played, _ = await play(tmp_path, profile(), ok(b"x", f"server-timing: llm;dur={duration}"), ok(b"x"))
    assert played.only.outcomes == {"ok": 2}
    assert "phase.llm" in played.only.hists


async def test_absurd_counts_of_tokens_fit_a_report(tmp_path: Path) -> None:
    body = b'{"object": "response", "output": [], "usage": {"input_tokens": 1%s, "output_tokens": 1}}' % (b"0" * 30)
    text = profile(top='dialect = "openai.responses"\n')
    played, _ = await play(tmp_path, text, ok(body, "content-type: application/json"), ok(b"x"))
    msgspec.msgpack.encode(played.only.sums)


@pytest.mark.parametrize(
    ("dialect", "data"),
    [
        ("openai.realtime", b'{"type": "response.done", "response": {"output": [{"type": []}]}}'),
        ("openai.realtime", b'{"type": "response.output_item.added", "item": {"type": {}}}'),
        ("ag-ui", b'{"type": "TEXT_MESSAGE_START", "role": {}}'),
    ],
)
def test_a_type_that_is_no_text_does_not_raise(dialect: str, data: bytes) -> None:
    dialect_named(dialect).reader().event(data)
