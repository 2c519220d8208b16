from __future__ import annotations

from pathlib import Path

import pytest

from agenttop.expressions.jsonpath import JsonPathSyntaxError
from agenttop.profile.measured import compile_measured, is_of_event
from tests.profile.writing import TOP, problems

DOCUMENT = {"a": {"b": [1, 2, 3]}, "event": "x"}

PATHS = {
    "$.a.b[0]": (None, False, False, 1),
    "length($.a.b)": (None, False, False, 3),
    "length($.a.b[*])": (None, False, True, 3),
    "length($.a.none[*])": (None, False, True, 0),
    "$.event": (None, False, False, "x"),
    "event token": (b"token", True, False, DOCUMENT),
    "  event   token  ": (b"token", True, False, DOCUMENT),
    "event token $.a.b[1]": (b"token", False, False, 2),
    "event thread.run.step.delta length($.a.b)": (b"thread.run.step.delta", False, False, 3),
    "event usage length($.a.b[*])": (b"usage", False, True, 3),
    "event messages/partial $": (b"messages/partial", False, False, DOCUMENT),
    "event two words $.a.b[2]": (b"two words", False, False, 3),
    "event två": ("två".encode(), True, False, DOCUMENT),
    "event event": (b"event", True, False, DOCUMENT),
}


@pytest.mark.parametrize(("text", "expected"), PATHS.items(), ids=PATHS)
def test_paths(text: str, expected: tuple[object, ...]) -> None:
    path = compile_measured(text)
    assert (path.event, path.words, path.counts, path.extract(DOCUMENT)[1]) == expected
    assert is_of_event(text) == (expected[0] is not None)


def test_who_counts_calls_is_given_them() -> None:
    assert compile_measured("event call length($.a.b[*])", calls=True).extract(DOCUMENT) == (True, [1, 2, 3])


@pytest.mark.parametrize(
    "text", ["event", "event ", "event token $[", "event x length(", "eventx $.a", "token", "event " + "n" * 200]
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(JsonPathSyntaxError):
        compile_measured(text)
    assert not is_of_event(text) or text.startswith("event ")


def test_a_long_text_is_refused_at_once() -> None:
    with pytest.raises(JsonPathSyntaxError):
        compile_measured("event " + " $" * 500_000)


@pytest.mark.parametrize("where", ["", "pools."])
def test_a_message_of_a_websocket_has_no_event(tmp_path: Path, where: str) -> None:
    table = f'[{where}measure]\ndone = "event end"\nphases = {{ llm = "event usage $.s" }}\n'
    pool = '[[pools]]\nname = "voice"\nprotocol = "ws"\n'
    tasks = '[[pools.setup]]\nconnect = "/"\n[[pools.tasks]]\nsend = "x"\n'
    text = TOP + (pool + table + tasks if where else table + pool + tasks)
    found = [each for each in map(str, problems(tmp_path, text)) if "SSE event" in each]
    assert len(found) == 2
    assert "measure.done" in found[0]
