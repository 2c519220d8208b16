"""Formats figures for a terminal: durations, counts and shares with their units, and columns that line up."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from agenttop.metrics.scope import clean_text


def ms(value: float | None) -> str:
    """Return a duration given in ms, in three digits: ``850µs 12.3ms 182ms 4.60s 14.0s 2m05s``; ``-`` for None."""
    if value is None:
        return "-"
    if value == 0:
        return "0ms"
    if value < 0.9995:
        return f"{value * 1000:.0f}µs"
    if value < 9.995:
        return f"{value:.2f}ms"
    if value < 99.95:
        return f"{value:.1f}ms"
    if value < 999.5:
        return f"{value:.0f}ms"
    if value < 9995:
        return f"{value / 1000:.2f}s"
    return f"{value / 1000:.1f}s" if value < 59_950 else duration(value / 1000)


def duration(seconds: float | None) -> str:
    """Return a duration given in seconds, without needless digits: ``2s 4.60s 14.2s 2m05s 1h02m``; ``-`` for None."""
    if seconds is None:
        return "-"
    if 0 < seconds < 0.9995:
        return ms(seconds * 1000)
    if seconds < 9.995:
        return f"{seconds:.0f}s" if seconds == round(seconds) else f"{seconds:.2f}s"
    if seconds < 59.95:
        return f"{seconds:.1f}".removesuffix(".0") + "s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02}m"


def count(value: float | None) -> str:
    """Return a whole number, its thousands apart: ``12 480``; ``-`` for None."""
    return "-" if value is None else f"{value:,.0f}".replace(",", " ")


def per_s(value: float | None) -> str:
    """Return a rate without its unit: ``0.03 4.52 412.6 12 480``; ``-`` for None."""
    if value is None:
        return "-"
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 999.95 else count(value)


def digits(value: float) -> str:
    """Return a load in four digits, from 1 000 on as a whole number: ``0.125 12.5 12 480``."""
    return count(value) if value >= 1000 else f"{value:.4g}"


def share(value: float | None) -> str:
    """Return a part of 1 as percent: ``0.02% 2.3% 97.2% 100%``; only exactly nothing is 0 and only everything 100."""
    if value is None:
        return "-"
    percent = value * 100
    if percent == 0 or percent > 100 - 1e-9:  # the sum of its parts may be a hair beside the whole
        return f"{percent:.0f}%"
    if percent < 0.995:
        return f"{percent:.2f}%" if percent >= 0.005 else "<0.01%"
    return f"{min(percent, 99.99):.2f}%" if percent > 99.9 else f"{percent:.1f}%"


def bytes_(value: float | None) -> str:
    """Return a size: ``820B 12.7MB``; ``-`` for None."""
    if value is None:
        return "-"
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5:
            return f"{value:.0f}{unit}" if unit == "B" or value >= 99.95 else f"{value:.1f}{unit}"
        value /= 1000
    return f"{value:.1f}TB"


def cells(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


def fit(text: str, width: int) -> str:
    """Return text of a target or a profile, cleaned, and cut if it is wider than ``width``."""
    text = clean_text(text)
    if cells(text) <= width:
        return text
    kept, used = "", 1
    for char in text:
        used += cells(char)
        if used > width:
            break
        kept += char
    return kept + "…"


def pad(text: str, width: int, right: bool = False) -> str:
    """Return a text filled up with spaces to ``width`` columns."""
    space = " " * (width - cells(text))
    return space + text if right else text + space


def bar(part: float, width: int, full: str = "█", empty: str = " ") -> str:
    """Return a share (0 to 1) as a bar."""
    filled = round(max(0.0, min(1.0, part)) * width)
    return full * filled + empty * (width - filled)


def table(rows: Sequence[Sequence[str]], width: int, *, first_min: int = 8, gap: int = 2) -> list[str]:
    """Return rows as lines: the first column to the left, figures to the right.

    Figures are never cut: the first column gives way down to ``first_min``, then columns from the right are left out.
    """
    widths = [max(cells(row[i]) for row in rows) for i in range(1, len(rows[0]))]
    while widths and first_min + sum(w + gap for w in widths) > width:
        widths.pop()
    first = min(max(cells(row[0]) for row in rows), width - sum(w + gap for w in widths))
    lines = []
    for row in rows:
        figures = "".join(" " * gap + pad(row[i + 1], w, right=True) for i, w in enumerate(widths))
        lines.append((pad(fit(row[0], first), first) + figures).rstrip())
    return lines
