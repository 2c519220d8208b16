"""The table of stages, live: the rows of the report, the present stage among them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.style import Style

from agenttop.metrics.assessment import BAD, KEEPS_UP, RECOVERS, word_of
from agenttop.metrics.floors import too_few
from agenttop.metrics.snapshot import StageRow
from agenttop.report.figures import ms, per_s
from agenttop.report.stages import cells, most_telling
from agenttop.tui.text import Line, clean, fit, in_glyphs, wrap
from agenttop.tui.view import View
from agenttop.tui.widgets.box import boxed, title
from agenttop.verdict import words

KEY = "k"
#: Cells before a name: what is not well, and what goes on. Cells of a name at least, and between two columns.
_MARKS, _NAME, _GAP = 3, 6, 2
#: Of bars: cells of a name at most, and of a figure.
_LONGEST, _FIGURE = 16, 9
#: What stands beside the state of a stage that is not over.
_SO_FAR = "so far"
#: Of what is judged by few samples: the column, the percentile, of first tokens or not.
_OF_SAMPLES = {"p50": (50, False), "p95": (95, False), "TTFT p95": (95, True)}


def says(view: View) -> int:
    """Return how many rows there are to compare: one stage alone is the run."""
    rows = view.snap.stage_rows
    return len(rows) if len(rows) > 1 else 0


def lines(view: View, width: int) -> int:
    """Return how many lines the enlarged table has to scroll through."""
    return len(view.snap.stage_rows)


def compact(view: View, width: int, height: int) -> list[Line]:
    """Return the table under a rule that has its titles."""
    look = view.look
    head = Line().add(KEY, look.key).add(" ").add("stages", look.strong).add(" ")
    return _table(view, most_telling(view.snap.stage_rows, height - 1), head, width, look.glyphs.box[4])[:height]


def full(view: View, width: int, height: int) -> list[Line]:
    """Return the table in a box: of more stages than there is room for the most telling."""
    room = height - 3
    body = _table(view, most_telling(view.snap.stage_rows, room), Line(), width - 4, " ")
    return boxed(view.look, width, height, title(view.look, "stages", KEY), _legend(view), body)


def enlarged(view: View, width: int, height: int) -> list[Line]:
    """Return all of them, then in words what grew, the verdict and the knee, then rate and p95 as bars."""
    rows, height = view.snap.stage_rows, height - 2
    told = _told(view, width - 4)
    parted = [line for text in told for line in (Line(), *text)]
    close = [Line(), *(line for text in told for line in text)]
    below = next((lines for lines in (parted, close) if len(rows) + 1 + len(lines) <= height), [])
    room = max(1, height - 1 - len(below))
    shown = rows[min(view.scroll, max(0, len(rows) - room)) :][:room]
    body = [*_table(view, shown, Line(), width - 4, " "), *below]
    bars = _bars(view, width - 4) if len(rows) > 1 else []
    if len(body) + len(bars) <= height:
        body += bars
    return boxed(view.look, width, height + 2, title(view.look, "stages", KEY), _legend(view), body)


def _legend(view: View) -> Line:
    look, rows = view.look, view.snap.stage_rows
    if all(row.over for row in rows):
        return Line()
    return Line().add(f"{look.glyphs.selected} ", look.strong).add("not over yet", look.dim)


def _table(view: View, rows: Sequence[StageRow], head: Line, width: int, fill: str) -> list[Line]:
    """Return the titles and the rows. Figures are never cut: where it is narrow, names give way, then columns from the
    right.
    """
    look = view.look
    if not rows:
        return [head.add(fill * (width - head.width), look.faint), Line().add("  no request has ended yet", look.dim)]
    titles, *shown = cells(rows)
    states = [_state(row) for row in rows]
    widths = [max(cell_len(line[at]) for line in (titles, *shown)) + _GAP for at in range(1, len(titles))]
    least = max(_MARKS + _NAME, head.width)
    while widths and least + sum(widths) > width:
        widths.pop()
    rest = width - sum(widths)
    names = [clean(line[0]) for line in shown]
    first = min(rest, max(least, _MARKS + max(map(cell_len, names)) + 1))
    state = max(map(len, states)) + _GAP
    with_state = rest - first >= state
    found = [_titles(view, head, titles[1:], widths, first, width, fill)]
    for row, name, line, word in zip(rows, names, shown, states, strict=True):
        drawn = Line().add("!" if row.state in BAD else " ", look.bad)
        drawn.add(look.glyphs.selected if not row.over else " ", look.key).add(" ")
        drawn.add(fit(name, first - _MARKS, look.glyphs.ellipsis), look.text if row.over else look.strong).to(first)
        for column, text, wide in zip(titles[1:], line[1:], widths, strict=False):
            drawn.right(look.glyphs.tell(text), wide, _style(view, row, column, text))
        if with_state:
            drawn.add(" " * _GAP).add(word, _of_state(view, row.state))
        found.append(drawn)
    return found


def _titles(
    view: View, head: Line, titles: Sequence[str], widths: Sequence[int], first: int, width: int, fill: str
) -> Line:
    look = view.look
    line = head.add(fill * (first - head.width), look.faint)
    for at, (text, wide) in enumerate(zip(titles, widths, strict=False)):
        said = look.glyphs.tell(text)
        # A space on both sides of each, and a rule where more is left.
        gap = wide - len(said) - (2 if at else 1)
        line.add(" " if at else "").add(fill * gap + " ", look.faint).add(said, look.dim)
    return line.add(" " + fill * (width - line.width - 1), look.faint) if line.width < width else line


def _style(view: View, row: StageRow, column: str, text: str) -> Style:
    look = view.look
    percent, of_tokens = _OF_SAMPLES.get(column, (0, False))
    if text in ("-", "0") or (percent and too_few(percent, row.ttft_samples if of_tokens else row.samples)):
        return look.dim
    if column == "429":
        return look.warn
    return look.bad if column == "errors" else look.text


def _state(row: StageRow) -> str:
    """Return a stage's verdict as a word, and whether it may change."""
    known = [word_of(row.state)] if row.state else []
    return ", ".join(known if row.over else [*known, _SO_FAR])


def _of_state(view: View, state: str) -> Style:
    look = view.look
    return look.bad if state in BAD else {KEEPS_UP: look.good, RECOVERS: look.warn}.get(state, look.dim)


def _told(view: View, width: int) -> list[list[Line]]:
    """Return what the table says, in words: a text is some lines."""
    look, found = view.look, view.snap.verdict
    grown = [row for row in view.snap.stage_rows if row.grew_times is not None]
    texts: list[tuple[str, Style]] = []
    if grown:
        row = max(grown, key=lambda row: row.grew_times or 0.0)
        first = next(other for other in view.snap.stage_rows if other.unit == row.unit)
        texts.append((f"{clean(row.grew)} grew most: ×{row.grew_times:.1f} from {first.load} to {row.load}", look.text))
    if found is not None and found.words:
        texts.append((f"{'! ' if found.bad else ''}{found.word}  {clean(found.words)}", _of_state(view, found.state)))
        if found.knee is not None:
            texts.append((words.knee(found.knee), look.warn))
        elif found.holds is not None:
            texts.append((words.holds(found.holds, found.unit), look.text))
    return [
        [Line().add(part, style) for part in wrap(in_glyphs(look.glyphs.tell(text), look.glyphs), width)]
        for text, style in texts
    ]


def _bars(view: View, width: int) -> list[Line]:
    """Return a bar of the rate and one of the p95 for each stage, each kind from zero on a scale of its own."""
    look, rows = view.look, view.snap.stage_rows
    names = min(_LONGEST, max(cell_len(clean(row.name)) for row in rows)) + _MARKS + 1
    room = max(4, (width - names - 2 * _FIGURE) // 2)
    most_per_s, most_ms = max(row.rps for row in rows), max(row.p95_ms or 0.0 for row in rows)
    lines = [Line(), Line().to(names).add("rps", look.dim).to(names + room + _FIGURE).add("p95", look.dim)]
    for row in rows:
        line = Line().to(_MARKS).add(fit(clean(row.name), names - _MARKS - 1, look.glyphs.ellipsis), look.text)
        for column, (value, most, text, style) in enumerate(
            ((row.rps, most_per_s, per_s(row.rps), look.load), (row.p95_ms, most_ms, ms(row.p95_ms), look.total))
        ):
            part = value / most if value and most else 0.0
            line.to(names + column * (room + _FIGURE)).add(look.glyphs.bar * round(part * (room - 1)), style)
            line.add(f" {look.glyphs.tell(text)}", look.strong)
        lines.append(line)
    return lines
