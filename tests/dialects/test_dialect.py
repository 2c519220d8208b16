"""A dialect is one class and one entry in the table: what else there is to know of it, it says itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agenttop.dialects import DIALECTS
from agenttop.dialects.base import DONE, ERROR, OUTPUT, Reader
from agenttop.dialects.dialect import Dialect
from agenttop.dialects.heard import text_of
from agenttop.dialects.transcript import Owed, Transcript
from agenttop.profile.hit import Hit, hit_profile
from agenttop.profile.schema import profile_schema
from tests.profile.writing import load, problems
from tests.users.playing import play, profile
from tests.wire.server import chunked, ok

NAME = "made.up"


class MadeUpReader(Reader):
    """``{"say": text}`` again and again, then ``{"over": tokens}``; or ``{"oops": words}``."""

    __slots__ = ()

    def event(self, data: bytes, event: bytes = b"") -> int:
        said = msgspec.json.decode(data)
        if "oops" in said:
            self.error = said["oops"]
            return ERROR
        if "over" in said:
            self.output_tokens = said["over"]
            return DONE
        self.chunks += 1
        return OUTPUT

    def body(self, data: bytes) -> int:
        return DONE | self.event(data)


class MadeUpTranscript(Transcript):
    """``{"who": …, "say": …}``"""

    __slots__ = ("_pieces",)
    key = "lines"

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[str] = []

    def take(self, value: dict[str, Any], event: bytes) -> None:
        self.add(self._pieces, text_of(value.get("say")))

    def body(self, data: bytes) -> None:
        self.event(data)

    def turns(self) -> list[dict[str, Any] | Owed]:
        return [{"who": "it", "say": "".join(self._pieces)}] if self._pieces else []

    @staticmethod
    def result(owed: Owed, text: str) -> dict[str, Any]:
        return {"who": owed.name, "say": text}


class MadeUp(Dialect):
    """All there is of it."""

    name = NAME
    read_by = MadeUpReader
    protocols = ("sse",)
    instead_of_others = "is always streamed"
    asks_to_stream = True
    transcript = MadeUpTranscript


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DIALECTS, NAME, MadeUp)


def events(*said: dict[str, Any]) -> bytes:
    text = "".join(f"data: {json.dumps(each)}\n\n" for each in said)
    return chunked(text.encode(), headers=("content-type: text/event-stream",))


POOL = f'protocol = "sse"\ndialect = "{NAME}"'
STEP = 'post = "/"\njson = { stream = true }'


def test_a_profile_knows_it(tmp_path: Path) -> None:
    (pool,) = load(tmp_path, profile(STEP, pool=POOL).replace("{port}", "1")).profile.pools
    assert pool.dialect == NAME
    asked = load(tmp_path, profile('post = "/"\njson = {}', pool=POOL).replace("{port}", "1"))
    assert "does not ask for a stream" in asked.warnings[0]


def test_a_profile_says_where_it_cannot_be_spoken(tmp_path: Path) -> None:
    text = profile(STEP, pool=POOL.replace('"sse"', '"http"')).replace("{port}", "1")
    assert f'{NAME} is always streamed: write protocol = "sse"' in problems(tmp_path, text)[0].message
    text = profile(STEP, pool=f'{POOL}\nmeasure = {{ done = "$.x" }}').replace("{port}", "1")
    assert f"{NAME} knows where its figures are" in str(problems(tmp_path, text))


def test_hit_speaks_it() -> None:
    assert 'protocol = "sse"' in hit_profile(Hit("http://h/", body='{"stream": true}', dialect=NAME), {}).text
    assert 'protocol = "http"' in hit_profile(Hit("http://h/", body='{"stream": 1}', dialect=NAME), {}).text


async def test_its_streams_are_read(tmp_path: Path) -> None:
    text = profile(STEP, pool=POOL)
    played, _ = await play(tmp_path, text, events({"say": "a"}, {"say": "b"}, {"over": 7}))
    assert (played.only.outcomes, played.only.sums["output_tokens"]) == ({"ok": 1}, 7)
    assert (played.only.hists["ttft"].count, played.only.hists["inter_chunk"].count) == (1, 1)


async def test_its_failures_and_its_end_are_known(tmp_path: Path) -> None:
    text = profile(STEP, pool=POOL)
    played, _ = await play(tmp_path, text, events({"say": "a"}, {"oops": "no more"}))
    assert (played.only.outcomes, played.message()) == ({"stream_error": 1}, "no more")
    played, _ = await play(tmp_path, text, events({"say": "a"}))
    assert played.only.outcomes == {"truncated": 1}


async def test_its_conversations_are_kept(tmp_path: Path) -> None:
    task = """
    history = true
    steps = [ { post = "/", json = { stream = true, lines = [ { who = "me", say = "Hi" } ] } },
              { post = "/", json = { stream = true, lines = [ { who = "me", say = "Bye" } ] } } ]
    """
    answers = events({"say": "Hel"}, {"say": "lo"}, {"over": 2}), events({"say": "So long"}, {"over": 2})
    played, requests = await play(tmp_path, profile(task=task, pool=POOL), *answers)
    assert [leaf.outcomes for leaf in played.leaves.values()] == [{"ok": 2}]
    turns = [{"who": "me", "say": "Hi"}, {"who": "it", "say": "Hello"}, {"who": "me", "say": "Bye"}]
    assert json.loads(requests[1].partition(b"\r\n\r\n")[2])["lines"] == turns


async def test_a_body_of_it_is_read(tmp_path: Path) -> None:
    text = profile(STEP, pool=f'dialect = "{NAME}"').replace('protocol = "http"', "")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MadeUp, "protocols", ("http",))
        played, _ = await play(tmp_path, text, ok(b'{"oops": "no"}'))
    assert (played.only.outcomes, played.message()) == ({"stream_error": 1}, "no")


def test_each_says_what_profiles_are_told() -> None:
    for name, dialect in DIALECTS.items():
        assert dialect.protocols
        assert set(dialect.protocols) <= {"http", "sse", "ws"}
        assert dialect(None).reader().chunks == 0
        assert name in (dialect.name, "custom")


def test_the_schema_names_those_of_the_table() -> None:
    assert profile_schema()["properties"]["dialect"]["anyOf"][0]["enum"] == [name for name in DIALECTS if name != NAME]
