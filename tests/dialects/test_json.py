from __future__ import annotations

from typing import Any

import pytest

from agenttop.dialects import DIALECTS, dialect_named
from agenttop.dialects.base import DONE, ERROR, OUTPUT, RATE_LIMITED, REASONING
from agenttop.dialects.json_ import Extractor, Measure, Path, keys_of


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


def whole(value: Any) -> tuple[bool, Any]:
    """What the path ``$`` does."""
    return True, value


def test_a_path_of_an_events_name_looks_into_no_other() -> None:
    measure: Measure = {
        "first_token": Path(key("text"), event=b"token"),
        "reasoning": Path(key("text"), event=b"thought"),
        "done": Path(whole, event=b"end", words=True),
        "output_tokens": Path(key("out"), event=b"usage"),
        "input_tokens": key("out"),
    }
    reader = dialect_named("custom", measure).reader()
    events = [
        (b"thought", b'{"text":"hm"}'),
        (b"token", b'{"text":"a"}'),
        (b"token", b'{"text":""}'),
        (b"", b'{"text":"b"}'),
    ]
    assert [reader.event(data, name) for name, data in events] == [OUTPUT | REASONING, OUTPUT, 0, 0]
    assert reader.chunks == 2
    assert reader.event(b'{"out":3}', b"other") == 0
    assert (reader.input_tokens, reader.output_tokens) == (3, None)
    assert reader.event(b'{"out":7}', b"usage") == 0
    assert (reader.input_tokens, reader.output_tokens) == (7, 7)


@pytest.mark.parametrize("data", [b"", b"{}", b"null", b"false", b"[]", b"bye", b'{"a":1}', b"0"])
def test_the_event_of_a_name_is_the_end_or_a_failure_whatever_is_in_it(data: bytes) -> None:
    for name, flag in (("done", DONE), ("error", ERROR)):
        reader = dialect_named("custom", {name: Path(whole, event=b"fin", words=True)}).reader()
        assert reader.event(data, b"fin") == flag
        assert not reader.event(data, b"other") & flag


def test_the_words_of_a_failed_event_are_its_text() -> None:
    reader = dialect_named("custom", {"error": Path(whole, event=b"fault", words=True)}).reader()
    assert reader.event(b"the model has left", b"fault") == ERROR
    assert reader.error == "the model has left"


def test_an_event_that_is_text_is_output_by_its_name() -> None:
    reader = dialect_named("custom", {"first_token": Path(whole, event=b"token", words=True)}).reader()
    events = [
        (b"token", b"Hel"),
        (b"token", b"lo"),
        (b"ping", b"Hel"),
        (b"", b"Hel"),
        (b"token", b'"x"'),
        (b"token", b'""'),
    ]
    assert [reader.event(data, name) for name, data in events] == [OUTPUT, OUTPUT, 0, 0, OUTPUT, 0]


def test_an_event_without_a_name_is_a_message() -> None:
    reader = dialect_named("custom", {"first_token": Path(key("t"), event=b"message")}).reader()
    assert [reader.event(b'{"t":"x"}', name) for name in (b"", b"message", b"msg")] == [OUTPUT, OUTPUT, 0]


def test_an_event_called_error_fails_though_paths_look_into_it() -> None:
    reader = dialect_named("custom", {"error": Path(key("why"), event=b"error")}).reader()
    assert reader.event(b'{"why":"over"}', b"error") == ERROR
    assert reader.error == "over"
    reader = dialect_named("custom", {"error": Path(key("why"), event=b"error")}).reader()
    assert reader.event(b'{"message":"told otherwise"}', b"error") == ERROR
    assert reader.error == "told otherwise"


def test_calls_are_counted_by_an_events_name() -> None:
    reader = dialect_named("custom", {"tool_calls": Path(whole, event=b"tool_call", words=True)}).reader()
    for data in (b'{"id":"1","name":"a"}', b'{"id":"1","arguments":"x"}', b'{"id":"2"}'):
        reader.event(data, b"tool_call")
    reader.event(b'{"id":"3"}', b"tool_result")
    assert reader.tool_calls == 2


MATCHES = {
    "all of a stream": (
        [b'{"delta":"a","done":true,"usage":{"input":1,"output":2}}'],
        {"first_token", "done", "input_tokens", "output_tokens"},
    ),
    "output that is empty": ([b'{"delta":""}', b'{"delta":null}'], set()),
    "no numbers": ([b'{"usage":{"input":"12","output":null},"timings":{"llm":"1 s"}}'], set()),
    "calls, none of them": ([b'{"tools":[],"meta":{"llm_calls":0}}'], {"tool_calls", "llm_calls"}),
    "a phase": ([b'{"timings":{"tools":0.5}}'], {"phases.tools"}),
    "not the end yet": ([b'{"done":false}'], set()),
    "text": ([b"delta", b""], set()),
}  # fmt: skip


@pytest.mark.parametrize(("events", "matched"), MATCHES.values(), ids=MATCHES)
def test_a_reader_says_which_paths_matched(events: list[bytes], matched: set[str]) -> None:
    reader = dialect_named("custom", MEASURE).reader()
    for data in events:
        reader.event(data)
    assert {name for bit, name in enumerate(keys_of(MEASURE)) if reader.matched >> bit & 1} == matched


def test_a_body_says_which_paths_matched_too() -> None:
    reader = dialect_named("custom", MEASURE).reader()
    reader.body(b'{"delta":"a","usage":{"output":2},"tools":{"name":"x"}}')
    assert {name for bit, name in enumerate(keys_of(MEASURE)) if reader.matched >> bit & 1} == {
        "output_tokens",
        "tool_calls",
    }


def test_why_an_answer_ended_is_of_no_figure_but_is_known_to_have_matched() -> None:
    measure: Measure = {"output_tokens": key("n"), "finish": key("finish"), "done": key("done")}
    for data, matched in (
        (b'{"finish":"stop"}', {"finish"}),
        (b'{"finish":"stop","done":true}', {"finish", "done"}),
        (b'{"finish":null,"n":1}', {"output_tokens"}),
        (b'{"finish":""}', set()),
    ):
        for read in ("event", "body"):
            reader = dialect_named("custom", measure).reader()
            getattr(reader, read)(data)
            assert {name for bit, name in enumerate(keys_of(measure)) if reader.matched >> bit & 1} == matched
    reader = dialect_named("custom", {"finish": Path(whole, event=b"end", words=True)}).reader()
    assert reader.event(b"length", b"token") == OUTPUT
    assert reader.matched == 0
    reader.event(b"length", b"end")
    assert reader.matched == 1


def test_a_length_of_no_matches_is_none() -> None:
    measure: Measure = {"input_tokens": Path(lambda value: (True, len(value)), counts=True)}
    for data, matched in ((b"[]", 0), (b"[1]", 1)):
        reader = dialect_named("custom", measure).reader()
        reader.body(data)
        assert reader.matched == matched
