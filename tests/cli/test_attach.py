"""Tests of agenttop.cli.attach."""

from __future__ import annotations

import argparse
import builtins
import sys

import pytest

from agenttop.cli import attach
from agenttop.exits import UsageError
from agenttop.runs.register import Entry
from agenttop.view.lines import Outcome

RUNS = [Entry(f"20260101-12000{number}-peak-0a0{number}", "", "running", live=True, users=number) for number in (2, 1)]
OPTIONS = argparse.Namespace(on_hangup="leave", ascii=False)


@pytest.fixture
def viewed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two live runs; whoever looks at one leaves at once."""
    monkeypatch.setattr(attach, "live_entries", lambda: RUNS)
    monkeypatch.setattr(attach, "view", lambda *_, **__: Outcome(None, left=True))


@pytest.mark.usefixtures("viewed")
def test_several_runs_are_listed_where_nobody_can_be_asked(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match=f"^2 runs are live; say which: agenttop attach {RUNS[0].run}$"):
        attach.attach(None, OPTIONS)
    head, *rows = capsys.readouterr().err.splitlines()
    assert head.split()[:2] == ["RUN", "STATE"]
    assert [row.split()[:2] for row in rows] == [["1", RUNS[0].run], ["2", RUNS[1].run]]


@pytest.mark.usefixtures("viewed")
def test_on_a_terminal_one_is_picked_and_leaving_says_that_it_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(builtins, "input", lambda _: " 2 ")
    assert attach.attach(None, OPTIONS) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"the run goes on: agenttop attach {RUNS[1].run}"
