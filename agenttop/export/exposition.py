"""Writes figures in Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats, 0.0.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from agenttop.metrics.scope import clean_text

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ESCAPED = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
Labels = Mapping[str, str]


@dataclass(slots=True)
class Family:
    """One metric with all its samples. ``kind`` is ``counter``, ``gauge`` or ``histogram``."""

    name: str
    kind: str
    help: str
    lines: list[str] = field(default_factory=list)

    def add(self, value: float, labels: Labels) -> None:
        """Add a sample of a counter or a gauge."""
        self.lines.append(f"{self.name}{_labels(labels)} {_number(value)}")

    def histogram(self, buckets: Sequence[tuple[float, int]], count: int, total: float, labels: Labels) -> None:
        """Add a histogram: how many are at most as large as each bound, how many there are, and their sum."""
        for bound, reached in buckets:
            self.lines.append(f"{self.name}_bucket{_labels({**labels, 'le': _number(bound)})} {reached}")
        self.lines.append(f"{self.name}_bucket{_labels({**labels, 'le': '+Inf'})} {count}")
        self.lines.append(f"{self.name}_sum{_labels(labels)} {_number(total)}")
        self.lines.append(f"{self.name}_count{_labels(labels)} {count}")


def exposition(families: Iterable[Family]) -> str:
    """Return the text of those that have a sample."""
    return "".join(f"{line}\n" for family in families if family.lines for line in _lines(family))


def _lines(family: Family) -> Iterator[str]:
    yield f"# HELP {family.name} {family.help}"
    yield f"# TYPE {family.name} {family.kind}"
    yield from family.lines


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{clean_text(value).translate(_ESCAPED)}"' for name, value in labels.items()) + "}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))
