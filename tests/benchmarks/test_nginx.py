"""What nginx says of itself."""

from __future__ import annotations

import pytest

from tests.benchmarks.nginx import Served, read_status
from tests.benchmarks.program import BenchmarkError

_STATUS = """\
Active connections: 65
server accepts handled requests
 130 130 98765
Reading: 0 Writing: 1 Waiting: 64
"""


def test_the_counts_are_read() -> None:
    # nginx ends its lines with a space.
    assert read_status(_STATUS.replace("\n", " \n")) == Served(active=65, requests=98765)


def test_anything_else_is_an_error() -> None:
    with pytest.raises(BenchmarkError, match="nginx does not say"):
        read_status("ok\n")
