"""The errors pane: what is refused, and what is broken, by cause."""

from __future__ import annotations

from rich.style import Style

from agenttop.metrics.snapshot import Cause, Snapshot
from agenttop.schedule.quantities import clock
from agenttop.tui.text import Line, age, clean, count, fit, wrap
from agenttop.tui.view import View
from agenttop.tui.widgets.box import boxed, rule, title
from agenttop.tui.widgets.chart import peak, spark

#: Outcomes in as few letters as people know them by.
NAMES = {
    "rate_limited": "429",
    "client_error": "4xx",
    "server_error": "5xx",
    "connect_error": "connect",
    "protocol_error": "protocol",
    "stream_error": "stream",
    "check_failed": "check",
    "user_error": "exception",
}
#: Seconds of a cause that are drawn beside its times: the fewest, enough of them, and the most.
_MIN_ROWS, _MAX_ROWS, _MAX_MESSAGE = 3, 6, 60


def name(cause: Cause) -> str:
    """Return the short name of an outcome."""
    return NAMES.get(cause.outcome, clean(cause.outcome))


def says(view: View) -> int:
    """Return how many lines there are; none until something failed, or is worth a word."""
    return 2 if view.snap.failed or view.snap.causes or refusals(view.snap) else 0


def compact(view: View, width: int, height: int) -> list[Line]:
    """Return a rule with the share of failures, and a row of causes."""
    look, snap = view.look, view.snap
    share = Line().add("errors ", look.strong).add(percent(snap.error_rate), look.bad if snap.failed else look.good)
    if snap.failed:
        share.add(f"  {count(snap.failed)} of {count(snap.requests)}", look.dim)
    limits = refusals(snap)
    if limits:
        share.add(f"  {limits}", look.warn)
    row = Line().add(" ")
    causes = ordered(snap.causes)
    if not causes:
        row.add(" none so far", look.dim)
    for cause in causes:
        part = (
            Line().add("! ", _style(view, cause)).add(name(cause), look.text).add(f" {count(cause.count)}", look.strong)
        )
        if cause.outcome == "rate_limited":
            recent = cause.recent[-12:]
            part.add("  ").add(spark(recent, peak(recent), look.glyphs), look.warn)
            if snap.retry_after_s is not None:
                part.add("  retry-after ", look.dim).add(age(snap.retry_after_s), look.text)
        if row.width + part.width > width - (1 if cause is causes[-1] else 5):
            row.add(look.glyphs.ellipsis, look.dim)
            break
        row.extend(part).add("   ")
    return [rule(look, width, share, key="3"), row][:height]


def full(view: View, width: int, height: int) -> list[Line]:
    """Return the causes in a box.

    If there is room for all of them, two lines each with the times and the latest example, else one.
    """
    look, snap = view.look, view.snap
    causes = ordered(snap.causes)
    right = Line().add(percent(snap.error_rate), look.bad if snap.failed else look.good).add(" of all", look.dim)
    limits = refusals(snap)
    if limits and width >= 60:
        right = Line().add(limits, look.warn).add("  ").extend(right)
    room = height - 2
    if not causes:
        body = [Line().add("none so far", look.dim)]
    elif 2 * len(causes) <= room:
        body = _causes(view, width - 4, whole=False)
    else:
        body = _short(view, causes, width - 4, room)
    return boxed(look, width, height, title(look, "errors", "3"), right, body)


def enlarged(view: View, width: int, height: int) -> list[Line]:
    """Return the enlarged pane: each cause with its times, and its whole example below it."""
    look, snap = view.look, view.snap
    right = Line().add(percent(snap.error_rate), look.bad if snap.failed else look.good).add(" of all", look.dim)
    limits = refusals(snap)
    if limits:
        right = Line().add(limits, look.warn).add("  ").extend(right)
    body = _causes(view, width - 4)[view.scroll :] or [Line().add("none so far", look.dim)]
    return boxed(look, width, height, title(look, "errors", "3"), right, body)


def lines(view: View, width: int) -> int:
    """Return how many lines the causes take."""
    return len(_causes(view, width - 4))


def _short(view: View, causes: list[Cause], width: int, room: int) -> list[Line]:
    """Return a line for each cause: count, its last seconds, and the latest example."""
    look, snap = view.look, view.snap
    body: list[Line] = []
    trend = 12 if width < 96 else 40
    for cause in causes:
        line = _head(view, cause, 12, 6, trend)
        if cause.outcome == "rate_limited" and snap.retry_after_s is not None:
            line.add("retry-after ", look.dim).add(age(snap.retry_after_s), look.text).add("  ")
        elif width >= 96:
            line.add(f"{clock(cause.first_s)}-{clock(cause.last_s)}  ", look.dim)
        left = width - line.width
        example = fit(clean(cause.example), left, look.glyphs.ellipsis) if left >= 12 else ""
        body.append(line.add(example, look.dim))
    if len(body) > room:
        more = ", ".join(f"{name(cause)} {count(cause.count)}" for cause in causes[room - 1 :])
        body[room - 1 :] = [Line().add(fit(f"  and {more}", width, look.glyphs.ellipsis), look.dim)]
    return body


def _causes(view: View, width: int, *, whole: bool = True) -> list[Line]:
    """Return for each cause a line with its last seconds and times, and its example below: ``whole``, or a
    line of it.
    """
    look, snap = view.look, view.snap
    body: list[Line] = []
    causes = ordered(snap.causes)
    times = [_times(view, cause) for cause in causes]
    wait = Line()
    if snap.retry_after_s is not None and any(cause.outcome == "rate_limited" for cause in causes):
        wait.add("retry-after ", look.dim).add(age(snap.retry_after_s), look.text)
    names, counts = (18, 7) if width >= 70 else (12, 6)
    room = width - names - counts - 4 - max((line.width for line in times), default=0)
    # How long to wait stands at the end of its line where there is room, else before the example.
    beside = room - wait.width - 2 >= _MAX_ROWS
    trend = max(_MIN_ROWS, min(_MAX_MESSAGE, room - (wait.width + 2 if beside else 0)))
    for cause, when in zip(causes, times, strict=True):
        line = _head(view, cause, names, counts, trend).extend(when)
        example = Line().add("  ")
        if cause.outcome == "rate_limited" and wait.width:
            if beside:
                line.add("  ").extend(wait)
            else:
                example.extend(wait).add("  ")
        body.append(line)
        first, *rest = wrap(clean(cause.example), max(8, width - example.width)) or [""]
        if not whole:
            first, rest = fit(clean(cause.example), width - example.width, look.glyphs.ellipsis), []
        body.append(example.add(first, look.dim))
        body += [Line().add("  ").add(part, look.dim) for part in rest]
    return body


def _head(view: View, cause: Cause, names: int, counts: int, trend: int) -> Line:
    """Return ``! 429    1641  ▇▇▇▆▇▆  ``; the newest second stands at the right, whatever came before it."""
    look, recent = view.look, cause.recent[-trend:]
    line = Line().add("! ", _style(view, cause)).add(fit(name(cause), names - 3, look.glyphs.ellipsis), look.text)
    line.to(names).right(count(cause.count), counts, look.strong).add("  ").add(" " * (trend - len(recent)))
    return line.add(spark(recent, peak(recent), look.glyphs), _style(view, cause)).add("  ")


def _times(view: View, cause: Cause) -> Line:
    look = view.look
    line = Line().add("first ", look.dim).add(clock(cause.first_s), look.text)
    return line.add("  last ", look.dim).add(clock(cause.last_s), look.text)


def refusals(snap: Snapshot) -> str:
    """Return what the counts of failures leave out, if anything: violations, what was sent again or lost."""
    facts = [f"! {count(snap.violations)} 429 violations"] if snap.violations else []
    if snap.retries:
        facts.append(f"429 retried {count(snap.retries)}, {count(snap.recovered)} ok")
    if snap.sent_again:
        facts.append(f"sent again: {count(snap.sent_again)}")
    if snap.sessions_lost:
        facts.append(f"sessions lost: {count(snap.sessions_lost)}")
    if snap.said_nothing:
        facts.append(f"! {count(snap.said_nothing)} said nothing")
    return "  ".join(facts)


def ordered(causes: tuple[Cause, ...]) -> list[Cause]:
    """Return the causes, rate limits first, then by count."""
    return sorted(causes, key=lambda cause: (cause.outcome != "rate_limited", -cause.count, cause.outcome))


def percent(share: float) -> str:
    """Return a share in percent; one above 0 is never written as 0."""
    value = share * 100
    if 0 < value < 0.1:
        return "<0.1%"
    return f"{value:.1f}%" if value < 99.95 or value >= 100 else ">99.9%"


def _style(view: View, cause: Cause) -> Style:
    return view.look.warn if cause.outcome == "rate_limited" else view.look.bad
