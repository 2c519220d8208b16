"""Tests of agenttop.quality.answer, agenttop.quality.case and agenttop.quality.score."""

from __future__ import annotations

import msgspec
import pytest

from agenttop.quality.answer import Answer, ToolCall
from agenttop.quality.case import Case, GraderSpec
from agenttop.quality.score import Part, Score

VALUES = [
    Answer("a1", "ramp 2/4", 12, text="It is on its way.", tools=(ToolCall("lookup_order", {"order": 12345}),)),
    Case(
        "a1", "Where is 12345?", {"city": "Bonn"}, ("on its way",), ("orders",), graders=(GraderSpec("contains", "x"),)
    ),
    Score("a1", "peak", 40, value=0.5, cause="wrong", parts=(Part("contains", 0.0, "no “x”"), Part("judge", None))),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_go_from_process_to_process_and_come_back_equal(value: Answer | Case | Score) -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(value), type=type(value)) == value
    assert msgspec.json.decode(msgspec.json.encode(value), type=type(value)) == value
