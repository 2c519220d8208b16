"""The quotas pane: what remains of the targets' limits, as one line or as a bar for each."""

from __future__ import annotations

from rich.style import Style

from agenttop.metrics.snapshot import QuotaGauge
from agenttop.tui.text import Line, age, clean, fit
from agenttop.tui.view import View
from agenttop.tui.widgets.box import boxed, title

#: Parts of a limit below which what remains is little, and very little.
LITTLE, LEAST = 0.2, 0.05
_SINCE = "reset since"


def line(view: View, width: int) -> Line | None:
    """Return ``left: requests 12/500 ↻ 43s · tokens 8.1k/30k``, the scarcest of each name; None without any."""
    look = view.look
    gauges = scarcest(view.snap.quotas)
    if not gauges:
        return None
    text = Line().add("left: ", look.dim)
    for index, gauge in enumerate(gauges):
        part = Line().add(f" {look.glyphs.future} " if index else "", look.faint)
        part.add(f"{fit(clean(gauge.name), 16, look.glyphs.ellipsis)} ", look.text)
        part.add(amount(gauge), _style(view, gauge)).add(f" {word}" if (word := reset(view, gauge)) else "", look.dim)
        if text.width + part.width > width - (0 if index == len(gauges) - 1 else 2):
            text.add(f" {look.glyphs.ellipsis}", look.dim)
            break
        text.extend(part)
    return text


def compact(view: View, width: int, height: int) -> list[Line]:
    """Return one line."""
    left = line(view, width - 2)
    return [Line().add("l ", view.look.key).extend(left)] if left is not None else []


def full(view: View, width: int, height: int) -> list[Line]:
    """Return a bar for each in a box, the scarcest first."""
    look = view.look
    gauges = sorted(view.snap.quotas, key=_scarcity)
    pools = len({gauge.pool for gauge in gauges}) > 1
    room = height - 2
    shown = gauges if len(gauges) <= room else gauges[: room - 1]
    name_width = min(24, width // 4, max((len(_name(gauge, pools)) for gauge in shown), default=0))
    bar = max(0, width - 4 - name_width - 2 - 12 - 2 - len(_SINCE))
    body = []
    for gauge in shown:
        row = Line().add(fit(_name(gauge, pools), name_width, look.glyphs.ellipsis), look.text).to(name_width + 2)
        part = share(gauge)
        if part is not None:
            row.add(look.glyphs.bar * round(part * bar), _style(view, gauge))
        row.to(name_width + 2 + bar).right(amount(gauge), 12, _style(view, gauge)).add("  ")
        body.append(row.add(reset(view, gauge), look.dim))
    if len(shown) < len(gauges):
        body.append(Line().add(f"{look.glyphs.ellipsis} {len(gauges) - len(shown)} more", look.dim))
    if not gauges:
        body.append(Line().add("no target tells of its limits", look.dim))
    return boxed(look, width, height, title(look, "left of the limits", "l"), None, body)


def scarcest(gauges: tuple[QuotaGauge, ...]) -> list[QuotaGauge]:
    """Return one gauge of each name: that of the pool which has the least of it."""
    found: dict[str, QuotaGauge] = {}
    for gauge in gauges:
        other = found.get(gauge.name)
        if other is None or _scarcity(gauge) < _scarcity(other):
            found[gauge.name] = gauge
    return list(found.values())


def share(gauge: QuotaGauge) -> float | None:
    """Return the share that remains, 0 to 1; None if the limit is not known."""
    return min(1.0, gauge.remaining / gauge.limit) if gauge.limit else None


def amount(gauge: QuotaGauge) -> str:
    """Return ``12/500``, or what remains alone."""
    return short(gauge.remaining) if gauge.limit is None else f"{short(gauge.remaining)}/{short(gauge.limit)}"


def reset(view: View, gauge: QuotaGauge) -> str:
    """Return how long until it is whole again, or that this time has passed."""
    if gauge.past:
        return _SINCE
    return f"{view.look.glyphs.again} {age(gauge.reset_in_s)}" if gauge.reset_in_s is not None else ""


def short(value: int) -> str:
    """Return a count in at most four letters: ``999 8.1k 30k 2M``."""
    if value < 1000:
        return str(value)
    for unit, size in (("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12)):
        if value < 999.5 * size or unit == "T":
            break
    scaled = value / size
    return f"{scaled:.1f}".removesuffix(".0") + unit if scaled < 9.95 else f"{scaled:.0f}{unit}"


def _scarcity(gauge: QuotaGauge) -> tuple[float, int]:
    part = share(gauge)
    return (2.0 if part is None else part + gauge.past), gauge.remaining


def _name(gauge: QuotaGauge, pools: bool) -> str:
    return f"{clean(gauge.pool)} {clean(gauge.name)}" if pools else clean(gauge.name)


def _style(view: View, gauge: QuotaGauge) -> Style:
    look, part = view.look, share(gauge)
    if gauge.past:
        return look.dim
    if gauge.remaining == 0 or (part is not None and part < LEAST):
        return look.bad
    return look.warn if part is not None and part < LITTLE else look.strong
