"""JUnit XML, read by a parser that others read it with."""

from __future__ import annotations

from typing import Any

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped

from agenttop.report.junit import Case, Suite, junit_xml
from tests.report.test_escaping import HOSTILE

CASES = [
    Case("a", "passes", output="observed 5", time_s=1.5),
    Case("a", "fails", failed="too slow"),
    Case("a", "breaks", broken="no target"),
    Case("a", "waits", skipped="too few"),
]


def read(text: str) -> Any:
    return JUnitXml.fromstring(text.encode())


def test_each_kind_of_case_is_read_as_it_was_meant() -> None:
    document = read(junit_xml([Suite("s", CASES, [("id", "x")], 60.0, "2026-01-05T12:00:00Z")]))
    assert (document.tests, document.failures, document.errors, document.skipped) == (4, 1, 1, 1)
    (suite,) = document
    assert (suite.tests, suite.failures, suite.errors, suite.skipped, suite.time) == (4, 1, 1, 1, 60.0)
    assert suite.timestamp == "2026-01-05T12:00:00"
    assert [(each.name, each.value) for each in suite.properties()] == [("id", "x")]
    cases = list(suite)
    assert [type(case.result[0]) if case.result else None for case in cases] == [None, Failure, Error, Skipped]
    assert [case.result[0].message for case in cases[1:]] == ["too slow", "no target", "too few"]
    assert (cases[0].system_out, cases[0].time) == ("observed 5", 1.5)


def test_strictly_what_is_undecided_fails() -> None:
    document = read(junit_xml([Suite("s", [case.strictly() for case in CASES])]))
    assert (document.failures, document.errors, document.skipped) == (2, 1, 0)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    (suite,) = read(
        junit_xml([Suite(text, [Case(text, text, failed=text), Case("a", "b", output=text)], [("t", text)])])
    )
    first, second = suite
    assert first.name == suite.name == first.result[0].message
    assert len(list(suite)) == 2
    assert second.result == []
