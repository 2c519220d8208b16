"""What a topic may be called, and what comes near to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.explain.pages import Page, read_pages
from agenttop.explain.topics import find, names, nearest, topics_of

TOPICS = topics_of(read_pages())
SMALL = topics_of(
    [
        Page(
            "load",
            "# load\n\nHow much.\n\n- `burst N [POOL]`: so many at once,\n  together\n\n"
            "## `[[pools]]`, `[[crowds]]`\n\n- `pace` `speed` (text): how fast\n- no entry\n\n"
            "```sh\n- `not` one\n## nor this\n```\n"
            "### `[pools.data]`\n\n- `file`: where\n\n## Some words\n\n- `pace`: another\n",
        )
    ]
)


def found(query: str) -> list[tuple[str, str]]:
    return [(topic.page, topic.names[0]) for topic in find(query, TOPICS)]


def test_entries_sections_and_pages_are_topics() -> None:
    assert names(SMALL) == [
        "load", "burst", "pools", "crowds", "pools.pace", "crowds.pace", "pools.speed", "crowds.speed",
        "pools.data", "pools.data.file", "some-words", "pace",
    ]  # fmt: skip
    burst = find("burst", SMALL)
    assert [(topic.heading, topic.text) for topic in burst] == [
        ("# load", "- `burst N [POOL]`: so many at once,\n  together")
    ]
    pools = find("[[pools]]", SMALL)[0].text
    assert pools.startswith("## `[[pools]]`, `[[crowds]]`")
    assert pools.endswith("- `file`: where")


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("ttft", ("metrics", "ttft")),
        ("TTFT", ("metrics", "ttft")),
        ("pools.think_time", ("pools", "pools.think_time")),
        ("pools.chat.think_time", ("pools", "pools.think_time")),
        ("pools.think-time", ("pools", "pools.think_time")),
        ("think time", ("pools", "pools.think_time")),
        ("pools.tasks.post", ("tasks", "pools.tasks.steps.post")),
        ("pools.setup.save", ("tasks", "pools.tasks.steps.save")),
        ("objectives.ttft", ("thresholds", "objectives.ttft")),
        ("[circuit_breaker]", ("profile", "circuit_breaker")),
        ("budget.price.input", ("budget", "budget.price.input")),
        ("openai.chat", ("dialects", "openai.chat")),
        ("AG-UI", ("dialects", "ag-ui")),
        ("custom", ("dialects", "json")),
        ("{uuid}", ("variables", "{uuid}")),
        ("uuid", ("variables", "{uuid}")),
        ("99", ("exit-codes", "99")),
        ("exit codes", ("exit-codes", "exit-codes")),
        ("ctl users", ("ctl", "users")),
        ("metrics.ttft", ("metrics", "ttft")),
        ("truncated", ("metrics", "truncated")),
        ("outcomes.truncated", ("outcomes", "truncated")),
        ("http_req_duration", ("thresholds", "http_req_duration")),
        ("hit", ("commands", "hit")),
        ("summary.json", ("files", "summary.json")),
        ("AGENTTOP_TARGET", ("files", "AGENTTOP_TARGET")),
        ("ttft_ms", ("summary", "ttft_ms")),
        ("run.stop_reason", ("summary", "run.stop_reason")),
        ("+", ("screen", "+")),
        ("]", ("screen", "]")),
        ("ctrl+p", ("screen", "ctrl+p")),
        ("saturated", ("metrics", "saturated")),
    ],
)
def test_a_topic_is_found_as_people_call_it(query: str, first: tuple[str, str]) -> None:
    assert found(query)[0] == first


def test_what_is_called_so_in_full_goes_before_what_ends_so() -> None:
    assert found("timeout")[0] == ("profile", "timeout")
    assert ("outcomes", "timeout") in found("timeout")
    assert ("tasks", "pools.tasks.steps.timeout") in found("timeout")


def test_a_page_is_itself_alone() -> None:
    assert found("budget") == [("budget", "budget")]


@pytest.mark.parametrize("query", ["pools.nope", "nope", "pools.ttft", "", "..", "[[]]", "-", "users nope"])
def test_what_there_is_not_is_not_found(query: str) -> None:
    assert found(query) == ([("screen", "-")] if query == "-" else [])


@pytest.mark.parametrize(
    ("query", "near"),
    [
        ("tftt", "ttft"),
        ("thinktime", "think_time"),
        ("pools.think_tme", "pools.think_time"),
        ("openai_chat", "openai.chat"),
        ("openai", "openai.chat"),
        ("anthropic", "anthropic.messages"),
        ("treshold", "thresholds"),
        ("pools.timeout", "pools.setup.timeout"),
    ],
)
def test_what_is_near_is_offered(query: str, near: str) -> None:
    assert near in nearest(query, TOPICS)


def test_nothing_is_near_to_nonsense() -> None:
    assert nearest("xqzzkw", TOPICS) == []


def test_every_name_that_is_listed_is_found() -> None:
    assert [name for name in names(TOPICS) if not any(name in topic.names for topic in find(name, TOPICS))] == []


@given(st.text(max_size=30))
def test_whatever_is_asked_there_is_an_answer_or_none(query: str) -> None:
    offered = nearest(query, TOPICS)
    assert len(offered) <= 3
    assert all(find(name, TOPICS) for name in offered)
    for topic in find(query, TOPICS):
        assert topic.text
