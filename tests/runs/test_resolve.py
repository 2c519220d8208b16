"""Tests of agenttop.runs.resolve, agenttop.exits."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from agenttop.exits import UsageError
from agenttop.journal.places import runs_directory, socket_path
from agenttop.runs.resolve import find_live_run, find_run

OLD, SMOKE, NEW = "20260101-120000-peak-aaaa", "20260102-120000-smoke-bbbb", "20260102-130000-peak-cccc"
pytestmark = pytest.mark.usefixtures("home")


def over(*runs: str) -> None:
    for run in runs:
        (runs_directory() / run).mkdir(parents=True)


@contextmanager
def live(*runs: str) -> Iterator[None]:
    with ExitStack() as stack:
        for run in runs:
            listening = stack.enter_context(socket.socket(socket.AF_UNIX))
            listening.bind(str(socket_path(run)))
            listening.listen(8)
        yield


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (None, NEW),
        (OLD, OLD),
        ("20260101", OLD),
        ("20260102-12", SMOKE),
        ("smoke", SMOKE),
        ("peak", NEW),  # the newest of its name
    ],
)
def test_a_run_live_or_over(wanted: str | None, found: str) -> None:
    over(OLD, SMOKE)
    with live(NEW):
        assert find_run(wanted) == found


@pytest.mark.parametrize("wanted", [None, NEW, "20260102-13", "peak", "2026"])
def test_a_live_run(wanted: str | None) -> None:
    over(OLD, SMOKE)
    with live(NEW):
        assert find_live_run(wanted) == NEW


def test_an_id_goes_before_a_name() -> None:
    over("peak", OLD)
    assert find_run("peak") == "peak"


def test_what_cannot_be_told_apart() -> None:
    over(OLD, SMOKE)
    with live(NEW, "20260103-120000-peak-dddd"):
        with pytest.raises(UsageError, match=r"which one\? 20260102-130000-peak-cccc, 20260102-120000-smoke-bbbb$"):
            find_run("20260102")
        for wanted in (None, "peak"):
            with pytest.raises(UsageError, match=r"which one\? 20260103-120000-peak-dddd, 20260102-130000-peak-cccc$"):
                find_live_run(wanted)


def test_what_is_not_there() -> None:
    for find, line in ((find_run, "there is no run on this machine yet"), (find_live_run, "there is no live run on")):
        with pytest.raises(UsageError, match=line):
            find("peak")
    over(OLD)
    with pytest.raises(UsageError, match=f"no run is called smoke; there is: {OLD}$"):
        find_run("smoke")
    with live(NEW), pytest.raises(UsageError, match=f"no live run is called {SMOKE}; there is: {NEW}$"):
        find_live_run(SMOKE)
    over(*(f"20260201-1200{number:02}-a-0000" for number in range(7)))
    with pytest.raises(UsageError, match=r"20260201-120002-a-0000 and 3 more \(agenttop ps --all\)$"):
        find_run("")


def test_a_run_that_is_over_is_said_to_be_over() -> None:
    over(OLD, SMOKE)
    for wanted in (OLD, "20260101", "peak"):
        with pytest.raises(UsageError, match=f"^{OLD} is over; what it measured: agenttop report {OLD}$"):
            find_live_run(wanted)
    with live("20260103-120000-other-dddd"):
        with pytest.raises(UsageError, match=f"^{SMOKE} is over; "):
            find_live_run("smoke")
        over("20260101-130000-smoke-eeee", "20260101-140000-smoke-ffff")
        with pytest.raises(UsageError, match=f"^{SMOKE} is over, as are 2 more of that name; "):
            find_live_run("smoke")


def test_names_of_others_directories_are_text() -> None:
    over("x\x1b[31mred\x1b]0;title\x07")
    with pytest.raises(UsageError) as error:
        find_run("nothing\x1b[1m")
    assert str(error.value).isprintable()
