"""JSON with a byte order mark, and in other encodings than UTF-8."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.dialects.encoding import utf8
from tests.users.playing import play, profile
from tests.users.test_outcomes import CHAT
from tests.wire.server import ok

ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)


@pytest.mark.parametrize(("encoding", "mark"), list(zip(ENCODINGS, MARKS, strict=True)), ids=ENCODINGS)
@pytest.mark.parametrize("text", ['{"a": "ü"}', "[1]", '"a"', "12"])
def test_every_encoding_of_json(encoding: str, mark: bytes, text: str) -> None:
    assert utf8(mark + text.encode(encoding)) == text.encode()
    assert utf8(text.encode(encoding)) == text.encode()


@given(st.binary(max_size=12))
def test_anything_else_is_left_alone(data: bytes) -> None:
    found = utf8(data)
    if b"\0" not in data[:4] and not data.startswith(MARKS):
        assert found == data


@pytest.mark.parametrize(("encoding", "mark"), list(zip(ENCODINGS, MARKS, strict=True)), ids=ENCODINGS)
async def test_an_answer_is_read_checked_and_saved(tmp_path: Path, encoding: str, mark: bytes) -> None:
    text = '{"choices": [{"message": {"content": "Hi"}}], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}'
    step = 'post = "/"\njson = {}\nsave = { said = "$.choices[0].message.content" }\nchecks = { hi = "$.choices" }'
    text_of = profile(step, pool=CHAT.replace('protocol = "sse"', ""))
    played, _ = await play(tmp_path, text_of, ok(mark + text.encode(encoding), "content-type: application/json"))
    assert (played.only.outcomes, played.checks) == ({"ok": 1}, {"hi": (1, 0)})
    assert played.only.sums["output_tokens"] == 2


def test_utf8_with_a_mark_loses_the_mark_alone() -> None:
    assert utf8(b"\xef\xbb\xbf{\xff}") == b"{\xff}", "what is broken in it is the reader's to mend"
    assert utf8(b"{\xff}") == b"{\xff}"
    for encoding in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"):
        assert utf8('{"a": "ä"}'.encode(encoding)) == '{"a": "ä"}'.encode()
    assert utf8('{"a"}'.encode("utf-16-le") + b"\x00") == '{"a"}\ufffd'.encode()
