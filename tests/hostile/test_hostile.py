"""The program against the hostile server, beside a target that is well: a run for each kind of behaviour.

``pytest -m hostile`` runs all of it, a few minutes; the kinds that depend least on how fast the machine is are in the
gate, without any timing.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e import harness
from tests.e2e.harness import Place
from tests.hostile.runs import Ran, ran
from tests.hostile.server import running
from tests.hostile.table import ROWS

KINDS = sorted({row.kind for row in ROWS})
IN_GATE = ("failures", "heads")
SECONDS, SECONDS_IN_GATE = 4, 2
NOISE_MS = 250
"""What a neighbour may wait longer at p99, on a machine that is busy with all of it: JSON of 10 MB is decoded in one
piece. A flood that is looked at as it comes takes seconds.
"""


@pytest.fixture(scope="module")
def ports() -> Iterator[dict[str, int]]:
    """The hostile server's."""
    with running() as found:
        yield found


@pytest.fixture(scope="module")
def well() -> Iterator[int]:
    """The port of the target that is well, in another process."""
    with running("--well") as found:
        yield found["paths"]


@pytest.fixture
def place() -> Iterator[Place]:
    """A place for runs that is empty afterwards, of processes too."""
    with harness.place() as made:
        yield made


@pytest.fixture(scope="module")
def alone(ports: dict[str, int], well: int) -> Ran:
    """A run against the target that is well, and no other."""
    with harness.place() as made:
        return ran(made, [], ports, well, SECONDS)


def p99_ms(run: Ran) -> float:
    """That of the target that is well."""
    value: float = run.well["latency_ms"]["p99"]
    return value


@pytest.mark.hostile
@pytest.mark.parametrize("kind", KINDS)
def test_beside_a_target_that_is_well(place: Place, ports: dict[str, int], well: int, kind: str, alone: Ran) -> None:
    rows = [row for row in ROWS if row.kind == kind]
    run = ran(place, rows, ports, well, SECONDS)
    assert run.problems(rows) == []
    assert alone.problems([]) == []
    assert p99_ms(run) < p99_ms(alone) + NOISE_MS
    place.gone()


@pytest.mark.parametrize("kind", IN_GATE)
def test_counts_and_outcomes(place: Place, ports: dict[str, int], well: int, kind: str) -> None:
    rows = [row for row in ROWS if row.kind == kind]
    assert ran(place, rows, ports, well, SECONDS_IN_GATE).problems(rows) == []
    place.gone()
