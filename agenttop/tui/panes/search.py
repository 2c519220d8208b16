"""The search pane, in the place of the plan: the levels tried as a staircase, and the progress of the present one."""

from __future__ import annotations

import msgspec
from rich.style import Style

from agenttop.metrics.searched import SearchState, SearchStep
from agenttop.report.figures import digits, share
from agenttop.report.search import asked, level, sentence
from agenttop.tui.text import Line, clean, fit, wrap
from agenttop.tui.view import View
from agenttop.tui.widgets.box import boxed, title
from agenttop.tui.widgets.chart import area, spark

#: Columns of the figures beside the staircase.
SIDE = 26


def compact(view: View, width: int, height: int, search: SearchState) -> list[Line]:
    """Return two rows: the progress in words, and the staircase."""
    look = view.look
    head = Line().add("1", look.key).add(" Search ", look.dim).add(_words(view, search, width - 10), look.strong)
    tail = _known(view, search)
    columns = _columns(search, max(10, width - 10 - tail.width))
    line = Line().to(8)
    marks = spark([step.level if step else None for step in columns], _top(search), look.glyphs)
    for step, mark in zip(columns, marks, strict=True):
        line.add(mark, _style(view, step))
    return [head, line.to(width - tail.width - 1).extend(tail)][:height]


def full(view: View, width: int, height: int, search: SearchState) -> list[Line]:
    """Return the staircase in a box, with the figures of the present level beside it; enlarged, all findings
    in words.
    """
    look = view.look
    said = _words(view, search, 10_000)
    above = [Line().add(part, look.strong) for part in wrap(said, width - 4)] + [Line()] if view.enlarged else []
    chart = max(10, width - 4 - SIDE - 10)
    rows = max(1, height - 3 - len(above))
    columns = _columns(search, chart)
    top = _top(search)
    body = []
    for index, text in enumerate(area([step.level if step else None for step in columns], rows, top, look.glyphs)):
        label = digits(top) if index == 0 else "0" if index == rows - 1 else ""
        line = Line().right(label, 6, look.dim).to(8)
        for step, mark in zip(columns, text, strict=True):
            line.add(mark, _style(view, step))
        body.append(line)
    body.append(Line().to(8).extend(_labels(view, columns)))
    for line, (name, value, style) in zip(body, _figures(view, search), strict=False):
        line.to(width - 4 - SIDE + 2).add(name, look.dim).right(value, SIDE - 2 - len(name), style)
    right = Line() if above else Line().add(fit(said, width - 20, look.glyphs.ellipsis), look.strong)
    return boxed(look, width, height, title(look, "search", "1"), right, above + body)


def _words(view: View, search: SearchState, width: int) -> str:
    text = fit(words(search), width, view.look.glyphs.ellipsis)
    return text if view.look.glyphs.braille else text.replace("–", "-")


def words(search: SearchState) -> str:
    """Return ``32 users, measuring 8/15s, 97.1% good (94.0%–98.7%)``; once it is over, what it has found."""
    if search.stopped:
        return clean(sentence(msgspec.to_builtins(search)))
    now = search.now
    if now is None:
        return "begins"
    text = f"{level(now.level, search.unit)}, {search.phase}"
    if search.phase_of_s:
        text += f" {search.phase_s:.0f}/{search.phase_of_s:.0f}s"
    if now.requests:
        text += f", {share(now.share)} good ({share(now.low)}–{share(now.high)})"
    return text


def _known(view: View, search: SearchState) -> Line:
    """Return ``holds 16  fails 32``."""
    look, line = view.look, Line()
    failed = [step.level for step in search.steps if _fails(step)]
    line.add("holds ", look.dim).add(_level(search.capacity, search.unit), look.good)
    return line.add("  fails ", look.dim).add(_level(min(failed, default=None), search.unit), look.warn)


def _figures(view: View, search: SearchState) -> list[tuple[str, str, Style]]:
    look, now = view.look, search.now
    failed = [step.level for step in search.steps if _fails(step)]
    found = [
        ("holds", level(search.capacity, search.unit), look.good),
        ("fails", level(min(failed, default=None), search.unit), look.warn),
        ("wanted good", asked(search.good), look.dim),
    ]
    if now is None:
        return found
    seen = now.requests > 0
    return [
        ("now", level(now.level, search.unit), look.strong),
        ("good", share(now.share) if seen else "-", look.strong),
        ("between", f"{share(now.low)} {share(now.high)}" if seen else "-", look.text),
        ("requests", str(now.requests), look.text),
        *found,
    ]


def _columns(search: SearchState, width: int) -> list[SearchStep | None]:
    """Return the step that was tried at the time of each column; the newest at the right."""
    steps = [*search.steps, *((search.now,) if search.now is not None else ())]
    if not steps:
        return [None] * width
    begin, end = steps[0].start_s, max(steps[-1].end_s, steps[0].start_s + 1)
    found: list[SearchStep | None] = []
    for x in range(width):
        t_s = begin + (x + 0.5) * (end - begin) / width
        found.append(next((step for step in reversed(steps) if step.start_s <= t_s), None))
    return found


def _labels(view: View, columns: list[SearchStep | None]) -> Line:
    """Return the level under the beginning of each stair, with ``!`` if it does not hold."""
    line = Line()
    before: SearchStep | None = None
    for x, step in enumerate(columns):
        if step is not None and step is not before and x >= line.width + (x > 0):
            text = digits(step.level) + ("!" if _fails(step) else "")
            stop = next((i for i in range(x, len(columns)) if columns[i] is not step), len(columns))
            if stop - x > len(text) or stop == len(columns):
                line.to(x).add(text, _style(view, step))
        before = step
    return line


def _style(view: View, step: SearchStep | None) -> Style:
    look = view.look
    if step is None or not (step.holds or _fails(step)):
        return look.load
    return look.good if step.holds else look.warn


def _fails(step: SearchStep) -> bool:
    """Return whether a step is judged not to hold; one that was cut, or is being tried, is not judged."""
    return step.verdict not in ("", "cut") and not step.holds


def _top(search: SearchState) -> float:
    steps = [*search.steps, *((search.now,) if search.now is not None else ())]
    return max((step.level for step in steps), default=1.0)


def _level(value: float | None, unit: str) -> str:
    """Return a level without the word for users, which the line has already."""
    return level(value, unit).partition(" user")[0]
