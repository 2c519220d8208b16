"""Reads the pages of the reference in ``pages/``: Markdown that reads the same on the web.

A page is a title, a paragraph whose first sentence says what it is about, and sections. What stands between the marks
``<!-- … -->`` and ``<!-- end -->`` is written by ``python -m tests.pages``; the marks are shown nowhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files

#: In the order in which they are listed: what is written, what is measured, what is done with it.
ORDER = (
    "profile",
    "stages",
    "pools",
    "tasks",
    "variables",
    "checks",
    "python",
    "dialects",
    "metrics",
    "outcomes",
    "thresholds",
    "quality",
    "graders",
    "compare",
    "rate-limits",
    "budget",
    "verdict",
    "capacity",
    "fleet",
    "commands",
    "ctl",
    "screen",
    "exit-codes",
    "files",
    "summary",
    "reports",
    "benchmarks",
)

_MARK = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_SENTENCE = re.compile(r".*?\.(?=\s|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Page:
    """One page. ``text`` is its Markdown without the marks."""

    name: str
    text: str

    @property
    def about(self) -> str:
        """Return the first sentence under its title, on one line."""
        paragraph = self.text.split("\n\n", 2)[1]
        sentence = _SENTENCE.match(paragraph)
        return " ".join((sentence[0] if sentence else paragraph).split()).removesuffix(".")


def read_pages() -> list[Page]:
    """Return all pages, in their order."""
    folder = files(__package__) / "pages"
    return [Page(name, _MARK.sub("", (folder / f"{name}.md").read_text(encoding="utf-8"))) for name in ORDER]
