"""A target of no known dialect: what its profile reads, what it reads in vain, and a task that makes a thread and then
streams its run.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from agenttop.journal.journal import rebuild
from tests.e2e.harness import Place, Run
from tests.e2e.targets import answer, target

EVENTS = b"".join(
    b"event: %b\ndata: %b\n\n" % event
    for event in (
        (b"thought", b'{"text":"hm"}'),
        (b"token", b'{"text":"Hel"}'),
        (b"token", b'{"text":"lo"}'),
        (b"tool", b'{"id":"1","name":"search"}'),
        (b"usage", b'{"in":11,"out":7}'),
        (b"end", b"{}"),
    )
)


def agent(connection: socket.socket, request: bytes) -> None:
    """Makes threads, streams runs of those alone, and says nothing under /mute."""
    line = request.split(b"\r\n", 1)[0]
    accepts = b"accept: text/event-stream" in request.lower()
    if line.startswith(b"POST /threads HTTP") and not accepts:
        connection.sendall(answer(b'{"thread_id":"t-1"}'))
    elif line.startswith(b"POST /threads/t-1/runs ") and accepts:
        connection.sendall(answer(EVENTS, kind="text/event-stream"))
    elif line.startswith(b"GET /mute "):
        connection.sendall(answer(b'data: {"other":1}\n\ndata: {"done":true}\n\n', kind="text/event-stream"))
    else:
        connection.sendall(answer(b'{"error":"not so"}', "404 Not Found"))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with target(agent) as found:
        yield found


HEAD = 'target = "{url}"\nusers = 2\nduration = "1s"\n'
TASK = """
[[pools]]
name = "agents"
protocol = "{protocol}"
think_time = "50ms"
{pool}
[[pools.tasks]]
name = "thread and run"
[[pools.tasks.steps]]
name = "thread"
post = "/threads"
json = {{ }}
save = {{ thread = "$.thread_id" }}
{thread}
[[pools.tasks.steps]]
name = "run"
post = "/threads/{{thread}}/runs"
json = {{ }}
{run}
"""
PATHS = """[pools.measure]
first_token = "event token $.text"
reasoning = "event thought $.text"
done = "event end"
tool_calls = "event tool"
input_tokens = "event usage $.in"
output_tokens = "event usage $.out"
"""


def ran(place: Place, text: str) -> tuple[dict[str, Any], Run]:
    done = place.finish("--profile", place.write(text), "--headless", "--full")
    assert done.wait() == 0, done.err.text()
    return place.summary(), done


def warned(summary: dict[str, Any]) -> list[str]:
    return [text for text in summary["generator"]["warnings"] if "[measure]" in text]


@pytest.mark.parametrize(
    ("protocol", "thread", "run"),
    [
        ("sse", 'protocol = "http"', ""),
        ("http", "", 'protocol = "sse"'),
        ("http", 'protocol = "http"', 'protocol = "sse"'),
        ("sse", "stream = false", 'protocol = "sse"'),
    ],
)
def test_a_thread_is_made_and_its_run_is_streamed(place: Place, url: str, protocol: str, thread: str, run: str) -> None:
    task = TASK.format(protocol=protocol, pool=PATHS, thread=thread, run=run)
    summary, _ = ran(place, HEAD.format(url=url) + task)
    assert summary["totals"]["failed"] == 0
    made, streamed = summary["requests"]["agents/thread"], summary["requests"]["agents/run"]
    assert (made["ttft_ms"], streamed["ttft_ms"]["count"]) == (None, streamed["ok"])
    assert streamed["ttfo_ms"]["count"] == streamed["ok"] >= 2
    assert (streamed["tokens"]["input"], streamed["tokens"]["output"]) == (11 * streamed["ok"], 7 * streamed["ok"])
    assert streamed["tool_calls"]["total"] == streamed["ok"]
    assert warned(summary) == []
    assert summary["profile"]["pools"][0]["tasks"][0]["steps"][0].get("protocol") == (
        "http" if "protocol" in thread else None
    )


def test_what_never_matched_is_told_everywhere(place: Place, url: str) -> None:
    paths = PATHS.replace("$.out", "$.tokens").replace("event tool", "event tool_call") + 'phases = { llm = "$.s" }\n'
    task = TASK.format(protocol="sse", pool=paths, thread='protocol = "http"', run="")
    summary, done = ran(place, HEAD.format(url=url) + task)
    told = warned(summary)
    for key, path in (
        ("output_tokens", "event usage $.tokens"),
        ("tool_calls", "event tool_call"),
        ("phases.llm", "$.s"),
    ):
        assert sum(f'agents: [measure] {key} = "{path}" never matched' in text for text in told) == 1, told
    assert len(told) == 3
    # Once as an event at the end of the run, and once in the report.
    assert " ".join(done.out.text().split()).count('[measure] tool_calls = "event tool_call" never matched') >= 2
    again = rebuild(place.directory())
    assert warned(again) == told


def test_nothing_is_said_of_paths_where_no_answer_was_good(place: Place, url: str) -> None:
    pool = '[[pools]]\nname = "gone"\nthink_time = "50ms"\n'
    text = pool + '[pools.measure]\noutput_tokens = "$.x"\n[[pools.tasks]]\nget = "/no"\n'
    summary, _ = ran(place, HEAD.format(url=url) + text)
    assert (summary["totals"]["ok"], warned(summary)) == (0, [])
    assert summary["totals"]["failed"] > 0


def test_answers_that_say_nothing_are_among_the_warnings(place: Place, url: str) -> None:
    text = (
        '[[pools]]\nname = "mute"\nthink_time = "50ms"\nprotocol = "sse"\n[pools.measure]\nfirst_token = "$.delta"\n'
        'done = "$.done"\n[[pools.tasks]]\nget = "/mute"\n'
    )
    summary, done = ran(place, HEAD.format(url=url) + text)
    count = summary["totals"]["said_nothing"]
    assert count == summary["totals"]["ok"] > 0
    assert f"{count} answers said nothing: no output, no usage, no error" in summary["generator"]["warnings"]
    # As an event while it ran, and in the report once, though it is both a figure of streams and a warning.
    assert " ".join(done.out.text().split()).count("answers said nothing: no output") >= 2
