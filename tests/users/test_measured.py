from __future__ import annotations

from pathlib import Path

import pytest

from agenttop.dialects import dialect_named
from agenttop.profile.model import Profile
from agenttop.users.layout import layout_of
from agenttop.users.measured import measure_paths, measured_keys
from tests.profile.writing import TOP, load

TABLE = '[measure]\nfirst_token = "event token $.t"\nerror = "$.e"\nphases = { llm = "$.s" }\noutput_tokens = "$.o"\n'
ALL = ("first_token", "output_tokens", "phases.llm")
BODIES = ("output_tokens", "phases.llm")


def pool(name: str, keys: str = "", step: str = "") -> str:
    return f'[[pools]]\nname = "{name}"\n{keys}\n[[pools.tasks]]\npost = "/{name}"\njson = {{}}\n{step}\n'


def profile_of(folder: Path, *pools: str) -> Profile:
    return load(folder, TOP + TABLE + "".join(pools)).profile


def test_bits_are_of_keys_in_one_order(tmp_path: Path) -> None:
    profile = profile_of(tmp_path, pool("a"))
    paths = measure_paths(profile.pools[0].measure or profile.measure)
    reader = dialect_named("json", paths).reader()
    reader.body(b'{"o":1}')
    keys = measured_keys(profile, profile.pools[0])
    assert [key for bit, key in enumerate(keys) if reader.matched >> bit & 1] == ["output_tokens"]
    reader.event(b'{"t":"x","s":0.5}', b"token")
    assert {key for bit, key in enumerate(keys) if reader.matched >> bit & 1} == set(ALL)


@pytest.mark.parametrize(
    ("pools", "expected"),
    [
        ([pool("a", 'protocol = "sse"')], [ALL]),
        ([pool("a")], [ALL]),  # nobody asks for a stream: then the path of its output is in vain
        ([pool("a"), pool("b", 'protocol = "sse"')], [BODIES, ALL]),
        ([pool("a", "", "stream = true"), pool("b")], [ALL, BODIES]),
        ([pool("a", "", 'protocol = "sse"'), pool("b")], [ALL, BODIES]),
        ([pool("a", 'dialect = "openai.chat"')], [()]),
        ([pool("a", "", 'dialect = "openai.chat"')], [()]),
    ],
)
def test_what_good_answers_are_to_match(tmp_path: Path, pools: list[str], expected: list[tuple[str, ...]]) -> None:
    found = [set(each.measured) for each in layout_of(profile_of(tmp_path, *pools)).pools]
    assert found == [set(keys) for keys in expected]
