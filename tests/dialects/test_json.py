from __future__ import annotations

from typing import Any

import pytest

from agenttop.dialects import DIALECTS, dialect_named
from agenttop.dialects.base import DONE, ERROR, OUTPUT, RATE_LIMITED, REASONING
from agenttop.dialects.json_ import Extractor, Measure


def key(*names: str) -> Extractor:
    """What a compiled path does, for plain keys."""

    def extract(value: Any) -> tuple[bool, Any]:
        for name in names:
            if not isinstance(value, dict) or name not in value:
                return False, None
            value = value[name]
        return True, value

    return extract


MEASURE: Measure = {
    "first_token": key("delta"),
    "done": key("done"),
    "error": key("error"),
    "llm_calls": key("meta", "llm_calls"),
    "tool_calls": key("tools"),
    "input_tokens": key("usage", "input"),
    "output_tokens": key("usage", "output"),
    "phases": {"llm_call": key("timings", "llm"), "tools": key("timings", "tools")},
}


def test_every_dialect_has_its_name() -> None:
    for name in DIALECTS:
        assert dialect_named(name).name == {"custom": "json"}.get(name, name)
        assert dialect_named(name).reader().phases is None


def test_an_unknown_dialect_names_the_known() -> None:
    with pytest.raises(ValueError, match=r"no dialect 'jsn'; there are: json, custom, openai\.chat"):
        dialect_named("jsn")


def test_an_unknown_measure_names_the_known() -> None:
    with pytest.raises(ValueError, match="nothing called 'firsttoken' can be measured; there are: cached_tokens, done"):
        dialect_named("custom", {"firsttoken": key("a")})


@pytest.mark.parametrize(
    ("data", "flags"),
    [(b'{"a":1}', OUTPUT), (b"plain words", OUTPUT), (b" ", OUTPUT), (b"", 0), (b"[DONE]", DONE), (b"\xff", OUTPUT)],
)
def test_without_a_measure_all_data_is_output(data: bytes, flags: int) -> None:
    dialect = dialect_named("json")
    assert not dialect.terminal
    assert not dialect.reads_body
    assert dialect.reader().event(data) == flags
    assert dialect.reader().body(data) == DONE


@pytest.mark.parametrize(
    ("data", "flags"),
    [
        (b'{"delta":"a"}', OUTPUT),
        (b'{"delta":" "}', OUTPUT),
        (b'{"delta":0}', OUTPUT),
        (b'{"delta":["a"]}', OUTPUT),
        (b'{"delta":""}', 0),
        (b'{"delta":null}', 0),
        (b'{"delta":false}', 0),
        (b'{"delta":[]}', 0),
        (b'{"delta":{}}', 0),
        (b'{"other":1}', 0),
        (b"ping", 0),
        (b"", 0),
        (b"[DONE]", DONE),
        (b'{"done":true}', DONE),
        (b'{"done":false,"delta":"a"}', OUTPUT),
        (b'{"done":true,"delta":"a"}', OUTPUT | DONE),
        (b'{"error":null,"delta":"a"}', OUTPUT),
        (b'{"error":{"message":"m"}}', ERROR),
        (b'{"error":"429"}', ERROR | RATE_LIMITED),
    ],
)
def test_paths_say_what_an_event_is(data: bytes, flags: int) -> None:
    dialect = dialect_named("custom", MEASURE)
    assert dialect.terminal
    assert dialect.reads_body
    reader = dialect.reader()
    assert reader.event(data) == flags
    assert reader.chunks == (1 if flags & OUTPUT else 0)


def test_counts_and_phases_from_events() -> None:
    reader = dialect_named("custom", MEASURE).reader()
    reader.event(b'{"meta":{"llm_calls":1},"usage":{"input":10,"output":1},"timings":{"llm":0.5}}')
    reader.event(b'{"meta":{"llm_calls":3},"usage":{"output":7},"timings":{"llm":1.5,"tools":2}}')
    assert (reader.llm_calls, reader.tool_calls, reader.input_tokens, reader.output_tokens) == (3, None, 10, 7)
    assert reader.phases == {"llm_call": 1.5, "tools": 2.0}


def test_counts_and_phases_from_a_whole_body() -> None:
    reader = dialect_named("json", MEASURE).reader()
    assert reader.body(b'{"delta":"all of it","tools":[{},{}],"usage":{"output":7.0},"timings":{"tools":0.25}}') == DONE
    assert (reader.tool_calls, reader.output_tokens, reader.phases, reader.chunks) == (2, 7, {"tools": 0.25}, 0)


def test_a_failure_told_by_a_field_of_a_200() -> None:
    reader = dialect_named("json", MEASURE).reader()
    assert reader.body(b'{"error":{"code":"rate_limit_exceeded","message":"m"}}') == DONE | ERROR | RATE_LIMITED
    assert reader.error == "m"


@pytest.mark.parametrize("value", [b"null", b"true", b'"5"', b"-1"])
def test_what_is_no_number_is_not_counted(value: bytes) -> None:
    reader = dialect_named("json", MEASURE).reader()
    reader.body(b'{"usage":{"input":' + value + b'},"timings":{"llm":' + value + b"}}")
    assert (reader.input_tokens, reader.phases) == (None, None)


@pytest.mark.parametrize("data", [b"", b"ok", b"<html>", b"\xff"])
def test_a_body_that_is_no_json_matches_nothing(data: bytes) -> None:
    reader = dialect_named("json", MEASURE).reader()
    assert reader.body(data) == DONE
    assert reader.error is None


def test_without_a_first_token_path_what_is_not_the_end_is_output() -> None:
    reader = dialect_named("custom", {"done": key("done"), "error": key("error")}).reader()
    events = [b'{"a":1}', b"words", b'{"error":"x"}', b'{"done":1}', b""]
    assert [reader.event(data) for data in events] == [OUTPUT, OUTPUT, ERROR, DONE, 0]


CALLS = {
    "objects, an event each": ([b'{"tools":{"name":"a"}}', b'{"tools":{"name":"b","x":1}}'], 2),
    "one object of three keys": ([b'{"tools":{"name":"a","arguments":{},"type":"function"}}'], 1),
    "lists": ([b'{"tools":[{"name":"a"}]}', b'{"tools":[]}', b'{"tools":[{"name":"b"},{"name":"a"}]}'], 3),
    "names": ([b'{"tools":"search"}', b'{"tools":""}', b'{"tools":null}', b'{"tools":"search"}'], 2),
    "numbers so far": ([b'{"tools":1}', b'{"tools":2}'], 2),
    "pieces of one": (
        [b'{"tools":[{"index":0,"id":"c1","name":"a"}]}', b'{"tools":[{"index":0,"args":"{"}]}',
         b'{"tools":[{"index":0,"args":"}"}]}'], 1),
    "pieces of two": (
        [b'{"tools":[{"index":0,"id":"c1"}]}', b'{"tools":[{"index":0}]}', b'{"tools":[{"index":1,"id":"c2"}]}',
         b'{"tools":[{"index":1}]}'], 2),
    "pieces of two rounds": (
        [b'{"tools":[{"index":0,"id":"c1"}]}', b'{"tools":[{"index":0}]}', b'{"tools":[{"index":0,"id":"c2"}]}'], 2),
    "all so far, with ids": ([b'{"tools":[{"id":"a"}]}', b'{"tools":[{"id":"a"},{"id":"b"}]}'], 2),
    "none": ([b'{"tools":[]}'], 0),
    "not told": ([b'{"other":1}', b'{"tools":null}', b'{"tools":true}'], None),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_calls_over_events_add_up(name: str) -> None:
    events, calls = CALLS[name]
    reader = dialect_named("custom", MEASURE).reader()
    for data in events:
        reader.event(data)
    assert reader.tool_calls == calls


@pytest.mark.parametrize(
    ("data", "flags", "alone"),
    [
        (b'{"thought":"hm"}', OUTPUT | REASONING, OUTPUT | REASONING),
        (b'{"thought":"hm","delta":"a"}', OUTPUT, OUTPUT | REASONING),
        (b'{"delta":"a"}', OUTPUT, OUTPUT),
        (b'{"thought":""}', 0, OUTPUT),
        (b'{"thought":null,"other":1}', 0, OUTPUT),
    ],
)
def test_output_of_reasoning(data: bytes, flags: int, alone: int) -> None:
    thought = {"reasoning": key("thought")}
    assert dialect_named("custom", {"first_token": key("delta"), **thought}).reader().event(data) == flags
    assert dialect_named("custom", thought).reader().event(data) == alone


def test_an_event_called_error_is_a_failure_whatever_is_in_it() -> None:
    for measure in (None, {"first_token": lambda value: (False, None)}):
        for data, words in (
            (b'{"message": "gone"}', "gone"),
            (b" no JSON ", "no JSON"),
            (b'{"error": "slow"}', "slow"),
        ):
            reader = dialect_named("json", measure).reader()
            assert reader.event(data, b"error") == ERROR
            assert (reader.error, reader.chunks) == (words, 0)
