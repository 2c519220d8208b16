"""Figures of interleaved rounds: median, minimum and maximum, as a table and as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.benchmarks.machine import description


@dataclass
class Results:
    """What one benchmark found: ``rows`` maps a case to its figures, a figure (its name has the unit) to its rounds."""

    title: str
    rows: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    """What a reader must know: something was skipped, or is an upper bound."""
    problems: list[str] = field(default_factory=list)
    """What should not be: the benchmark fails."""

    def add(self, case: str, **figures: float | None) -> None:
        """One round of a case. In names ``_per_`` reads as ``/``; None is a figure that this round does not have."""
        row = self.rows.setdefault(case, {})
        for name, value in figures.items():
            values = row.setdefault(name, [])
            if value is not None:
                values.append(value)

    def note(self, text: str) -> None:
        """Say something once, however many rounds say it."""
        if text not in self.notes:
            self.notes.append(text)

    def expect(self, true: bool, problem: str) -> None:
        """Something must be so."""
        if not true:
            self.problems.append(problem)

    def table(self) -> str:
        """Medians; of the first figure the range of its rounds too."""
        columns = list(dict.fromkeys(name for row in self.rows.values() for name in row))
        lines = [["", *(_title(name) for name in columns)]]
        for case, row in self.rows.items():
            lines.append([case, *(_cell(row.get(name, []), first=not i) for i, name in enumerate(columns))])
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        text = [self.title, ""]
        for line in lines:
            cells = [line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))]
            text.append("  ".join(cells).rstrip())
        text += ["", *(f"note: {note}" for note in self.notes)] if self.notes else []
        text += [f"PROBLEM: {problem}" for problem in self.problems]
        return "\n".join(text)

    def write(self, path: Path) -> None:
        """Everything as JSON, with the machine it was measured on."""
        rows = {
            case: {
                name: {"median": median(values), "min": min(values), "max": max(values), "rounds": values}
                for name, values in row.items()
                if values
            }
            for case, row in self.rows.items()
        }
        whole = {"title": self.title, "machine": description(), "rows": rows}
        whole |= {"notes": self.notes, "problems": self.problems}
        path.write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _title(name: str) -> str:
    return name.replace("_per_", "/").replace("_", " ")


def _cell(values: list[float], *, first: bool) -> str:
    if not values:
        return "–"
    middle = _number(median(values))
    return f"{middle} ({_number(min(values))}…{_number(max(values))})" if first and len(values) > 1 else middle


def _number(value: float) -> str:
    if value >= 1000 or value == int(value):
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.1f}" if value >= 100 else f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"
