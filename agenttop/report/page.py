"""A page of plain text: lines, sections, tables and prose within a number of columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from agenttop.report.figures import cells, fit, table

RESET = "\x1b[0m"
STYLES = {"bold": "\x1b[1m", "dim": "\x1b[2m", "red": "\x1b[1;31m", "green": "\x1b[32m", "yellow": "\x1b[33m"}
INDENT = "  "


class Page:
    """Lines of text, none wider than ``width`` columns."""

    def __init__(self, width: int, color: bool) -> None:
        self.width = width
        self.color = color
        self.lines: list[str] = []

    def line(self, text: str = "", style: str = "") -> None:
        """Add a line as it is."""
        self.lines.append(f"{STYLES[style]}{text}{RESET}" if style and self.color else text)

    def section(self, title: str, note: str = "") -> None:
        """Begin a section: a rule with its title, and a note at the right."""
        title = f"─ {title} "
        note = f" {note} ─" if note else ""
        self.line()
        self.line(title + "─" * (self.width - len(title) - len(note)) + note, "bold")

    def table(self, rows: list[list[str]], style: Callable[[int], str] | None = None, first_min: int = 8) -> None:
        """Add rows of cells; the first is the heading, ``style`` gives that of each further one."""
        for i, text in enumerate(table(rows, self.width - len(INDENT), first_min=first_min)):
            self.line(INDENT + text, "dim" if i == 0 else style(i - 1) if style else "")

    def joined(self, parts: Iterable[str], style: str = "", separator: str = " · ", head: str = "") -> None:
        """Add parts on as few lines as they need, behind ``head``; a part is cut only if it alone is too wide."""
        room = self.width - len(INDENT) - cells(head)
        line = ""
        for part in parts:
            part = fit(part, room)
            if line and cells(line) + len(separator) + cells(part) > room:
                self.line(INDENT + head + line, style)
                line, head = "", " " * cells(head)
            line = f"{line}{separator}{part}" if line else part
        if line:
            self.line(INDENT + head + line, style)

    def prose(self, text: str, style: str = "") -> None:
        """Add wrapped text; no word is lost."""
        self.joined(text.split(), style, separator=" ")
