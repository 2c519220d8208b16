"""The table of all panes, from the top to the bottom: what each is in which layout. A new pane is one entry here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from agenttop.tui.arrange import MANY, Slot
from agenttop.tui.panes import (
    boxes,
    budget,
    errors,
    events,
    generator,
    heat,
    latency,
    phases,
    phases_by_stage,
    plan,
    pools,
    quality,
    quotas,
    rate,
    requests,
    stages,
    thresholds,
)
from agenttop.tui.panes.lens import Of, through
from agenttop.tui.view import View
from agenttop.tui.widgets.pane import Draw

#: Seconds between two repaints of the requests table: it is the dearest pane on a slow line.
TABLE_EVERY = 2
#: The same of large charts, which move as a whole, and of the rate.
CHART_EVERY, RATE_EVERY = 3, 1
BOX = 2
"""Rows of a frame; ``TITLED``: of a frame with titles in it."""
TITLED = 3


def _always(_: View) -> int:
    return MANY


def _none(_: View, __: int) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class In:
    """A pane in one layout."""

    draw: Draw
    slot: Slot


@dataclass(frozen=True, slots=True)
class Entry:
    """One pane.

    ``large`` is as ``boxed`` where nothing else is said. ``says`` is how many lines it has to say; without any it is
    not there. ``scrolls`` is how many lines the enlarged pane has to scroll through in so many columns, none where it
    fits. ``of`` is what it is of while one request is chosen; what nothing is said of shows all of them, and says so.
    """

    name: str
    key: str
    full: Draw
    """How it is drawn when enlarged."""
    says: Callable[[View], int] = _always
    scrolls: Callable[[View, int], int] = _none
    every: int = 1
    of: Of = Of.ALL
    compact: In | None = None
    boxed: In | None = None
    large: In | None = None

    def place(self, layout: str) -> In | None:
        """Return its slot in a layout and how it is drawn there; None if it has no place."""
        return {"compact": self.compact, "boxed": self.boxed, "large": self.large or self.boxed}[layout]


_PANES: tuple[Entry, ...] = (
    Entry(
        "plan", "1", plan.full, of=Of.OTHER,
        compact=In(plan.compact, Slot(0, 2, 2)),
        boxed=In(plan.full, Slot(0, 7, 8, grow=1, most=12)), large=In(plan.full, Slot(0, 8, 10, grow=1, most=14)),
    ),
    Entry(
        "rate", "2", rate.full, of=Of.REQUEST, every=RATE_EVERY,
        compact=In(rate.compact, Slot(1, 1, 1, order=1, grow=2, most=6)),
        boxed=In(rate.full, Slot(1, 5, 6, grow=7, most=20)),
    ),
    Entry(
        "errors", "3", errors.enlarged, says=errors.says, scrolls=errors.lines,
        compact=In(errors.compact, Slot(3, 2, 2, order=3)),
        boxed=In(errors.full, Slot(1, 5, 6, grow=7, most=20, beside=True)),
    ),
    Entry(
        "latency", "4", latency.full, of=Of.REQUEST, says=latency.says,
        compact=In(latency.compact, Slot(2, 3, 4, frame=1, order=2)),
    ),
    Entry(
        "trend", "4", latency.full, of=Of.REQUEST, every=CHART_EVERY,
        compact=In(latency.trend, Slot(8, 3, 3, order=2, grow=4, spare=True)),
    ),
    Entry(
        "ttft", "4", latency.full, of=Of.REQUEST, says=latency.streams, every=CHART_EVERY,
        boxed=In(latency.ttft, Slot(2, 6, 8, grow=9)),
    ),
    Entry(
        "total", "4", latency.full, of=Of.REQUEST, every=CHART_EVERY,
        boxed=In(latency.total, Slot(2, 6, 8, grow=9, beside=True)),
    ),
    Entry(
        "stages", stages.KEY, stages.enlarged, says=stages.says, scrolls=stages.lines, every=TABLE_EVERY,
        compact=In(stages.compact, Slot(7, 3, 6, frame=1, order=5, spare=True)),
        boxed=In(stages.full, Slot(1, 5, 7, frame=TITLED, grow=4, late=True)),
        large=In(stages.full, Slot(1, 5, 9, frame=TITLED, grow=4, late=True)),
    ),
    Entry(
        "requests", "5", requests.full, of=Of.OTHER, says=requests.says, scrolls=lambda v, w: len(requests.rows(v)),
        every=TABLE_EVERY,
        compact=In(requests.compact, Slot(4, 3, 6, frame=1, grow=3, order=6)),
        boxed=In(requests.full, Slot(4, 5, 8, frame=TITLED, grow=8)),
    ),
    Entry(
        "events", "6", events.full, of=Of.OTHER, says=lambda v: max(1, len(v.snap.events)),
        scrolls=lambda v, w: len(v.snap.events),
        compact=In(events.compact, Slot(7, 3, 5, frame=1, grow=1, most=8, order=7)),
        boxed=In(events.full, Slot(5, 3, 5, frame=BOX, grow=1, most=8)),
        large=In(events.full, Slot(5, 4, 8, frame=BOX, grow=1, most=14)),
    ),
    Entry(
        "pools", "9", pools.full, of=Of.OTHER, scrolls=lambda v, w: len(v.snap.pools), says=lambda v: len(v.snap.pools),
        large=In(pools.full, Slot(0, 4, 9, frame=TITLED, column=1)),
    ),
    Entry(
        "thresholds", "v", thresholds.full, of=Of.OTHER,
        says=lambda v: len(v.snap.thresholds) + (v.snap.breaker is not None),
        scrolls=lambda v, w: len(v.snap.thresholds),
        compact=In(thresholds.compact, Slot(5, 1, 1, order=4)),
        boxed=In(thresholds.compact, Slot(6, 1, 1)),
        large=In(thresholds.full, Slot(1, 3, 10, frame=BOX, column=1)),
    ),
    Entry(
        "budget", "b", budget.full, of=Of.OTHER, says=lambda v: len(v.snap.budget),
        compact=In(budget.compact, Slot(6, 1, 1, order=5)),
        boxed=In(budget.compact, Slot(7, 1, 1)),
        large=In(budget.full, Slot(2, 3, 5, frame=BOX, column=1)),
    ),
    Entry(
        "quality", "g", quality.enlarged, says=quality.says, scrolls=quality.lines,
        compact=In(quality.compact, Slot(3, 1, 1, order=4)),
        boxed=In(quality.compact, Slot(3, 1, 1)),
        large=In(quality.full, Slot(1, 5, 12, frame=BOX, column=1)),
    ),
    Entry(
        "heat", "8", heat.enlarged, of=Of.REQUEST, every=CHART_EVERY,
        large=In(heat.full, Slot(5, 8, 20, column=1, grow=1)),
    ),
    Entry(
        "percentiles", "8", heat.enlarged, of=Of.REQUEST, says=latency.says,
        large=In(latency.distribution, Slot(2, 4, 6, frame=TITLED, column=1)),
    ),
    Entry(
        "phases", "7", phases_by_stage.full, says=lambda v: max(1, len(v.snap.phases_ms)),
        large=In(phases.full, Slot(4, 3, 10, frame=BOX, column=1)),
    ),
    Entry(
        "quotas", "l", quotas.full, of=Of.OTHER, says=lambda v: len(v.snap.quotas),
        compact=In(quotas.compact, Slot(6, 1, 1, order=4)),
        boxed=In(quotas.compact, Slot(7, 1, 1)),
        large=In(quotas.full, Slot(4, 3, 6, frame=BOX, column=1)),
    ),
    Entry(
        "boxes", "m", boxes.full, of=Of.OTHER, says=lambda v: len(v.snap.boxes), scrolls=lambda v, w: len(v.snap.boxes),
        compact=In(boxes.compact, Slot(6, 1, 1, order=4)),
        boxed=In(boxes.compact, Slot(7, 1, 1)),
        large=In(boxes.full, Slot(3, 4, 12, frame=TITLED, column=1)),
    ),
    Entry("generator", "0", generator.full, of=Of.OTHER, large=In(generator.full, Slot(3, 7, 12, column=1))),
)  # fmt: skip


def _seen_through(entry: Entry) -> Entry:
    """Return a pane that is drawn through the lens of the chosen request."""
    places = {
        layout: replace(place, draw=through(place.draw, entry.of))
        for layout in ("compact", "boxed", "large")
        if (place := getattr(entry, layout)) is not None
    }
    return replace(entry, full=through(entry.full, entry.of), **places)


PANES = tuple(_seen_through(entry) for entry in _PANES)


def by_key() -> list[Entry]:
    """Return one pane for each key."""
    return list({entry.key: entry for entry in reversed(PANES)}.values())[::-1]


def of_key(key: str) -> Entry:
    """Return the pane that ``key`` enlarges."""
    return next(entry for entry in PANES if entry.key == key)


def shown(layout: str) -> dict[str, In]:
    """Return the panes of a layout, in order."""
    found = {entry.name: entry.place(layout) for entry in PANES}
    return {name: place for name, place in found.items() if place is not None}


def slots(layout: str) -> dict[str, Slot]:
    """Return the slots of a layout's panes."""
    return {name: place.slot for name, place in shown(layout).items()}


def says(view: View) -> dict[str, int]:
    """Return how many lines each pane has to show."""
    return {entry.name: entry.says(view) for entry in PANES}
