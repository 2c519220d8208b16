"""Finds whole numbers too large to compute with: a file may hold a thousand digits, and Python reads them all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agenttop.profile.problems import Fault, Loc

#: Of a text that could not even be read.
TOO_LARGE = "holds a number that is too large; a whole number has at most 64 bits"
SMALLEST, LARGEST = -(2**63), 2**64 - 1


def check_numbers(value: Any, loc: Loc = ()) -> Iterator[Fault]:
    """Yield a fault for each whole number of more than 64 bits in some tables: no journal can hold it."""
    if isinstance(value, int):
        if not SMALLEST <= value <= LARGEST:
            yield Fault(loc, "this number is too large; a whole number has at most 64 bits")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from check_numbers(item, (*loc, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from check_numbers(item, (*loc, index))
