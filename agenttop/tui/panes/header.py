"""The first line: run, state, progress, stage, and whether the generator can be trusted. Then the notices."""

from __future__ import annotations

from rich.cells import cell_len
from rich.style import Style

from agenttop.metrics.assessment import FAILS, HANGS, KEEPS_UP, RECOVERS, REFUSES
from agenttop.metrics.trust import OK, SATURATED
from agenttop.report.search import level
from agenttop.schedule.quantities import clock
from agenttop.tui.look import Look
from agenttop.tui.panes.generator import grade_word
from agenttop.tui.text import Line, age, clean, count, cut, fit, in_glyphs, join
from agenttop.tui.view import View, named
from agenttop.tui.widgets.box import rule

#: From this share of the last seconds' answers on, failures stand in the head of the screen.
LOUD = 0.05
#: Cells of a name for which decoration gives way.
_NAME = 20
#: How the notice of a saturated generator begins.
SATURATED_NOTICE = "! saturated: "
#: A plan that is so long ends when somebody stops it, or when a search has found what it looks for.
NO_END_S = 86_000.0
#: What to do about a run that waits; it fits the smallest terminal.
ARMED = "ARMED: press enter to start"
#: And where others start it.
ARMED_LOOKING = "ARMED: nothing is sent yet"


def ruled(view: View, width: int, height: int) -> list[Line]:
    """Return the line of the run, and a rule under it with the notices."""
    return [_run(view, width), rule(view.look, width, _notices(view, width))][:height]


def bare(view: View, width: int, height: int) -> list[Line]:
    """Return the same without a rule, above boxes."""
    return [_run(view, width), Line().add("  ").extend(_notices(view, width))][:height]


def _run(view: View, width: int) -> Line:
    """Return the line of the run: each part whole or not at all, decoration gives way first; of the name what fits."""
    look, snap = view.look, view.snap
    name = clean(view.info.profile or view.info.name)
    word, style = state(view)
    end_s = view.info.duration_s if view.cursor is None else view.cursor.end_s
    gap, stage = "   " if width >= 100 else "  ", _stage(view)
    left = [
        Line().add("agenttop ", look.dim),
        Line(),  # the name
        Line().add(f"{gap}{look.glyphs.dot} {word}", style),
        Line().add(f" {clock(snap.t_s)}", look.strong),
        Line().add(f"/{clock(end_s)}" if end_s < NO_END_S else "", look.dim),
        _pace(view),
        Line().add(gap if stage.width else "").extend(stage),
    ]
    limited = look.warn if snap.rate_limited else look.dim
    right = [
        Line().add(f"{gap}429 ", look.dim).add(count(snap.rate_limited), limited),
        Line().add(gap).extend(_generator(view, short=width < 100)),
        _lag(view),
        _share(view),
        Line().add(" "),
    ]
    program, end, stage, generator, lag = left[0], left[4], left[6], right[1], right[2]
    trusted = snap.generator.grade != SATURATED and snap.generator.alive >= snap.generator.workers
    share = right[3]
    for gone in (program, share, lag, stage, end, *([generator] if trusted else [])):
        if width - 2 - sum(part.width for part in (*left, *right)) >= min(cell_len(name), _NAME):
            break
        gone.clear()
    room = width - 2 - sum(part.width for part in (*left, *right))
    left[1].add(cut(name, max(room, 9), look.glyphs.ellipsis), look.strong)
    both = Line().add(" "), Line()
    for line, parts in zip(both, (left, right), strict=True):
        for part in parts:
            line.extend(part)
    return join(*both, width)


def _pace(view: View) -> Line:
    """Return how fast a replay goes."""
    look, cursor = view.look, view.cursor
    if cursor is None:
        return Line()
    if not cursor.playing:
        return Line().add(" at its end" if cursor.t_s >= cursor.end_s else " paused", look.warn)
    return Line().add(f" {look.glyphs.times}{cursor.speed:g}", look.strong)


def state(view: View) -> tuple[str, Style]:
    """Return the run's state as a word."""
    look, snap = view.look, view.snap
    if view.cursor is not None:
        return "REPLAY", look.load
    if snap.state == "done":
        return "DONE", look.strong
    if snap.breaker is not None and snap.breaker.open:
        return "BREAKER OPEN", look.bad
    if view.stopping > 1:
        return "ENDING", look.warn
    if view.stopping or snap.state == "draining":
        return "STOPPING" if view.stopping else "DRAIN", look.warn
    if snap.state == "armed":
        return "ARMED", look.warn
    if snap.state == "starting":
        return "START", look.dim
    if snap.paused:
        return "PAUSED", look.warn
    if snap.held:
        return "HELD", look.warn
    return ("WARM-UP", look.warn) if snap.warmup else ("RUN", look.good)


def _stage(view: View) -> Line:
    stage, stages = view.stage, view.stages
    look, found = view.look, view.snap.search
    if found is not None:
        tried = level(found.now.level, found.unit) if found.now is not None else ""
        return Line().add("search ", look.dim).add(tried, look.strong)
    if stage is None:
        return Line()
    name = fit(clean(stage.name), 18, look.glyphs.ellipsis)
    line = Line().add("stage ", look.dim).add(f"{stages.index(stage) + 1}/{len(stages)}", look.text)
    return line.add(f" {name}", look.strong)


def _generator(view: View, *, short: bool) -> Line:
    look, generator = view.look, view.snap.generator
    line = Line().add("gen " if short else "generator ", look.dim)
    if generator.alive < generator.workers:
        line.add(f"! {generator.alive}/{generator.workers} workers", look.bad)
    else:
        line.add(*grade_word(view))
    return line


def _lag(view: View) -> Line:
    look, generator = view.look, view.snap.generator
    if generator.loop_lag_p99_ms is None:
        return Line()
    style = look.text if generator.grade == OK else grade_word(view)[1]
    return Line().add("  lag ", look.dim).add(f"{generator.loop_lag_p99_ms:.0f}ms", style)


def _share(view: View) -> Line:
    """Return what the lag is of the run's own times, if it is worth a word."""
    generator = view.snap.generator
    if generator.grade == OK or generator.trust is None or not generator.trust.part:
        return Line()
    return Line().add(f", {generator.trust.part}", grade_word(view)[1])


def _notices(view: View, width: int) -> Line:
    """Return the verdict on the target after what this screen is, then the other notices; what does not fit is cut.

    The verdict gives way to the others, but never more than half of the room; why the generator is saturated (that it
    is stands in the title) has what both leave.
    """
    look, width = view.look, width - 4
    first, others, verdict = _of_the_screen(view), _of_the_run(view), _verdict(view)
    if verdict is None:
        return notice_line(look, [*first, *others], width)
    kept = [part for part in others if not part[0].startswith(SATURATED_NOTICE)]
    taken = sum(cell_len(text) + 2 for text, _ in (*first, *kept))
    text, style = verdict
    room = max(width - taken, (width - sum(cell_len(text) + 2 for text, _ in first)) // 2)
    rest = [part for part in others if part not in kept]
    return notice_line(look, [*first, (fit(text, max(room, 12), look.glyphs.ellipsis), style), *kept, *rest], width)


def _verdict(view: View) -> tuple[str, Style] | None:
    """Return whether the target keeps up, in a sentence; None before anything is known."""
    look, found = view.look, view.snap.verdict
    if found is None or not found.words:
        return None
    style = look.bad if found.bad else {KEEPS_UP: look.good, RECOVERS: look.warn}.get(found.state, look.dim)
    text = in_glyphs(clean(found.words), look.glyphs)
    return f"{'! ' if found.bad else ''}{found.word}  {text}", style


def _of_the_screen(view: View) -> list[tuple[str, Style]]:
    """Return what must be known of this picture of the run."""
    look, snap = view.look, view.snap
    parts: list[tuple[str, Style]] = []
    if snap.state == "armed" and not view.stopping:
        parts.append((f" {ARMED_LOOKING if view.looking else ARMED} ", look.badge))
    if view.frozen_s is not None:
        parts.append((f" FROZEN {age_whole(view.frozen_s)} ago ", look.badge))
        if view.at_s is not None:
            parts.append((f" {look.glyphs.now} {clock(view.at_s)} ", look.badge))
        parts.append(("the load goes on, space goes live", look.dim))
    if view.request is not None:
        parts.append((f" {look.glyphs.selected} {fit(named(view.request), 30, look.glyphs.ellipsis)} ", look.badge))
        parts.append(("alone in 2 4 8, esc: all", look.dim))
    if view.cursor is not None and view.cursor.note:
        parts.append((f"! {clean(view.cursor.note)}", look.warn))
    if view.silent_s:
        parts.append((f"! no news from the run for {age_whole(view.silent_s)}", look.bad))
    if view.stopping == 1:
        parts.append(("stopping, ^C again ends at once", look.warn))
    elif view.stopping:
        parts.append(("ending at once, ^C again leaves", look.warn))
    return parts


def _of_the_run(view: View) -> list[tuple[str, Style]]:
    """Return what the verdict does not say, the weightiest first."""
    look, snap = view.look, view.snap
    parts: list[tuple[str, Style]] = []
    told = snap.verdict.state if snap.verdict is not None else ""
    if (hang := view.history.hangs()) and told != HANGS:
        parts.append((f"! no answer for {age_whole(hang)}", look.bad))
    limited, broken = view.history.failing()
    if limited >= LOUD and told != REFUSES:
        parts.append((f"! {limited:.0%} refused (429)", look.warn))
    if broken >= LOUD and told != FAILS:
        parts.append((f"! {broken:.0%} failing", look.bad))
    if snap.budget_refused:
        parts.append((f"! budget spent, {count(snap.budget_refused)} not sent", look.bad))
    if snap.generator.grade == SATURATED:
        why = clean(snap.generator.words) or "timing is not to be trusted"
        parts.append((f"{SATURATED_NOTICE}{why}", look.bad))
    if snap.manual:
        what = ", ".join(clean(name) for name in snap.manual)
        parts.append((f"MANUAL {what}" if what != "all" else "MANUAL", look.warn))
        if view.cursor is None:
            parts.append(("r releases", look.dim))
    if snap.changed:
        parts.append((f"CHANGED {clean(', '.join(snap.changed))}", look.warn))
    if snap.held and snap.paused:
        parts.append(("held too", look.warn))
    return parts


def notice_line(look: Look, parts: list[tuple[str, Style]], width: int) -> Line:
    """Return notices side by side."""
    line = Line()
    for text, style in parts:
        room = width - line.width - (2 if line.width else 0)
        if room < min(12, len(text)):
            break
        line.add("  " if line.width else "").add(fit(look.glyphs.tell(text), room, look.glyphs.ellipsis), style)
    return line


def age_whole(seconds: float) -> str:
    """Return an age in whole seconds."""
    return age(max(10.0, seconds)) if seconds >= 10 else f"{int(seconds)}s"
