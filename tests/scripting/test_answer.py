"""What a user's code sees of an answer."""

from __future__ import annotations

import pytest

from agenttop.scripting import Answer, RequestFailed

SSE = b'event: a\ndata: {"n":1}\n\ndata: [DONE]\n\n'


def test_an_ok_answer() -> None:
    answer = Answer(201, "ok", "", {"content-type": "application/json"}, b'{"a": [1]}', (), 0.25, 0.125, None, 3, 4)
    assert (answer.ok, answer.json(), answer.text, answer.events) == (True, {"a": [1]}, '{"a": [1]}', [])
    assert (answer.latency, answer.ttfb, answer.ttft) == (0.25, 0.125, None)
    assert (answer.input_tokens, answer.output_tokens) == (3, 4)
    answer.raise_for_status()
    assert repr(answer) == "<Answer status 201, ok>"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_json_is_read_in_the_encodings_that_checks_read(encoding: str) -> None:
    assert Answer(200, "ok", "", {}, '{"a": "ü"}'.encode(encoding)).json() == {"a": "ü"}


def test_headers_are_found_in_any_case() -> None:
    headers = Answer(200, "ok", "", {"retry-after": "3"}, b"").headers
    assert headers["Retry-After"] == headers["retry-after"] == headers.get("RETRY-AFTER") == "3"
    assert "nope" not in headers
    assert dict(headers) == {"retry-after": "3"}


def test_a_failed_answer_raises_only_when_it_is_asked_to() -> None:
    answer = Answer(503, "server_error", "503 Service Unavailable: busy", {}, b"busy\xff")
    assert not answer.ok
    assert answer.text == "busy\ufffd"
    with pytest.raises(RequestFailed, match="server_error: 503 Service Unavailable: busy") as failed:
        answer.raise_for_status()
    assert failed.value.answer is answer
    with pytest.raises(ValueError, match=r"the answer is no JSON \(status 503, server_error\)"):
        answer.json()


def test_a_200_that_broke_off_is_not_ok() -> None:
    with pytest.raises(RequestFailed, match="truncated"):
        Answer(200, "truncated", "the stream ended without its terminal event", {}, b"").raise_for_status()


def test_events_are_those_of_a_stream_or_the_messages_of_a_socket() -> None:
    stream = Answer(200, "ok", "", {"content-type": "text/event-stream; charset=utf-8"}, SSE)
    assert stream.events == ['{"n":1}', "[DONE]"]
    assert stream.body == SSE
    assert Answer(0, "ok", "", {}, b"b", [b"a", b"b"]).events == ["a", "b"]
