from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.profile.toml import dumps

PROFILES = sorted((Path(__file__).resolve().parents[2] / "profiles").glob("*.toml"))
texts = st.text(st.characters(exclude_categories=["Cs"]))
keys = texts | st.sampled_from(["pools", "stages", "headers", "tasks", "checks", "a-b", "a b", "", "data"])
values = st.recursive(
    texts | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(keys, values, max_size=6))
def test_what_is_written_is_read_back(table: dict[str, Any]) -> None:
    assert tomllib.loads(dumps(table)) == table


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_profiles_come_back(path: Path) -> None:
    table = tomllib.loads(path.read_text())
    assert tomllib.loads(dumps(table)) == table


def test_it_looks_as_people_write_it() -> None:
    table = {
        "target": "http://127.0.0.1",
        "thresholds": ["a < 1", {"expression": "b < 1", "window": "5s"}],
        "headers": {"x-key": "${KEY}"},
        "pools": [
            {"name": "a", "tasks": [{"post": "/", "json": {"n": 1.0, "m": [1e300]}, "checks": {"ok it is": "x"}}]}
        ],
    }
    assert dumps(table) == (
        'target = "http://127.0.0.1"\n'
        'thresholds = ["a < 1", { expression = "b < 1", window = "5s" }]\n'
        "\n[headers]\n"
        'x-key = "${KEY}"\n'
        "\n[[pools]]\n"
        'name = "a"\n'
        "\n  [[pools.tasks]]\n"
        '  post = "/"\n'
        "  json = { n = 1.0, m = [1e+300] }\n"
        "\n    [pools.tasks.checks]\n"
        '    "ok it is" = "x"\n'
    )


@pytest.mark.parametrize("value", [None, "\ud800", object()])
def test_what_toml_has_no_form_for(value: object) -> None:
    with pytest.raises(ValueError, match="TOML has no form for"):
        dumps({"a": [value]})
