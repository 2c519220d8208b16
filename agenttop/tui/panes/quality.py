"""The quality pane: the score of graded answers by level of load and slice, whether it falls, and what failed last."""

from __future__ import annotations

from rich.style import Style

from agenttop.metrics.graded import Drop, FailedCase, LevelScore, QualityState
from agenttop.report.figures import share
from agenttop.report.quality import causes, graders_words, interval, points, users
from agenttop.tui.text import Line, clean, count, fit, wrap
from agenttop.tui.view import View
from agenttop.tui.widgets.box import boxed, title

#: Cells of a level's users, of its score with interval, and of its answers.
_USERS, _SCORE, _ANSWERS = 7, 20, 7
_LEAST_BAR, _MOST_BAR, _LOST = 10, 60, 30
#: Cells of a slice's name, and of a score in the table of slices by levels.
_SLICE, _CELL = 18, 8
_WORDS = {"ok": "holds", "worse": "WORSE", "undecided": "undecided"}


def says(view: View) -> int:
    """Return how many lines there are to show: none where nothing is graded."""
    quality = view.snap.quality
    return 0 if quality is None else 2 + len(quality.levels)


def compact(view: View, width: int, height: int) -> list[Line]:
    """Return one line: the score, how it falls with load, and how many answers wait."""
    look, quality = view.look, view.snap.quality
    line = Line().add("g", look.key).add(" quality ", look.dim)
    if quality is None:
        return [line][:height]
    if quality.score is None:
        return [line.extend(_score(view, quality, width))][:height]
    line.add(share(quality.score), look.strong)
    line.add(f" ({_plain(view, interval((quality.low, quality.high)))})", look.text)
    parts = [] if quality.drop is None else [_fall(view, quality.drop, short=width < 100)]
    rest = _rest(view, quality)
    if rest.width:
        parts.append(rest)
    if quality.failed:
        last = quality.failed[0]
        parts.append(Line().add("last ", look.dim).add(clean(f"{last.id}: {last.reason or last.grader}"), look.text))
    for part in parts:
        left = width - line.width - 3
        if part.width <= left:
            line.add("   ").extend(part)
        elif part is parts[-1] and left >= 24:
            line.add("   ").add(fit(str(part), left, look.glyphs.ellipsis), look.text)
    return [line][:height]


def full(view: View, width: int, height: int) -> list[Line]:
    """Return a bar for each level, the drop in words, the slices, and the last case that failed."""
    look, quality = view.look, view.snap.quality
    if quality is None:
        body = [Line().add("the profile grades nothing", look.dim)]
        return boxed(look, width, height, title(look, "quality", "g"), None, body)
    inner, room = width - 4, height - 2
    tail = [_fall(view, quality.drop)] if quality.drop is not None else []
    if quality.failed and room >= 5:
        tail += _failed(view, quality.failed[0], inner)[:2]
    levels = _levels(view, quality, inner)
    kept = max(2, room - len(tail))
    if len(levels) > kept:  # the heading, and the newest
        levels = [levels[0], *levels[len(levels) - kept + 1 :]]
    body = levels + tail
    slices = _slices(view, quality, inner)
    if len(body) + len(slices) <= room:
        body = levels + slices + tail
    return boxed(look, width, height, title(look, "quality", "g"), _score(view, quality, width), body)


def enlarged(view: View, width: int, height: int) -> list[Line]:
    """Return the curve, the slices by level, and below it the failed cases with question, answer and reason."""
    look, quality = view.look, view.snap.quality
    if quality is None:
        return full(view, width, height)
    inner = width - 4
    body = [*_levels(view, quality, inner)]
    if quality.drop is not None:
        body += [_fall(view, quality.drop), *_why(view, quality.drop, inner)]
    if quality.control is not None:
        control = Line().add("the lowest load against itself ", look.dim)
        body.append(control.extend(_points(view, quality.control)))
    table = _table(view, quality, inner)
    if table:
        body += [Line(), *table]
    body += [Line(), *_cases(view, quality, inner)]
    return boxed(look, width, height, title(look, "quality", "g"), _score(view, quality, width), body[view.scroll :])


def lines(view: View, width: int) -> int:
    """Return how many lines the enlarged pane has to scroll through."""
    quality = view.snap.quality
    if quality is None:
        return 0
    inner = width - 4
    table = _table(view, quality, inner)
    drop = 0 if quality.drop is None else 1 + len(_why(view, quality.drop, inner))
    above = len(_levels(view, quality, inner)) + drop + (quality.control is not None) + (1 + len(table) if table else 0)
    return above + 1 + len(_cases(view, quality, inner))


def _score(view: View, quality: QualityState, width: int) -> Line:
    """Return ``97.2% (95.1–98.5%) 200/200 cases  12 to grade``; without the cases where it is narrow."""
    look = view.look
    line = Line()
    if quality.score is None:
        line.add("no answer graded yet", look.dim)
    else:
        line.add(share(quality.score), look.strong)
        line.add(f" ({_plain(view, interval((quality.low, quality.high)))})", look.text)
        if width >= 80:
            line.add(f" {count(quality.cases)}/{count(quality.of_cases)} cases", look.dim)
    rest = _rest(view, quality)
    return line.add("  ").extend(rest) if rest.width else line


def _rest(view: View, quality: QualityState) -> Line:
    """Return what has no score: ``6 to grade  ! 1 ungraded``."""
    line = Line()
    if quality.waiting:
        line.add(f"{count(quality.waiting)} to grade", view.look.load)
    if quality.ungraded:
        line.add("  " if line.width else "").add(f"! {count(quality.ungraded)} ungraded", view.look.warn)
    return line


def _fall(view: View, drop: Drop, *, short: bool = False) -> Line:
    """Return ``WORSE: 12.0 points lost, 4 → 40 users (8.1 to 15.9)``; ``short``: without the interval."""
    look = view.look
    line = Line().add("! " if drop.verdict == "worse" else "", look.bad)
    line.add(f"{_WORDS[drop.verdict]}: ", _style(view, drop)).extend(_points(view, drop, short=short))
    return line


def _points(view: View, drop: Drop, *, short: bool = False) -> Line:
    look = view.look
    line = Line().add(points(drop.drop), look.strong).add(" points lost", look.text)
    if drop.from_users != drop.to_users:
        line.add(f", {count(drop.from_users)} {look.glyphs.arrow} {count(drop.to_users)} users", look.text)
    return line if short else line.add(f" ({points(drop.low)} to {points(drop.high)})", look.dim)


def _why(view: View, drop: Drop, width: int) -> list[Line]:
    """Return what the points were lost to."""
    told = causes(drop.lost)
    return [Line().add(part, view.look.text) for part in wrap(f"lost to: {told}", width)] if told else []


def _style(view: View, drop: Drop) -> Style:
    return {"ok": view.look.good, "worse": view.look.bad}.get(drop.verdict, view.look.warn)


def _levels(view: View, quality: QualityState, width: int) -> list[Line]:
    """Return a heading, and a row with a bar for each level: its interval is the thin part."""
    look = view.look
    names = 14 if width >= 70 else 0
    room = width - names - _USERS - _SCORE - _ANSWERS - 2
    lost = _LOST if width >= 100 else 0
    bar = min(_MOST_BAR, max(_LEAST_BAR, room - lost))
    lost = room - bar if lost else 0
    head = Line().add("at" if names else "", look.dim).to(names).right("users", _USERS - 1, look.dim).add(" ")
    head.to(names + _USERS + bar).right("score", 8, look.dim).to(names + _USERS + bar + _SCORE)
    head.right("answers", _ANSWERS + 1, look.dim)
    if lost:
        head.add("  lost most to", look.dim)
    rows = [head]
    for level in quality.levels:
        line = Line()
        if names:
            line.add(fit(clean(level.level), names - 1, look.glyphs.ellipsis), look.dim).to(names)
        line.right(count(level.users), _USERS - 1, look.load).add(" ").extend(_bar(view, level, bar))
        line.to(names + _USERS + bar).right(share(level.score), 8, look.strong)
        line.add(f" {_plain(view, interval((level.low, level.high)))}", look.dim).to(names + _USERS + bar + _SCORE)
        line.right(count(level.answers), _ANSWERS + 1, look.text)
        if lost:
            line.add("  ").add(fit(causes(level.lost, 4), lost - 2, look.glyphs.ellipsis), look.warn)
        rows.append(line)
    return rows


def _bar(view: View, level: LevelScore, width: int) -> Line:
    look = view.look
    low, score, high = (round(width * part) for part in (level.low, level.score, level.high))
    line = Line().add(look.glyphs.bar * low, look.good).add(look.glyphs.bar * max(0, score - low), look.middle)
    return line.add(look.glyphs.wanted * max(0, high - score), look.middle).add(
        look.glyphs.future * max(0, width - max(low, score, high)), look.faint
    )


def _slices(view: View, quality: QualityState, width: int) -> list[Line]:
    """Return the slices, the worst first, on as few lines as two."""
    look = view.look
    found: list[Line] = []
    line = Line()
    for row in sorted(quality.slices, key=lambda row: row.score):
        part = Line().add(fit(clean(row.name), _SLICE, look.glyphs.ellipsis), look.dim).add(f" {share(row.score)}")
        if line.width and line.width + 3 + part.width > width:
            found.append(line)
            line = Line()
        line.add("   " if line.width else "").extend(part)
    return [*found, line][:2] if line.width else found[:2]


def _table(view: View, quality: QualityState, width: int) -> list[Line]:
    """Return slices as rows, levels as columns: as many of the newest as there is room for."""
    look = view.look
    if not quality.slices or not quality.levels:
        return []
    shown = quality.levels[-max(1, (width - _SLICE - _CELL) // _CELL) :]
    head = Line().add("slice", look.dim).to(_SLICE).right("all", _CELL, look.dim)
    for level in shown:
        head.right(f"{count(level.users)}u", _CELL, look.load)
    rows = [head]
    for row in sorted(quality.slices, key=lambda row: row.score):
        line = Line().add(fit(clean(row.name), _SLICE - 1, look.glyphs.ellipsis), look.text).to(_SLICE)
        line.right(share(row.score), _CELL, look.strong)
        for level in shown:
            found = level.slices.get(row.name)
            fell = found is not None and row.name in shown[0].slices and found < shown[0].slices[row.name] - 0.05
            line.right(share(found), _CELL, look.warn if fell else look.text)
        rows.append(line)
    return rows


def _cases(view: View, quality: QualityState, width: int) -> list[Line]:
    look = view.look
    if not quality.failed:
        return [Line().add("no case has failed", look.dim)]
    body = [Line().add("failed cases, the newest first", look.dim)]
    for case in quality.failed:
        body += _failed(view, case, width, whole=True)
    return body


def _failed(view: View, case: FailedCase, width: int, *, whole: bool = False) -> list[Line]:
    """Return a failed case: its reason, then question and answer; ``whole``: on as many lines as they take, and what
    its graders said."""
    look = view.look
    head = Line().add("! ", look.warn).add(fit(clean(case.id), 28, look.glyphs.ellipsis), look.strong)
    head.add(f" at {users(case.users)}: ", look.dim)
    reason = clean(case.reason or case.grader)
    head.add(fit(reason, max(8, width - head.width), look.glyphs.ellipsis), look.text)
    body = [head]
    for name, text in (("asked", case.input), ("answered", case.answer)):
        if text and whole:
            first, *rest = wrap(clean(text), max(8, width - 12)) or [""]
            body.append(Line().add(f"  {name}", look.dim).to(12).add(first, look.text))
            body += [Line().to(12).add(part, look.text) for part in rest]
        elif text and name == "answered":
            words = fit(clean(text), max(8, width - 12), look.glyphs.ellipsis)
            body.append(Line().add(f"  {name}", look.dim).to(12).add(words, look.dim))
    if whole:
        graders = [(each.grader, each.score, each.reason) for each in case.graders]
        for index, said in enumerate(graders_words(graders)):
            words = fit(clean(said), max(8, width - 12), look.glyphs.ellipsis)
            body.append(Line().add("" if index else "  graded", look.dim).to(12).add(words, look.dim))
    return body


def _plain(view: View, text: str) -> str:
    return text if view.look.glyphs.braille else text.replace("–", "-")
