from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.e2e.conftest import _agent as _agent
from tests.e2e.conftest import agent as agent
from tests.e2e.conftest import place as place
from tests.e2e.harness import Place, Run, until
from tests.fleet.boxes import Box, boxes, environment

#: What of agenttop runs on a box.
AGENT, WORKER = "agenttop.fleet.host", "agenttop.worker.worker"


class Fleet:
    """Two boxes, and runs on them."""

    def __init__(self, place: Place, home: Path, found: list[Box]) -> None:
        self.place = place
        self.boxes = found
        self.env = environment(home)

    def start(self, *arguments: object, hosts: str = "b1,b2", python: object = sys.executable) -> Run:
        """Start ``agenttop --hosts … ARGUMENTS``, with one worker a box."""
        fleet = ("--hosts", hosts, "--remote-python", python, "--workers", 1)
        return self.place.start(*arguments, "--headless", *fleet, env=self.env)

    def agent(self, box: int) -> psutil.Process:
        """Return the agent process of a box, as soon as there is one."""
        return until(lambda: self.boxes[box].processes(AGENT), f"an agent on box {box}")[0]

    def worker(self, box: int) -> psutil.Process:
        """Return the worker process of a box, as soon as there is one."""
        return until(lambda: self.boxes[box].processes(WORKER), f"a worker on box {box}")[0]

    def left(self) -> list[psutil.Process]:
        """Return what is there of agenttop, on boxes or here."""
        here = [*self.place.processes("agenttop.fleet"), *self.place.processes("agenttop.controller")]
        return [*here, *(process for box in self.boxes for process in box.processes("agenttop"))]

    def gone(self) -> None:
        """Wait until nothing is left of a run, on any box."""
        until(lambda: not self.left(), "the end of every process of a run")


@pytest.fixture(scope="session")
def _home() -> Iterator[tuple[Path, list[Box]]]:
    with tempfile.TemporaryDirectory(prefix="att-home-") as name, boxes(Path(name)) as found:
        yield Path(name), found


@pytest.fixture
def fleet(_home: tuple[Path, list[Box]], place: Place) -> Iterator[Fleet]:
    """Two boxes with nothing on them, neither before nor afterwards."""
    made = Fleet(place, *_home)
    try:
        yield made
    finally:
        for process in made.left():
            with contextlib.suppress(psutil.Error):
                process.kill()
