"""A case of a golden set: what is asked, and how its answer is judged."""

from __future__ import annotations

from typing import Any

import msgspec


class GraderSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """One assertion of a case: a grader by name, and what it was given."""

    type: str
    """The grader's name, without ``not-``."""
    value: Any = None
    """What it compares with: text, list, schema, number, rubric …"""
    options: dict[str, Any] = {}
    """The grader's other keys: ``tolerance``, ``arguments``, ``threshold`` …"""
    negated: bool = False
    """The ``not-`` form: passes where the grader fails, and the other way about."""
    weight: float = 1.0
    metric: str = ""
    """A column of its own under this name; empty: none."""


class Case(msgspec.Struct, frozen=True, omit_defaults=True):
    """One case, whatever file format it came from."""

    id: str
    input: str | tuple[dict[str, Any], ...] = ""
    """The question, or the messages of a conversation so far (``{"role": …, "content": …}``)."""
    vars: dict[str, Any] = {}
    target: tuple[str, ...] = ()
    """Right answers: any of them."""
    tags: tuple[str, ...] = ()
    slices: dict[str, str] = {}
    """Further slices: name → value; reported as ``name=value``."""
    weight: float = 1.0
    threshold: float | None = None
    """Passes with at least this score; None: the profile's ``pass``."""
    graders: tuple[GraderSpec, ...] = ()
    description: str = ""
    place: str = ""
    """File and line (or row) it came from, for messages."""


def slices_of_case(case: Case) -> tuple[str, ...]:
    """Return the slices that a case counts in: its tags, and ``name=value``."""
    return tuple(dict.fromkeys((*case.tags, *(f"{name}={value}" for name, value in case.slices.items()))))
