"""The plan pane: what has been driven up to now, and what is still to come."""

from __future__ import annotations

from rich.style import Style

from agenttop.metrics.snapshot import StageInfo
from agenttop.schedule.quantities import clock
from agenttop.tui.history import Past
from agenttop.tui.panes import search
from agenttop.tui.text import Line, clean, count, fit, rate
from agenttop.tui.view import View, planned
from agenttop.tui.widgets.box import boxed, title
from agenttop.tui.widgets.chart import across, area, peak, spark


def compact(view: View, width: int, height: int) -> list[Line]:
    """Return two rows: the stages' names, and users along the plan."""
    if view.snap.search is not None:
        return search.compact(view, width, height, view.snap.search)
    look = view.look
    load = load_line(view)
    chart = max(10, width - 7 - max(26, load.width + 3))
    past, coming = _columns(view, chart)
    top = peak([_driven(view, p) if p else None for p in past], _targets(view))
    marks = spark([_driven(view, p) if p else future for p, future in zip(past, coming, strict=True)], top, look.glyphs)
    names = Line().add("1", look.key).add(" Plan ", look.dim).extend(_names(view, chart))
    line = Line().to(7)
    now = _now(view, chart)
    for x, mark in enumerate(marks):
        if x == now:
            line.add(look.glyphs.now, look.strong)
        else:
            before = past[x]
            line.add(mark, look.faint if before is None else look.warn if before.manual else look.load)
    knee = knee_line(view)
    if knee.width:
        names.to(width - knee.width - 1).extend(knee)
    return [names, line.to(width - load.width - 1).extend(load)][:height]


def full(view: View, width: int, height: int) -> list[Line]:
    """Return users along the plan in a box, with the plan's own figures beside them."""
    if view.snap.search is not None:
        return search.full(view, width, height, view.snap.search)
    look, glyphs = view.look, view.look.glyphs
    side = 22
    chart = max(10, width - 4 - side - 8)
    rows = max(1, height - 5)
    past, coming = _columns(view, chart)
    driven = [_driven(view, p) if p else None for p in past]
    top = peak(driven, _targets(view), [p.target if p else None for p in past])
    filled = area([future if p is None else p for p, future in zip(driven, coming, strict=True)], rows, top, glyphs)
    wanted = [max(0, min(rows - 1, int(w / top * rows - 1e-9))) if w is not None and top else None for w in coming]
    body = [Line().to(8).extend(_names(view, chart))]
    for index, text in enumerate(filled):
        label = count(top) if index == 0 else "0" if index == rows - 1 else ""
        line = Line().right(label, 6, look.dim).to(8)
        for x, mark in enumerate(text):
            before = past[x]
            here = before is not None and wanted[x] == rows - 1 - index
            if here and mark == " ":
                line.add(glyphs.future, look.dim)
            elif here and before is not None and before.manual and mark == glyphs.area[-1]:
                # Less was planned than is driven: a line through what is filled.
                line.add(glyphs.wanted, across(mark, look))
            else:
                line.add(mark, look.faint if before is None else look.load)
        body.append(line)
    body += [Line().to(8).extend(_baseline(view, past, chart)), Line().to(8).extend(_times(view, chart))]
    for line, (name, value, style) in zip(body[1:], _figures(view), strict=False):
        line.to(width - 4 - side + 3).add(name, look.dim).right(value, side - 3 - len(name), style)
    return boxed(look, width, height, title(look, "plan", "1"), load_line(view), body)


def knee_line(view: View) -> Line:
    """Return ``knee ~12 users``, the load beyond which throughput does not grow; nothing while it is not known."""
    look, verdict = view.look, view.snap.verdict
    knee = verdict.knee if verdict is not None else None
    if knee is None:
        return Line()
    at = f"{rate(knee.load.value)}/s" if knee.unit == "rate" else f"{count(round(knee.load.value))} users"
    return Line().add("knee ", look.dim).add(f"~{at}", look.warn)


def load_line(view: View) -> Line:
    """Return ``users 128 → 200``: now, and the target of the stage; or what is set manually."""
    look, snap = view.look, view.snap
    line = Line()
    manual = bool(snap.manual)
    if not view.open_only:
        line.add("users ", look.dim).add(count(snap.users), look.strong)
        if manual:
            if snap.target_users != snap.users:
                line.add(f" {look.glyphs.arrow} {count(snap.target_users)}", look.warn)
            line.add(" MANUAL", look.warn).add(f" plan {count(snap.planned_users)}", look.dim)
            return line
    if view.open_only or snap.rate:
        line.add("  " if line.width else "").add("rate ", look.dim).add(f"{rate(snap.rate)}/s", look.strong)
        if manual:
            return line.add(" MANUAL", look.warn)
    stage = view.stage
    current = snap.rate if view.open_only else float(snap.users)
    if stage is not None and stage.target_end != current and (stage.unit == "rate") == view.open_only:
        line.add(f" {look.glyphs.arrow} {count(stage.target_end)}", look.load)
    return line


def _figures(view: View) -> list[tuple[str, str, Style]]:
    look, snap = view.look, view.snap
    stage = view.stage
    if view.open_only:
        figures = [("wanted", f"{rate(snap.rate)}/s", look.strong)]
        by_plan = sum(pool.planned for pool in snap.pools)
        if snap.manual:
            figures.append(("plan alone", f"{rate(by_plan)}/s", look.dim))
    else:
        figures = [("users", count(snap.users), look.strong), ("planned", count(snap.planned_users), look.text)]
        if snap.manual:
            figures.insert(1, ("by hand", count(snap.target_users), look.warn))
    if stage is not None:
        left = max(0.0, stage.end_s - snap.plan_t_s)
        figures.append(("stage ends", "held" if snap.held else f"in {clock(left)}", look.text))
    following = view.stages[view.stages.index(stage) + 1 :] if stage is not None else ()
    if following and not snap.manual:
        figures.append(("then", fit(clean(following[0].name), 12, look.glyphs.ellipsis), look.text))
    if (knee := knee_line(view)).width:
        figures.append(("knee", str(knee).removeprefix("knee "), look.warn))
    return figures


def _targets(view: View) -> list[float | None]:
    """Return what the plan goes up to and down to: a column is of the middle of its time, where there may be less."""
    return [target for stage in view.stages for target in (stage.target_start, stage.target_end)]


def _driven(view: View, past: Past) -> float:
    return past.target if view.open_only else float(past.users)


def _columns(view: View, width: int) -> tuple[list[Past | None], list[float | None]]:
    """Return for every column what was driven (None from now on), and what the plan wants."""
    duration = max(view.info.duration_s, 1.0)
    now = _now(view, width)
    parts = view.history.plan
    past: list[Past | None] = []
    for x in range(width):
        start = x * len(parts) // width
        stop = max(start + 1, (x + 1) * len(parts) // width)
        known = [part for part in parts[start:stop] if part is not None]
        past.append(known[-1] if known and (now is None or x <= now) else None)
    # Where a column holds no second of its own, the one before it still stands.
    for x in range(1, width):
        if past[x] is None and past[x - 1] is not None and (now is None or x <= now) and width > len(parts):
            past[x] = past[x - 1]
    coming = [planned(view.stages, (x + 0.5) * duration / width) for x in range(width)]
    return past, coming


def _now(view: View, width: int) -> int | None:
    """Return the column of the plan's clock; None once the plan is over."""
    share = view.snap.plan_t_s / max(view.info.duration_s, 1.0)
    return int(share * width) if 0 <= share < 1 else None


def _bounds(view: View, stages: tuple[StageInfo, ...], width: int) -> list[tuple[int, int]]:
    duration = max(view.info.duration_s, 1.0)
    return [
        (min(width, int(stage.start_s / duration * width)), min(width, int(stage.end_s / duration * width)))
        for stage in stages
    ]


def _names(view: View, width: int) -> Line:
    """Return the stages' names above their columns; the current one in capitals."""
    look, line = view.look, Line()
    stages, current = view.stages, view.stage
    for number, (stage, (start, stop)) in enumerate(zip(stages, _bounds(view, stages, width), strict=True), 1):
        if stop <= start or start < line.width:
            continue
        line.to(start)
        room = stop - start
        if start:
            line.add(look.glyphs.stage, look.faint)
            room -= 1
        name = clean(stage.name)
        here = stage is current
        # A name that does not fit gives way to the stage's number, which the header counts by, too.
        text = name if len(name) <= room else fit(str(number), room, "")
        line.add(text.upper() if here else text, look.strong if here else look.dim)
    return line.to(width)


def _baseline(view: View, past: list[Past | None], width: int) -> Line:
    look, glyphs = view.look, view.look.glyphs
    now = _now(view, width)
    cells: list[tuple[str, Style]] = []
    for part in past:
        if part is None:
            cells.append((glyphs.future, look.faint))
        else:
            cells.append((glyphs.manual, look.warn) if part.manual else (glyphs.box[4], look.dim))
    _label_manual(cells, past, look.warn)
    tick = view.history.at(view.at_s) if view.at_s is not None else None
    if tick is not None and tick.plan_t_s is not None:
        share = tick.plan_t_s / max(view.info.duration_s, 1.0)
        cells[max(0, min(width - 1, int(share * width)))] = (glyphs.now, look.strong)
    if now is not None:
        cells[now] = (glyphs.now, look.strong)
        for offset, char in enumerate(" now", 1):
            if now + 6 < width:
                cells[now + offset] = (char, look.strong)
    line = Line()
    for text, style in cells:
        line.add(text, style)
    return line


def _label_manual(cells: list[tuple[str, Style]], past: list[Past | None], style: Style) -> None:
    """Write the word into every manual span that has room for it."""
    start: int | None = None
    for x, part in enumerate([*past, None]):
        if part is not None and part.manual:
            start = x if start is None else start
        elif start is not None:
            if x - start >= 10:
                first = (start + x) // 2 - 4
                cells[first : first + 8] = [(char, style) for char in " manual "]
            start = None


def _times(view: View, width: int) -> Line:
    """Return the plan's clock at every stage's start, and its end."""
    look, line = view.look, Line()
    end = clock(view.info.duration_s)
    for stage, (start, _) in zip(view.stages, _bounds(view, view.stages, width), strict=True):
        label = clock(stage.start_s)
        if (not line.width or start > line.width) and start + len(label) < width - len(end):
            line.to(start).add(label, look.dim)
    return line.right(end, max(len(end), width - line.width), look.dim)
