"""The enlarged phases pane: phase by stage, live, and which phase grew as users did."""

from __future__ import annotations

from dataclasses import dataclass

from agenttop.metrics.snapshot import StageInfo, StagePhases
from agenttop.report.figures import duration
from agenttop.report.phases import MIN_COUNT, MIN_SHARE, Column, growths
from agenttop.tui.text import Line, clean, count, fit, ms, rate
from agenttop.tui.view import View
from agenttop.tui.widgets.box import boxed, title

#: Cells of a phase's name, of a stage (``12345  99.9%``) and of ``×3.2``.
_NAME, _CELL, _TREND = 18, 15, 8


@dataclass(frozen=True, slots=True)
class Compared:
    """The stages of the least load and of the most, in the same unit and of the same pool."""

    least: StagePhases
    most: StagePhases


def full(view: View, width: int, height: int) -> list[Line]:
    """Return a column for each stage, a row for each phase: mean and share; if there is room, the means as bars.

    The phase that grew most is marked and named.
    """
    look = view.look
    stages = view.snap.stage_phases
    words = Line().add("mean ms, share of the latency", look.dim)
    head = title(look, "phases by stage", "7")
    if not stages:
        return boxed(look, width, height, head, words, [Line().add("the target reports none yet", look.dim)])
    pair = compared(view)
    room = (width - 4 - _NAME - (_TREND if pair else 0)) // _CELL
    shown = _shown(stages, pair, max(1, room))
    grown = grew_most(pair) if pair else None
    body = _heads(view, shown, pair)
    names = sorted(shown[-1].mean_ms | shown[0].mean_ms, key=lambda name: -shown[-1].mean_ms.get(name, 0.0))
    for name in names[: max(1, height - 2 - len(body) - 2)]:
        body.append(_row(view, name, shown, pair, name == grown))
    body += [Line(), _verdict(view, pair, grown, width - 4)]
    body += _bars(view, names, shown, width - 4, height - 2 - len(body))
    return boxed(look, width, height, head, words, body)


def compared(view: View) -> Compared | None:
    """Return the two stages to compare; None if no two of different loads have enough requests."""
    groups: dict[tuple[str, str], list[tuple[float, StagePhases]]] = {}
    for told in view.snap.stage_phases:
        stage = _stage(view, told)
        if stage is not None and told.requests >= MIN_COUNT:
            load = (stage.target_start + stage.target_end) / 2
            groups.setdefault((stage.pool or "", stage.unit), []).append((load, told))
    for group in groups.values():
        least, most = min(group, key=lambda entry: entry[0]), max(group, key=lambda entry: entry[0])
        if least[0] < most[0]:
            return Compared(least[1], most[1])
    return None


def grew_most(pair: Compared) -> str | None:
    """Return the phase whose mean grew by most ms; None if none did beyond noise, or by enough to matter."""
    return next((growth.phase for growth in growths([(_column(pair.least), _column(pair.most))])), None)


def _column(told: StagePhases) -> Column:
    """Return a stage as the report compares it."""
    phases = {
        name: {"mean": mean, "count": told.counts.get(name, told.requests), "stddev": told.stddev_ms.get(name, 0.0)}
        for name, mean in told.mean_ms.items()
    }
    return Column(told.stage, "", ("", ""), 0.0, "", phases)


def _shown(stages: tuple[StagePhases, ...], pair: Compared | None, room: int) -> list[StagePhases]:
    """Return as many as there is room for: those compared, then the newest; in order."""
    kept = {pair.least.stage, pair.most.stage} if pair else set()
    ranked = sorted(stages, key=lambda told: (told.stage not in kept, -told.stage))[:room]
    return sorted(ranked, key=lambda told: told.stage)


def _heads(view: View, shown: list[StagePhases], pair: Compared | None) -> list[Line]:
    look = view.look
    names, loads, requests = Line().to(_NAME), Line().to(_NAME), Line().add("requests", look.dim).to(_NAME)
    for told in shown:
        stage = _stage(view, told)
        current = told.stage == view.snap.stage
        name = fit(clean(stage.name) if stage else str(told.stage), _CELL - 3, look.glyphs.ellipsis)
        names.right(f"{look.glyphs.selected} {name}" if current else name, _CELL, look.strong if current else look.text)
        loads.right(fit(_load(stage), _CELL - 1, look.glyphs.ellipsis) if stage else "", _CELL, look.dim)
        requests.right(count(told.requests), _CELL, look.dim)
    if pair:
        loads.right("grown", _TREND, look.dim)
    return [names, loads, requests]


def _row(view: View, name: str, shown: list[StagePhases], pair: Compared | None, grown: bool) -> Line:
    look = view.look
    line = Line().add("! " if grown else "  ", look.warn)
    line.add(fit(clean(name), _NAME - 3, look.glyphs.ellipsis), look.warn if grown else look.text).to(_NAME)
    for told in shown:
        mean, part = told.mean_ms.get(name), told.share.get(name)
        line.right(ms(mean), _CELL - 8, look.strong if mean is not None else look.dim)
        line.right("" if part is None else f"{part:.1%}", 8, look.load)
    if pair:
        before, after = pair.least.mean_ms.get(name), pair.most.mean_ms.get(name)
        text = f"{look.glyphs.times}{min(after / before, 99_999):.1f}" if before and after is not None else ""
        line.right(text if len(text) < _TREND else text[:-2], _TREND, look.warn if grown else look.text)
    return line


def _verdict(view: View, pair: Compared | None, grown: str | None, width: int) -> Line:
    look = view.look
    if pair is None:
        return Line().add(f"two stages of different loads with {MIN_COUNT} requests each are compared", look.dim)
    least, most = (_load(_stage(view, told)) for told in (pair.least, pair.most))
    if grown is None:
        return Line().add(f"no phase grew by over {MIN_SHARE:.0%} from {least} to {most}", look.text)
    before, after = (duration(told.mean_ms[grown] / 1000) for told in (pair.least, pair.most))
    name = fit(clean(grown), 30, look.glyphs.ellipsis)
    line = Line().add(f"{name} grew most: ", look.strong)
    words = f"{before} at {least} to {after} at {most}"
    return line.add(fit(words, width - line.width, look.glyphs.ellipsis), look.text)


def _bars(view: View, names: list[str], shown: list[StagePhases], width: int, room: int) -> list[Line]:
    """Return a bar for each stage of each phase, all on one scale from zero, of as many phases as there is room for."""
    look = view.look
    longest = max((mean for told in shown for mean in told.mean_ms.values()), default=0.0)
    lines: list[Line] = []
    for name in names:
        if len(lines) + 1 + len(shown) > room or len(shown) < 2:
            break
        lines.append(Line())
        for index, told in enumerate(shown):
            stage, mean = _stage(view, told), told.mean_ms.get(name)
            line = Line().add("" if index else fit(clean(name), _NAME - 1, look.glyphs.ellipsis), look.text).to(_NAME)
            line.add(fit(_load(stage), 14, look.glyphs.ellipsis), look.dim).to(_NAME + 15)
            line.right(ms(mean), 7, look.strong).add("  ")
            part = mean / longest if mean and longest else 0.0
            lines.append(line.add(look.glyphs.bar * round(part * (width - line.width)), look.load))
    return lines


def _stage(view: View, told: StagePhases) -> StageInfo | None:
    return next((stage for stage in view.info.stages if stage.index == told.stage), None)


def _load(stage: StageInfo | None) -> str:
    """Return the planned load: ``12 users``, ``10-40 users``, ``5.0/s``."""
    if stage is None:
        return ""
    low, high = sorted((stage.target_start, stage.target_end))
    if stage.unit == "rate":
        return f"{rate(low)}/s" if low == high else f"{rate(low)}-{rate(high)}/s"
    if low == high:
        return f"{count(low)} user{'' if low == 1 else 's'}"
    return f"{count(low)}-{count(high)} users"
