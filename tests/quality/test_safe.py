"""Tests of agenttop.quality.safe."""

from __future__ import annotations

from agenttop.metrics.safe_text import SafeText
from agenttop.quality.answer import Answer, ToolCall
from agenttop.quality.safe import safe_answer

SECRET = "tops3cret"


def test_no_text_of_an_answer_leaves_with_a_secret_in_it() -> None:
    arguments = {"key": SECRET, "list": [{"deep": f"x {SECRET}"}], SECRET: 1}
    answer = Answer(
        f"case {SECRET}", text=f"It is\n{SECRET}\x1b[1m", tools=(ToolCall(f"f_{SECRET}", arguments),), finish=SECRET,
        error=f"bad {SECRET}\nline",
    )  # fmt: skip
    found = safe_answer(answer, SafeText([SECRET]))
    assert SECRET not in repr(found)
    assert found.text == "It is\n***\x1b[1m"
    assert found.tools == (ToolCall("f_***", {"key": "***", "list": [{"deep": "x ***"}], "***": 1}),)
    assert found.error == "bad *** line"


def test_what_holds_none_is_as_it_was() -> None:
    answer = Answer("a", text="It is\n  nine.\x00", tools=(ToolCall("f", {"a": [1, None, True]}),))
    assert safe_answer(answer, SafeText([SECRET])) == answer
    assert safe_answer(answer, SafeText()) == answer
