"""Writes JUnit XML as CI systems read it: suites of test cases, each passed, failed, broken or skipped with its reason.

The format is that of Jenkins' and Surefire's schema: ``testsuites`` / ``testsuite`` / ``testcase`` with ``failure``,
``error``, ``skipped`` and ``system-out``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from agenttop.metrics.scope import clean_text

_MAX = 1000


@dataclass(frozen=True, slots=True)
class Case:
    """One test case. At most one of ``failed``, ``broken`` and ``skipped`` says why it did not pass."""

    classname: str
    name: str
    failed: str = ""
    """What was asked for and not met."""
    broken: str = ""
    """Why nothing could be judged."""
    skipped: str = ""
    """Why it is not decided."""
    output: str = ""
    """What was observed of one that passed."""
    time_s: float | None = None
    """The seconds it was judged over."""

    def strictly(self) -> Case:
        """Return the case with what is not decided as a failure."""
        if not self.skipped:
            return self
        return Case(self.classname, self.name, failed=self.skipped, time_s=self.time_s)


@dataclass(frozen=True, slots=True)
class Suite:
    """Test cases under one name, with facts about what was tested."""

    name: str
    cases: Sequence[Case]
    properties: Iterable[tuple[str, str]] = ()
    time_s: float | None = None
    timestamp: str = ""
    """When it began, as RFC 3339."""


def junit_xml(suites: Sequence[Suite]) -> str:
    """Return a document of suites."""
    cases = [case for suite in suites for case in suite.cases]
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites{_counts('agenttop', cases, None)}>"]
    for suite in suites:
        lines += _suite(suite)
    return "\n".join([*lines, "</testsuites>", ""])


def _suite(suite: Suite) -> list[str]:
    stamp = f" timestamp={_attribute(suite.timestamp.removesuffix('Z'))}" if suite.timestamp else ""
    lines = [f"  <testsuite{_counts(suite.name, suite.cases, suite.time_s)}{stamp}>"]
    facts = [f"      <property name={_attribute(name)} value={_attribute(value)}/>" for name, value in suite.properties]
    if facts:
        lines += ["    <properties>", *facts, "    </properties>"]
    return [*lines, *map(_case, suite.cases), "  </testsuite>"]


def _counts(name: str, cases: Sequence[Case], time_s: float | None) -> str:
    counts = {
        "tests": len(cases),
        "failures": sum(bool(case.failed) for case in cases),
        "errors": sum(bool(case.broken) for case in cases),
        "skipped": sum(bool(case.skipped) for case in cases),
    }
    told = "".join(f' {key}="{count}"' for key, count in counts.items())
    return f" name={_attribute(name)}{told}{_time(time_s)}"


def _case(case: Case) -> str:
    inner = ""
    for tag, why in (("failure", case.failed), ("error", case.broken), ("skipped", case.skipped)):
        if why:
            kind = "" if tag == "skipped" else f' type="{tag}"'
            inner += f"<{tag} message={_attribute(why)}{kind}/>"
    if case.output:
        inner += f"<system-out>{escape(clean_text(case.output, _MAX))}</system-out>"
    head = f"    <testcase classname={_attribute(case.classname)} name={_attribute(case.name)}{_time(case.time_s)}"
    return f"{head}>{inner}</testcase>" if inner else f"{head}/>"


def _time(time_s: float | None) -> str:
    return "" if time_s is None else f' time="{time_s:.3f}"'


def _attribute(text: str) -> str:
    return quoteattr(clean_text(text, _MAX))
