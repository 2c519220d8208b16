"""The requests table: one line for each request of a pool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rich.cells import cell_len

from agenttop.metrics.floors import too_few
from agenttop.metrics.request_trends import Key
from agenttop.metrics.snapshot import RequestRow
from agenttop.metrics.streams import is_bursty
from agenttop.tui.axis import axis, sparkline, words
from agenttop.tui.panes.errors import percent
from agenttop.tui.panes.latency import TOTAL, streams
from agenttop.tui.text import Line, clean, count, cut, fit, ms, rate
from agenttop.tui.view import View, key_of, named
from agenttop.tui.widgets.box import boxed, title
from agenttop.tui.widgets.chart import REVERSE, peak


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its title and width in cells, and the narrowest table that has it."""

    title: str
    width: int
    order: str
    text: Callable[[RequestRow], str]
    from_width: int = 0
    believed: Callable[[RequestRow], bool] = lambda _: True
    """Whether there are samples enough for its percentile."""
    enlarged: bool = False
    """It is there only where the table stands alone."""


COLUMNS = (
    Column("requests", 10, "", lambda r: count(r.requests), 96),
    Column("rps", 9, "rps", lambda r: rate(r.rps)),
    Column("p50 ms", 9, "", lambda r: ms(r.p50_ms), 76, lambda r: not too_few(50, r.samples)),
    Column("p95 ms", 9, "p95", lambda r: ms(r.p95_ms), believed=lambda r: not too_few(95, r.samples)),
    Column("p99 ms", 9, "", lambda r: ms(r.p99_ms), 72, lambda r: not too_few(99, r.samples), enlarged=True),
    Column("max ms", 9, "", lambda r: ms(r.max_ms), 100, lambda r: r.samples > 0, enlarged=True),
    Column("TTFT p95", 10, "", lambda r: ms(r.ttft_p95_ms), believed=lambda r: not too_few(95, r.ttft_samples)),
    Column("429", 7, "429", lambda r: count(r.rate_limited)),
    Column("err", 7, "err", lambda r: count(r.errors)),
    Column("tokens/s", 10, "", lambda r: rate(r.output_tokens_per_s), 132, enlarged=True),
    Column("failed", 9, "", lambda r: percent((r.rate_limited + r.errors) / r.requests) if r.requests else "-", 124),
)
#: Narrowest enlarged tables that have these columns, which elsewhere are there earlier.
_FROM_WITH_TREND = {"requests": 128, "p50 ms": 88}
#: The enlarged table has a trend a row from this width on: of so many cells at least, and at most; as many cells are
#: kept for names.
_ROOM_FOR_TREND, _TREND, _MOST_TREND, _NAME = 72, 7, 72, 20
#: From this width on the enlarged table says what part of all waiting is a row's.
_ROOM_FOR_TIME = 112
_SORTS: dict[str, Callable[[RequestRow], tuple[float | str, ...]]] = {
    "rps": lambda r: (-r.rps, r.pool, r.name),
    "p95": lambda r: (-(r.p95_ms or 0.0), r.pool, r.name),
    "429": lambda r: (-r.rate_limited, r.pool, r.name),
    "err": lambda r: (-r.errors, r.pool, r.name),
    "name": lambda r: (r.pool, r.name),
}


def rows(view: View) -> list[RequestRow]:
    """Return the rows that the filter lets through, in the chosen order."""
    filter = view.filter.casefold()
    kept = [row for row in view.snap.table if filter in f"{row.pool}/{row.name} {row.protocol}".casefold()]
    return sorted(kept, key=_SORTS[view.order])


def at_cursor(view: View) -> int:
    """Return the index among :func:`rows` of the row that the cursor is on: of the first where its own is gone."""
    return next((index for index, row in enumerate(rows(view)) if key_of(row) == view.row), 0)


def moved(view: View, step: int, page: int) -> tuple[Key | None, int]:
    """Return the row ``step`` rows from the cursor, and the first row that is shown of ``page`` then."""
    found = rows(view)
    if not found:
        return None, 0
    at = max(0, min(at_cursor(view) + step, len(found) - 1))
    return key_of(found[at]), _first(at, view.scroll, len(found), page)


def _first(at: int, scroll: int, count: int, page: int) -> int:
    """Return the first row to show, so that row ``at`` is there and as little moves as can be; the last line of a page
    says what follows.
    """
    if count - scroll <= page and scroll <= at:
        return min(scroll, max(0, count - page))
    first = max(0, min(scroll, at), at - max(1, page - 1) + 1)
    return count - page if count - first <= page else first


def says(view: View) -> int:
    """Return how many lines the table takes."""
    return max(1, len(rows(view)))


def compact(view: View, width: int, height: int) -> list[Line]:
    """Return the table under a rule that has its titles."""
    dash = view.look.glyphs.box[4]
    head = Line().add("5", view.look.key).add(" ").extend(_title(view)).add(" ")
    return [_titles(view, head, width, dash), *_table(view, width, height - 1)][:height]


def full(view: View, width: int, height: int) -> list[Line]:
    """Return the table in a box."""
    body = [_titles(view, Line(), width - 4, " "), *_table(view, width - 4, height - 3)]
    return boxed(view.look, width, height, title(view.look, "requests", "5"), _choices(view), body)


def _table(view: View, width: int, height: int) -> list[Line]:
    look, found = view.look, rows(view)
    at = at_cursor(view) if view.enlarged and found else None
    first = view.scroll if at is None else _first(at, view.scroll, len(found), height)
    shown = found[first:]
    clipped = len(shown) > height
    lines = [
        _row(view, row, width, cursor=index == at)
        for index, row in enumerate(shown[: height - 1 if clipped else height], first)
    ]
    if clipped:
        rest = len(shown) - len(lines)
        more = Line().add(f"  {look.glyphs.ellipsis} {rest} more: ", look.dim)
        more.add("/", look.key).add(" filters  ", look.dim)
        key, does = ("up down", "moves") if view.enlarged else ("5", "enlarges")
        lines.append(more.add(key, look.key).add(f" {does}", look.dim))
    if not found:
        why = f"no request matches {clean(view.filter)!r}" if view.filter else "no request yet"
        lines.append(Line().add(f"  {why}", look.dim))
    return lines


def _row(view: View, row: RequestRow, width: int, *, cursor: bool = False) -> Line:
    look = view.look
    columns = _columns(view, width)
    chosen = row.pool == view.pool if view.request is None else key_of(row) == view.request
    mark = look.glyphs.arrow if cursor else look.glyphs.selected if chosen else ""
    line = Line().add(f"{mark:2}", look.key)
    room = width - sum(column.width for column in columns) - 4 - _beside(view, width)
    name, protocol = label(view, row, room)
    line.add(name, look.strong if chosen else look.text).add(protocol, look.dim).to(room + 2)
    for column in columns:
        text = column.text(row)
        style = look.text
        if column.title == "TTFT p95" and is_bursty(row.streamed, row.one_burst):
            text, style = f"! {text}", look.warn
        elif column.title == "429" and row.rate_limited:
            style = look.warn
        elif column.title == "err" and row.errors:
            style = look.bad
        elif text in ("-", "0", "0.0", "0.0%") or not column.believed(row):
            style = look.dim
        line.right(text, column.width, style)
    if cells := _trend_cells(view, width):
        line.add("  ").extend(_trend(view, row, cells))
    return _under_cursor(view, line, width) if cursor else line


def _under_cursor(view: View, line: Line, width: int) -> Line:
    """Return a row as the one that the cursor is on: reversed up to its end."""
    look, found = view.look, Line()
    for part in (*line.parts, *Line().add(" " * (width - line.width)).parts):
        found.add(part.text, (part.style or look.text) + REVERSE)
    return found


def label(view: View, row: RequestRow, room: int) -> tuple[str, str]:
    """Return the name of a row and its protocol in so many cells. Where they do not fit, the protocol gives way, then
    the pool if no other row has the name, then the middle of the name.
    """
    name = clean(row.name)
    whole = named(key_of(row))
    protocol = f" ({clean(row.protocol)})"
    if cell_len(whole) + len(protocol) <= room:
        return whole, protocol
    if cell_len(whole) <= room:
        return whole, ""
    alone = sum(other.name == row.name for other in view.snap.table) == 1
    return cut(name if alone else whole, max(6, room), view.look.glyphs.ellipsis), ""


def _titles(view: View, line: Line, width: int, fill: str) -> Line:
    look, columns = view.look, _columns(view, width)
    end = width - 2 - _beside(view, width)
    start = end - sum(column.width for column in columns)
    line.add(fill * (start - line.width), look.faint)
    for index, column in enumerate(columns):
        here = column.order == view.order
        text = f"{look.glyphs.down} {column.title}" if here else column.title
        pad = column.width - len(text)
        gap = (" " if index else fill) + fill * (pad - 2) + " "
        line.add(gap[-pad:], look.faint).add(text, look.text if here else look.dim)
    if cells := _trend_cells(view, width):
        shown = words(view)
        what = next(
            text for text in (f"p95, {shown}", f"p95 {shown.removeprefix('last ')}", "p95") if len(text) <= cells
        )
        line.add("  ").add(what.ljust(cells), look.dim)
    return line.add(" " + fill, look.faint)


def _of_time(view: View) -> Column:
    """Return the column of each row's part of all the time that users wait."""
    busy_ms = sum(row.busy_ms for row in view.snap.table)
    return Column("of time", 9, "", lambda r: percent(r.busy_ms / busy_ms) if busy_ms else "-")


def _columns(view: View, width: int) -> list[Column]:
    """Return the columns there is room for; first tokens have one only where there are any. Some give way to the trend
    of the enlarged table.
    """
    shown = [
        column
        for column in COLUMNS
        if width >= (_FROM_WITH_TREND.get(column.title, column.from_width) if view.enlarged else column.from_width)
        and (view.enlarged or not column.enlarged)
    ]
    if view.enlarged and width >= _ROOM_FOR_TIME:
        shown.append(_of_time(view))
    return shown if streams(view) else [column for column in shown if column.title != "TTFT p95"]


def _trend_cells(view: View, width: int) -> int:
    """Return how wide the trends are: what names leave, within limits; 0 where there are none."""
    if not view.enlarged or width < _ROOM_FOR_TREND:
        return 0
    return max(_TREND, min(_MOST_TREND, width - 6 - sum(column.width for column in _columns(view, width)) - _NAME))


def _beside(view: View, width: int) -> int:
    """Return the cells that the trends take."""
    cells = _trend_cells(view, width)
    return cells + 2 if cells else 0


def _trend(view: View, row: RequestRow, cells: int) -> Line:
    """Return the p95 of a request over the time of all trends, from zero to its own highest; lighter where it is of too
    few samples.
    """
    look, along = view.look, axis(view, cells)
    known = along.percentiles(view.history.of_request(key_of(row)), TOTAL[1])
    values = [None if each is None else each.value for each in known]
    lighter = look.lighter(look.total)
    styles = [lighter if each is None or too_few(95, each.samples) else look.total for each in known]
    return sparkline(view, along, values, peak(values), styles)


def _title(view: View) -> Line:
    line = Line().add("requests", view.look.strong)
    if view.filter:
        line.add(f" /{fit(clean(view.filter), 12, view.look.glyphs.ellipsis)}", view.look.key)
    elif view.order == "name":
        line.add(" by name", view.look.dim)
    return line


def _choices(view: View) -> Line:
    look = view.look
    line = Line()
    if view.enlarged and view.snap.table:
        line.add("enter", look.key)
        line.add(" all requests  " if view.request and view.row == view.request else " only this one  ", look.dim)
    if view.filter:
        line.add("filter ", look.dim).add(clean(view.filter), look.key).add("  ")
    shown = len(rows(view))
    if view.filter:
        line.add(f"{shown} of {len(view.snap.table)}  ", look.text)
    return line.add("by ", look.dim).add(view.order, look.text)
