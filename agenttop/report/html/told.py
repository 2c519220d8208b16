"""A page of a report as HTML: takes what sections add to a page of plain text, so that each is written once."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from agenttop.report.html.markup import Markup, el, joined
from agenttop.report.page import Page

#: Columns: so many that nothing is cut.
_WIDE = 1000


class HtmlPage(Page):
    """Elements instead of lines. Lines that are laid out with spaces keep them."""

    def __init__(self) -> None:
        super().__init__(_WIDE, color=False)
        self._parts: list[Markup] = []
        self._laid: list[Markup] = []
        """Lines of text that stand under each other."""

    def line(self, text: str = "", style: str = "") -> None:
        """Add a line as it is; an empty one is not shown."""
        if text.strip():
            self._laid.append(el("span", text.removeprefix("  "), class_=style or None))

    def section(self, title: str, note: str = "") -> None:
        """Begin a section."""
        self.add(el("h2", title, el("small", note) if note else None))

    def table(self, rows: list[list[str]], style: Callable[[int], str] | None = None, first_min: int = 8) -> None:
        """Add rows of cells; the first is the heading, ``style`` gives that of each further one."""
        head, *body = rows
        lines = [el("tr", *(el("th", cell) for cell in head))]
        lines += [el("tr", *(el("td", cell) for cell in row), class_=(style(i) if style else "") or None)
                  for i, row in enumerate(body)]  # fmt: skip
        self.add(el("div", el("table", joined(*lines)), class_="scroll"))

    def joined(self, parts: Iterable[str], style: str = "", separator: str = " · ", head: str = "") -> None:
        """Add parts as a paragraph."""
        words = separator.join(parts)
        if words:
            self.add(el("p", el("b", head.strip() + " ") if head.strip() else None, words, class_=style or None))

    def add(self, part: Markup) -> None:
        """Add an element."""
        self._lay()
        self._parts.append(part)

    def take(self) -> Markup:
        """Return what was added since the last call."""
        self._lay()
        parts, self._parts = self._parts, []
        return joined(*parts)

    def _lay(self) -> None:
        if self._laid:
            laid, self._laid = self._laid, []
            self._parts.append(el("pre", joined(*laid)))
