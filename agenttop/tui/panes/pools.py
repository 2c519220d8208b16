"""The pools pane: the pools and their targets."""

from __future__ import annotations

from agenttop.metrics.snapshot import PoolRow
from agenttop.tui.text import Line, clean, count, fit, rate
from agenttop.tui.view import View
from agenttop.tui.widgets.box import boxed, title

#: From this width on there are two columns more, which take so many cells.
_WIDE, _MORE = 76, 21


def full(view: View, width: int, height: int) -> list[Line]:
    """Return a line for each pool, the selected one marked; in a wide pane, with the plan's own target."""
    look = view.look
    wide = width >= _WIDE
    name = max(8, width - 4 - 44 - (_MORE if wide else 0))
    head = Line().to(name + 2)
    more = (("in plan", 10), ("in flight", 11)) if wide else ()
    for text, cells in (("users", 7), ("target", 10), *more, ("rps", 9), ("429", 7), ("err", 7)):
        head.right(text, cells, look.dim)
    body = [head]
    pools = list(view.snap.pools)[view.scroll :]
    room = height - 3
    if len(pools) > room and view.selected in pools[room - 1 :]:
        pools = pools[pools.index(view.selected) - room + 2 :]
    body += [_row(view, pool, name, wide=wide) for pool in pools[: room if len(pools) <= room else room - 1]]
    if len(pools) > room:
        body.append(Line().add(f"  {look.glyphs.ellipsis} {len(pools) - room + 1} more", look.dim))
    choice = Line().add("tab", look.key).add(f" {clean(view.pool) if view.pool else 'all'}", look.dim)
    return boxed(look, width, height, title(look, "pools", "9"), choice, body)


def target(pool: PoolRow) -> str:
    """Return the target in users, or iterations per second."""
    return f"{rate(pool.target)}/s" if pool.unit == "rate" else count(pool.target)


def _row(view: View, pool: PoolRow, width: int, *, wide: bool) -> Line:
    look = view.look
    chosen = pool.name == view.pool
    line = Line().add(f"{look.glyphs.selected} " if chosen else "  ", look.key)
    line.add(fit(clean(pool.name), width - 1, look.glyphs.ellipsis), look.strong if chosen else look.text).to(width + 2)
    line.right(count(pool.users), 7, look.text)
    line.right(f"{target(pool)}", 10, look.warn if pool.manual else look.text)
    if wide:
        line.right(f"{rate(pool.planned)}/s" if pool.unit == "rate" else count(pool.planned), 10, look.text)
        line.right(count(pool.in_flight), 11, look.text)
    line.right(rate(pool.rps), 9, look.text)
    line.right(count(pool.rate_limited), 7, look.warn if pool.rate_limited else look.dim)
    line.right(count(pool.errors), 7, look.bad if pool.errors else look.dim)
    return line.add(" M" if pool.manual else "", look.warn)
