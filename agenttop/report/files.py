"""Writes a run to a file in the format that its ending chooses.

.html a page · .md Markdown · .xml JUnit · .csv a table · .hgrm a file a metric · .br.yaml Benchmark Report · .json
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from agenttop.metrics.snapshot import Event
from agenttop.report.benchmark_report import report_yaml
from agenttop.report.hgrm import report_hgrm
from agenttop.report.html.run_page import report_html
from agenttop.report.markdown import report_markdown
from agenttop.report.suites import report_xml
from agenttop.report.summary import encode_summary
from agenttop.report.tables import report_csv
from agenttop.report.whole import unwritable, write_whole


class Asked(msgspec.Struct, frozen=True):
    """What is asked for of a format."""

    strict: bool = False
    """JUnit: what is not decided fails."""
    table: str = "requests"
    """CSV: which table."""
    events: tuple[Event, ...] = ()
    """HTML: of the run, from its journal."""
    profile: str = ""
    """HTML: as TOML, its secrets masked."""


Texts = Callable[[Mapping[str, Any], Asked], Mapping[str, str]]


def _one(text: Callable[[Mapping[str, Any], Asked], str]) -> Texts:
    return lambda summary, asked: {"": text(summary, asked)}


#: By ending the texts of the files that a run is written to, by what is put before the ending.
_FORMATS: Mapping[str, Texts] = {
    ".json": _one(lambda summary, _: encode_summary(summary).decode()),
    ".html": _one(lambda summary, asked: report_html(summary, asked.events, asked.profile)),
    ".md": _one(lambda summary, _: report_markdown(summary)),
    ".xml": _one(lambda summary, asked: report_xml(summary, strict=asked.strict)),
    ".csv": _one(lambda summary, asked: report_csv(summary, asked.table)),
    ".hgrm": lambda summary, _: {f".{name}": text for name, text in report_hgrm(summary).items()},
    ".br.yaml": _one(lambda summary, _: report_yaml(summary)),
}
ENDINGS = tuple(_FORMATS)
#: The format that shows more than the summary has.
PAGE = ".html"


def ending_of(path: str) -> str | None:
    """Return the ending that chooses the format of a file, of a file without any that of the summary; None where no
    format has it.
    """
    name = os.path.basename(path).lower()
    if "." not in name and name:
        return ".json"
    return next((ending for ending in _FORMATS if name.endswith(ending) and name != ending), None)


def problem_of(path: str) -> str:
    """Return why no report can be written to this path; empty if one can, as far as can be seen."""
    if ending_of(path) is None:
        return f"expected a file that ends in {', '.join(ENDINGS)}"
    return unwritable(path)


def write_report(path: str, summary: Mapping[str, Any], asked: Asked | None = None) -> list[str]:
    """Write a run to a file, or to several whose names begin as its name does; return their paths.

    Raises:
        OSError: one cannot be written.
        ValueError: no format has this ending, or the summary holds what no run does.
    """
    ending = ending_of(path)
    if ending is None:
        raise ValueError(problem_of(path))
    texts = _FORMATS[ending](summary, asked or Asked())
    written: list[str] = []
    for name, text in texts.items():
        target = _named(path, ending, name, written) if name else path
        write_whole(target, text.encode("utf-8", "replace"))
        written.append(target)
    return written


def _named(path: str, ending: str, name: str, taken: Sequence[str]) -> str:
    """Return the path with a name before its ending, and a number where another name has become the same."""
    head, tail = f"{path[: -len(ending)]}{_plain(name)}", path[-len(ending) :]
    target, number = f"{head}{tail}", 1
    while target in taken:
        number += 1
        target = f"{head}-{number}{tail}"
    return target


def _plain(name: str) -> str:
    """Return a name of a metric, which the target may have made, as part of a file's name."""
    return "".join(char if char.isalnum() or char in "._-" else "_" for char in name)[:100]
