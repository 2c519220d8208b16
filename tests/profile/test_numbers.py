"""Numbers that are too large for anything: one clear line each, whatever key, table, option or variable has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.profile.numbers import LARGEST, SMALLEST, check_numbers
from agenttop.profile.toml import dumps
from tests.profile.writing import SMALL, load, problems

#: Digits of a float's overflow, of what Python still reads, and of what it refuses to.
DIGITS = ("1" + "0" * 309, "1" + "0" * 4000, "9" * 5000)
TASK = "pools.chat.tasks.0"
KEYS = [
    *("seed", "warmup", "graceful_stop", "timeout", "connect_timeout", "idle_timeout", "max_retries", "http_version"),
    *("users", "duration", "stages", "name", "target", "nonsense", "pools.chat.weight", "pools.chat.think_time"),
    *("pools.chat.pacing", "pools.chat.max_users", "pools.chat.nonsense", f"{TASK}.weight", f"{TASK}.pause"),
    *(f"{TASK}.timeout", f"{TASK}.history_turns", f"{TASK}.max_output_tokens", f"{TASK}.json.n", f"{TASK}.query.n"),
    *(f"{TASK}.form.n", f"{TASK}.tool_results.x.n", f"{TASK}.checks.c", f"{TASK}.headers.x", f"{TASK}.body"),
    *("budget.requests", "budget.cost_usd", "budget.price.input", "budget.max_output_tokens", "thresholds"),
    *("circuit_breaker.failed", "circuit_breaker.over", "circuit_breaker.min_requests", "objectives.latency"),
    *("search.from", "search.to", "search.good", "search.settle", "search.confidence", "search.resolution"),
    *("rate_limit.body_matches", "tls.verify", "tls.ca", "proxy.url", "headers.x", "cookies"),
]


def lines(folder: Path, text: str = SMALL, **options: Any) -> list[str]:
    """What is said of a profile: each in one line that can be read."""
    found = [str(problem) for problem in problems(folder, text, **options)]
    assert found
    assert all("\n" not in line and len(line) < 300 for line in found), found
    return found


@pytest.mark.parametrize("digits", DIGITS, ids=["1e309", "1e4000", "5000 digits"])
@pytest.mark.parametrize("key", KEYS)
def test_a_number_of_too_many_digits_is_one_line_under_any_key(tmp_path: Path, key: str, digits: str) -> None:
    for value in (digits, f"-{digits}", f"[{digits}]", f"{{ a = {digits} }}", f"0x{digits}"):
        (line,) = lines(tmp_path, overrides=[f"{key}={value}"])
        assert line.startswith(f"command line: --set {key}: ") or f"{tmp_path}" in line
        assert "too large; a whole number has at most 64 bits" in line


@pytest.mark.parametrize("digits", DIGITS, ids=["1e309", "1e4000", "5000 digits"])
def test_a_number_of_too_many_digits_in_a_file_is_one_line(tmp_path: Path, digits: str) -> None:
    (line,) = lines(tmp_path, SMALL + f"weight = {digits}")
    assert "too large; a whole number has at most 64 bits" in line
    assert line.startswith(f"{tmp_path}/peak.toml: " + ("pools[0].tasks[0].weight: " if len(digits) < 4300 else ""))


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (f"{TASK}.weight=1e308", "expected at most 1000000000, not 1e+308"),
        (f"{TASK}.weight=1e999", "expected a finite number, not Infinity"),
        (f'{TASK}.weight="1e999"', 'expected a finite number, not "1e999"'),
        ("pools.chat.weight=1000000001", "expected at most 1000000000, not 1000000001"),
        ("budget.price={ input = 1e300, output = 1 }", "expected at most 1000000000"),
        ("pools.chat.stages=[{ duration = '1m', rate = 1e9 }]", "expected at most 1000000, not 1000000000.0"),
        ("warmup=9999999999h", "a duration is 366 days at most"),
        (f"timeout={'9' * 400}s", "expected a duration such as"),
        (f"pools.chat.think_time=1s..{'9' * 400}s", "expected a duration such as"),
        (f"duration={'9' * 400}ms", "expected a duration such as"),
        ("seed=9223372036854775808", "expected at most 9223372036854775807"),
        (f"{TASK}.query.n=1e999", "expected a finite number"),
        (f"{TASK}.form.n=[1, -1e999]", "expected a finite number"),
        (f"{TASK}.query.n=nan", "expected a finite number"),
    ],
)
def test_a_number_that_is_absurd_is_one_line(tmp_path: Path, override: str, said: str) -> None:
    assert any(said in line for line in lines(tmp_path, overrides=[override]))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SEED", "1" + "0" * 400),
        ("SEED", "9" * 5000),
        ("USERS", "1" + "0" * 400),
        ("SPAWN_RATE", "1e999"),
        ("SPAWN_RATE", "1e308"),
        ("WORKERS", "1" + "0" * 400),
        ("TIMEOUT", "9" * 400 + "s"),
        ("WARMUP", "99999h"),
    ],
)
def test_a_variable_that_is_absurd_is_one_line(tmp_path: Path, name: str, value: str) -> None:
    env = {"AGENTTOP_USERS": "1", f"AGENTTOP_{name}": value}
    assert any(f"AGENTTOP_{name}: " in line for line in lines(tmp_path, env=env))


def test_a_spawn_rate_that_never_gets_there_is_one_line(tmp_path: Path) -> None:
    for rate in (1e-320, 1e-9):
        (line,) = lines(tmp_path, users=10, spawn_rate=rate)
        assert line == "command line: --spawn-rate: so many users would take more than 366 days to begin; raise it"


def test_numbers_of_64_bits_are_sent_and_written(tmp_path: Path) -> None:
    for value in (SMALLEST, LARGEST):
        loaded = load(tmp_path, SMALL.replace("\nget", "\npost") + f"json = {{ n = {value} }}")
        assert loaded.profile.pools[0].tasks[0].steps[0].json_ == {"n": value}
        assert dumps({"n": value}) == f"n = {value}\n"
    for value in (SMALLEST - 1, LARGEST + 1):
        with pytest.raises(ValueError, match="64 bits"):
            dumps({"n": value})


@given(
    st.recursive(st.integers() | st.floats() | st.booleans() | st.text(), lambda inner: st.lists(inner), max_leaves=9)
)
def test_a_fault_names_the_place_of_each_number(value: Any) -> None:
    def at(places: tuple[str | int, ...]) -> Any:
        found = [value]
        for place in (0, *places):
            found = found[int(place)]
        return found

    for fault in check_numbers(value):
        assert isinstance(at(fault.loc), int)
        assert not SMALLEST <= at(fault.loc) <= LARGEST


def test_other_problems_are_told_beside_it(tmp_path: Path) -> None:
    long = f"1{'0' * 30}"
    found = problems(tmp_path, SMALL, overrides=[f"seed={long}", f"pools.chat.weight={long}", "nokey"])
    assert {problem.key for problem in found} == {"--set nokey", "--set seed", "--set pools.chat.weight"}
