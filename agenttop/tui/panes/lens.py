"""What a pane is given of a view where one request is chosen, or one second looked at; and the pane says which.

A pane draws what stands in its view, so one that is of a request gets a view whose figures and history are those of the
request. What is not known by request (users, what is in flight, causes of failure, phases) is never narrowed.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from enum import Enum, auto
from functools import cache
from typing import Any

from msgspec.structs import replace

from agenttop.metrics.snapshot import Percentiles, RequestRow, Tick
from agenttop.schedule.quantities import clock
from agenttop.tui.history import History, Percentile
from agenttop.tui.panes import latency
from agenttop.tui.text import Line
from agenttop.tui.view import View, key_of, named
from agenttop.tui.widgets.box import labelled
from agenttop.tui.widgets.pane import Draw


class Of(Enum):
    """What a pane is of while one request is chosen."""

    REQUEST = auto()
    """That request."""
    ALL = auto()
    """All requests, and it says so."""
    OTHER = auto()
    """Nothing that could be of a request: the plan, what happened, limits, the generator, the table itself."""


@cache
def through(draw: Draw, of: Of) -> Draw:
    """Return a function that draws a pane through this."""

    def drawn(view: View, width: int, height: int) -> list[Line]:
        look, label, style = view.look, "", view.look.dim
        if of is Of.REQUEST:
            label, style = _label(view), look.key
        elif of is Of.ALL and view.request is not None:
            label = "all requests"
        lines = draw(narrowed(view) if of is Of.REQUEST else view, width, height)
        if not label:
            return lines
        return [
            labelled(look, line, label, style) if not row or _begins_box(view, line) else line
            for row, line in enumerate(lines)
        ]

    return drawn


def _label(view: View) -> str:
    """Return what a narrowed pane is of: ``chat/answer at 02:11``; empty for all requests, now."""
    request = named(view.request) if view.request is not None else ""
    at = f"at {clock(view.at_s)}" if view.at_s is not None else ""
    return f"{request} {at}".strip()


def _begins_box(view: View, line: Line) -> bool:
    return str(line).startswith(view.look.glyphs.box[0])


def narrowed(view: View) -> View:
    """Return the view with the figures and the history of the chosen request, as of the second that is looked at."""
    return _then(_alone(view))


def _then(view: View) -> View:
    """Return the view with the figures of the second that is looked at; its history goes on."""
    if view.at_s is None:
        return view
    history, snap = view.history, view.snap
    tick = history.at(view.at_s)
    if tick is None:  # nothing is known of that time
        tick = replace(snap.tick, **dict.fromkeys(_PERCENTILES), rps=0.0, in_flight=0, target=0.0)
    figures = {
        "rps": tick.rps,
        "in_flight": tick.in_flight,
        "latency": _of_tick(history, latency.TOTAL, tick),
        "ttft": _of_tick(history, latency.TTFT, tick),
        "inter_chunk": _of_tick(history, (None, latency.GAPS, None), tick),
    }
    return dataclasses.replace(view, snap=replace(snap, tick=tick, **figures))


def _of_tick(history: History, of: Sequence[Percentile | None], tick: Tick) -> Percentiles | None:
    """Return the percentiles (50, 95, 99) of the window that ends with a second: as far as they are kept."""
    values = [None if each is None else each.value(tick) for each in of]
    if all(value is None for value in values):
        return None
    p50, p95, p99 = (math.nan if value is None else value for value in values)
    counts = next(each.counts for each in of if each is not None)
    return Percentiles(history.samples(counts, tick.t_s), p50, math.nan, p95, p99, math.nan)


def _alone(view: View) -> View:
    """Return the view with the figures and the history of the chosen request."""
    if view.request is None:
        return view
    snap = view.snap
    row = next((row for row in snap.table if key_of(row) == view.request), None)
    figures = _NOTHING if row is None else _figures(row)
    pools = tuple(pool for pool in snap.pools if pool.name == view.request[0])
    history = view.history.of_request(view.request)
    tick = history.recent[-1] if history.recent else Tick(snap.t_s, -1, 0, 0.0, 0, 0.0, 0.0, 0.0)
    return dataclasses.replace(view, snap=replace(snap, pools=pools, tick=tick, **_UNKNOWN, **figures), history=history)


def _figures(row: RequestRow) -> dict[str, Any]:
    """Return what a snapshot says of one request."""
    failed = row.rate_limited + row.errors
    return {
        "rps": row.rps,
        "latency": _percentiles(row),
        "ttft": row.ttft,
        "inter_chunk": row.inter_chunk,
        "requests": row.requests,
        "ok": row.requests - failed,
        "failed": failed,
        "rate_limited": row.rate_limited,
        "error_rate": failed / row.requests if row.requests else 0.0,
        "output_tokens": row.output_tokens,
    }


def _percentiles(row: RequestRow) -> Percentiles | None:
    figures = (row.p50_ms, row.p90_ms, row.p95_ms, row.p99_ms, row.max_ms)
    known = [value for value in figures if value is not None]
    return Percentiles(row.samples, *known) if len(known) == len(figures) else None


#: Of a request that has sent nothing yet.
_NOTHING = _figures(RequestRow("", "", "", 0, 0.0, None, None, None, 0, 0))
#: Percentiles of a tick.
_PERCENTILES = tuple(name for name in Tick.__struct_fields__ if name.endswith("_ms"))
#: What is not known by request.
_UNKNOWN = {"rate": 0.0, "in_flight": 0, "oldest_s": 0.0, "dropped_iterations": 0, "bytes_received": 0}
