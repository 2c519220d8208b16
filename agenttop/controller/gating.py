"""Holds a run against the runs that its profile's gate names, once it is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from agenttop.controller.ending import End
from agenttop.controller.spec import RunSpec
from agenttop.exits import DONE, FAILED, STOPPED, THRESHOLD, USAGE
from agenttop.journal.journal import BROKEN
from agenttop.metrics.scope import clean_text
from agenttop.profile.gate import allowed
from agenttop.profile.model import Gate
from agenttop.quality.margins import IncomparableError

if TYPE_CHECKING:  # what compares is not imported by runs without a gate
    from agenttop.quality.compare import Comparison

#: Verdicts of a run that could not be compared: there is no base yet, or it was cut short, or nothing can be paired.
NO_BASE, NOT_COMPARED = "no_base", "not_compared"


def gated(spec: RunSpec, summary: Mapping[str, Any], end: End) -> tuple[dict[str, Any] | None, End]:
    """Return what the gate says of a run with this summary (None: its profile has none), and the run's end with it.

    A run that failed or was stopped is not compared: what it measured is not what it was to measure. One that cannot be
    compared is never let pass.
    """
    gate = spec.profile.gate
    if gate is None:
        return None, end
    if end.exit_code in (FAILED, STOPPED):
        why = "the run was stopped by hand" if end.exit_code == STOPPED else "the run failed"
        return _without(NOT_COMPARED, f"{why}, and is compared with nothing"), end
    if not spec.bases:
        return _without(NO_BASE, spec.no_base), end
    try:
        found = compared(gate, spec.bases, summary)
    except IncomparableError as error:
        why = f"the gate cannot compare this run with its base: {clean_text(str(error))}"
        return _without(NOT_COMPARED, why), _also(end, why, USAGE)
    said: dict[str, Any] = msgspec.to_builtins(found)
    return said, _also(end, f"the gate blocks: {found.words}", THRESHOLD) if found.blocked else end


def compared(gate: Gate, bases: Sequence[Mapping[str, Any]], summary: Mapping[str, Any]) -> Comparison:
    """Return how a run with this summary compares with the bases of a gate.

    Raises:
        IncomparableError: it cannot be, or one of them is no summary that can.
    """
    from agenttop.quality.compare import compare

    try:
        return compare(bases, [summary], allowed(gate))
    except IncomparableError:
        raise
    except BROKEN as error:
        raise IncomparableError(type(error).__name__) from None


def _without(verdict: str, words: str) -> dict[str, Any]:
    """Return what is said of a run that was not compared."""
    return {"verdict": verdict, "blocked": verdict == NOT_COMPARED, "words": words, "base": [], "rows": []}


def _also(end: End, message: str, exit_code: int) -> End:
    """Return the end with a further message; a threshold's code stays."""
    message = "; ".join(filter(None, (end.message, message)))
    return replace(end, message=message, exit_code=exit_code if end.exit_code == DONE else end.exit_code)
