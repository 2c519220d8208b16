"""Reads what a gate compares with and allows: ``last``, ``2%``, ``refunds=5%``, ``latency.p95{pool:chat}=10%``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

#: Sides that are looked for among the runs of this machine: the newest that is over, and the newest that passed.
LAST, LAST_PASSED = "last", "last-passed"

_PERCENT = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*%\s*")
_FIGURE = re.compile(
    r"\s*(?P<metric>[A-Za-z_]\w*(?:\.[\w-]+)*?)(?:\.(?P<stat>\w+))?\s*"
    r"(?:\{\s*(?P<kind>pool|request)\s*:\s*(?P<name>[^{}]+?)\s*\}\s*)?"
)
_MAX_TEXT = 400


class MarginError(ValueError):
    """The text says no margin; the message says what is expected."""


class IncomparableError(ValueError):
    """The two cannot be compared at all; the message says why."""


@dataclass(frozen=True, slots=True)
class Regress:
    """What one figure may be worse by, as a part of base; of a share in points."""

    metric: str
    """Such as ``latency``, ``error_rate`` or ``phase.llm_call``."""
    stat: str
    """Such as ``p95``; empty where the metric has one figure alone."""
    margin: float
    kind: str = "totals"
    """``totals``, ``pools`` or ``requests``."""
    name: str = ""
    """Of the pool or request."""

    @property
    def figure(self) -> str:
        """Return it as it was written, without the margin."""
        where = f"{{{self.kind.removesuffix('s')}:{self.name}}}" if self.name else ""
        return ".".join(part for part in (self.metric, self.stat) if part) + where


@dataclass(frozen=True, slots=True)
class Gate:
    """What head may be worse by."""

    score_drops: dict[str, float] = field(default_factory=dict)
    """Points of 1 by slice; of the whole score by the empty name."""
    regress: tuple[Regress, ...] = ()
    strict: bool = False
    """What the data cannot tell blocks too."""

    def __bool__(self) -> bool:
        return bool(self.score_drops or self.regress)


def percent_of(text: str) -> float:
    """Return a percentage as a part of 1.

    Raises:
        MarginError: it is none.
    """
    found = _PERCENT.fullmatch(text[:_MAX_TEXT])
    if found is None or not math.isfinite(value := float(found[1]) / 100):
        raise MarginError(f"expected a percentage such as 2%, not {text[:60]!r}")
    return value


def score_drop(text: str) -> tuple[str, float]:
    """Return the slice (empty: the whole score) and how far it may fall, in points of 1.

    Raises:
        MarginError: it says neither ``2%`` nor ``SLICE=5%``.
    """
    name, sign, margin = text.rpartition("=")
    if sign and not name.strip():
        raise MarginError(f"expected 2% or SLICE=5%, not {text[:60]!r}")
    return name.strip(), percent_of(margin)


def regress(text: str) -> Regress:
    """Return what ``METRIC.STAT=10%`` allows.

    Raises:
        MarginError: it says none.
    """
    figure, sign, margin = text.rpartition("=")
    if not sign:
        raise MarginError(f"expected METRIC.STAT=10%, such as latency.p95=10%, not {text[:60]!r}")
    return regress_of(figure, margin)


def regress_of(figure: str, margin: str) -> Regress:
    """Return what a figure and its margin, written apart, allow.

    Raises:
        MarginError: they say nothing that can be allowed.
    """
    found = _FIGURE.fullmatch(figure[:_MAX_TEXT])
    if found is None:
        raise MarginError(
            f"expected METRIC.STAT such as latency.p95, with {{pool:NAME}} or {{request:NAME}}, not {figure[:60]!r}"
        )
    kind = f"{found['kind']}s" if found["kind"] else "totals"
    return Regress(found["metric"], found["stat"] or "", percent_of(margin), kind, found["name"] or "")
