"""Tests of agenttop.profile.durations.

What is written in a profile, or over it, is bounded before any pattern reads it; what is read costs its length.
"""

from __future__ import annotations

from argparse import ArgumentTypeError
from pathlib import Path

import pytest

from agenttop.cli import arguments
from agenttop.expressions import jsonpath
from agenttop.expressions.jsonpath import JsonPathSyntaxError, compile_measure, compile_path
from agenttop.profile import checks
from agenttop.profile.checks import CheckError, compile_check
from agenttop.profile.overrides import OverrideError, apply, parse_set
from agenttop.profile.percent import parse_percent
from agenttop.profile.rows import read_data
from agenttop.profile.secrets import Filler
from agenttop.schedule.quantities import MAX_EXPRESSION
from agenttop.thresholds import expression
from agenttop.thresholds.expression import ThresholdError, parse_threshold

LONG = 1_000_000


class _Unseen:
    """A pattern that nothing may be matched with."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"a pattern was asked to {name}")


@pytest.mark.parametrize("text", ["latency p95 < " + "9" * LONG, "<" * LONG, "a" * LONG, "phase." + "-" * LONG])
def test_a_long_threshold_is_refused_unseen(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    for name in ("_SPACE", "_METRIC", "_WORD", "_OPERATOR", "_NUMBER", "_UNIT"):
        monkeypatch.setattr(expression, name, _Unseen())
    with pytest.raises(ThresholdError, match=f"at most {MAX_EXPRESSION} characters"):
        parse_threshold(text)


@pytest.mark.parametrize("text", ["latency < " + "9" * LONG, "$" + ".a" * LONG, " " * LONG, "header " + "x" * LONG])
def test_a_long_check_is_refused_unseen(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    for name in ("_OPERATOR", "_WORD", "_HEADER"):
        monkeypatch.setattr(checks, name, _Unseen())
    with pytest.raises(CheckError, match=f"at most {MAX_EXPRESSION} characters"):
        compile_check(text)


@pytest.mark.parametrize("text", ["$" + "[0]" * LONG, "length(" + ")" * LONG])
def test_a_long_path_is_refused_unseen(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(jsonpath, "_LENGTH", _Unseen())
    for compile in (compile_path, compile_measure):
        with pytest.raises(JsonPathSyntaxError, match="at most"):
            compile(text)


@pytest.mark.parametrize("word", ["9" * 5000, "9" * 100_000, "0" * 100_000, "x" * 100_000])
@pytest.mark.parametrize("read", [arguments.whole, arguments.count, arguments.rate, arguments.duration])
def test_a_long_argument_ends_in_a_short_line(word: str, read: object) -> None:
    with pytest.raises(ArgumentTypeError) as caught:
        read(word)  # type: ignore[operator]
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("text", ["9" * LONG, "9" * LONG + "%", "5" + " " * LONG + "%", "0." + "0" * LONG])
def test_a_long_percentage_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="expected a percentage"):
        parse_percent(text)


def test_an_override_of_many_parts_or_digits() -> None:
    for text in (".".join("a" * 50_000) + "=1", "a" * 100_000 + "=1", '"' + "a" * 100_000 + '"=1'):
        with pytest.raises(OverrideError, match="KEY=VALUE"):
            parse_set(text)
    assert parse_set(f"users={'[' * 100_000}") == (["users"], "[" * 100_000), "it is no TOML, and so a text"
    with pytest.raises(OverrideError, match="too large"):
        parse_set(f"users={'9' * 5000}")
    with pytest.raises(OverrideError, match="none of the pools"):
        apply({"pools": [{"name": "a"}]}, ["pools", "9" * 5000, "name"], "b")


def test_references_that_are_never_closed() -> None:
    filler = Filler({"A": "1", "B": ""})
    filled, masked = filler.fill("${A}-$${-${B:-x}-${A:-" + "${A:-" * 100_000)
    assert filled.startswith("1-${-x-")
    assert masked.startswith("***-${-x-")
    assert len(filler.faults) == 100_001
    assert {fault.message for fault in filler.faults} == {
        "${ is never closed; write ${NAME}, or $${ for the text itself"
    }


def test_a_file_of_very_many_columns(tmp_path: Path) -> None:
    names = ",".join(f"c{number}" for number in range(50_000))
    path = tmp_path / "rows.csv"
    path.write_text(f"{names},c0\n")
    assert next(fault for _, fault in read_data(path).faults) == 'column "c0" is there twice'
    rows = "{" + ", ".join(f'"c{number}": 1' for number in range(50_000))
    path = tmp_path / "rows.jsonl"
    path.write_text(f'{rows}}}\n{rows}, "x": 1}}\n{rows}, "c7": 1}}\n')
    assert [fault for _, fault in read_data(path).faults] == [
        'column "x" is not in the first row; every row has the columns of that',
        'column "c7" is there twice',
    ]
