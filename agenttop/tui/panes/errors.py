"""What is refused, and what is broken, by cause."""

from __future__ import annotations

from rich.style import Style

from agenttop.metrics.snapshot import Cause, Snapshot
from agenttop.report.figures import clock
from agenttop.tui.panes import quotas
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


def name(cause: Cause) -> str:
    """The short name of an outcome."""
    return NAMES.get(cause.outcome, clean(cause.outcome))


def compact(view: View, width: int, height: int) -> list[Line]:
    """A rule with the share of failures, a row of causes, and one of what is left of the target's limits."""
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
    left = quotas.line(view, width - 2)
    return [rule(look, width, share, key="3"), row, *([Line().add("l ", look.key).extend(left)] if left else [])][
        :height
    ]


def full(view: View, width: int, height: int) -> list[Line]:
    """A row for each cause in a box: count, its last seconds, and the latest example; what is left of the limits."""
    look, snap = view.look, view.snap
    causes = ordered(snap.causes)
    right = Line().add(percent(snap.error_rate), look.bad if snap.failed else look.good).add(" of all", look.dim)
    limits = refusals(snap)
    if limits and width >= 60:
        right = Line().add(limits, look.warn).add("  ").extend(right)
    body: list[Line] = []
    trend = 12 if width < 100 else 40
    shown = causes[view.scroll :]
    for cause in shown:
        line = Line().add("! ", _style(view, cause)).add(fit(name(cause), 9, look.glyphs.ellipsis), look.text)
        recent = cause.recent[-trend:]
        line.to(12).right(count(cause.count), 6, look.strong).to(20)
        # The newest second stands at the right, whatever there was before it.
        line.add(" " * (trend - len(recent))).add(spark(recent, peak(recent), look.glyphs), _style(view, cause)).add(
            "  "
        )
        if cause.outcome == "rate_limited" and snap.retry_after_s is not None:
            line.add("retry-after ", look.dim).add(age(snap.retry_after_s), look.text).add("  ")
        elif width >= 100:
            line.add(f"{clock(cause.first_s)}-{clock(cause.last_s)}  ", look.dim)
        room = width - 4 - line.width
        example = fit(clean(cause.example), room, look.glyphs.ellipsis) if room >= 12 else ""
        body.append(line.add(example, look.dim))
    if not causes:
        body.append(Line().add("none so far", look.dim))
    left = quotas.line(view, width - 4)
    room = height - 2 - (left is not None)
    if len(shown) > room:
        del body[room - 1 :]
        more = ", ".join(f"{name(cause)} {count(cause.count)}" for cause in shown[room - 1 :])
        body.append(Line().add(fit(f"  and {more}", width - 4, look.glyphs.ellipsis), look.dim))
    if left is not None:
        body += [Line()] * (room - len(body)) + [left]
    return boxed(look, width, height, title(look, "errors", "3"), right, body)


def enlarged(view: View, width: int, height: int) -> list[Line]:
    """The same alone on the screen: each cause with its times, and its example whole below it."""
    look, snap = view.look, view.snap
    right = Line().add(percent(snap.error_rate), look.bad if snap.failed else look.good).add(" of all", look.dim)
    limits = refusals(snap)
    if limits:
        right = Line().add(limits, look.warn).add("  ").extend(right)
    body = _causes(view, width)[view.scroll :] or [Line().add("none so far", look.dim)]
    return boxed(look, width, height, title(look, "errors", "3"), right, body)


def lines(view: View, width: int) -> int:
    """How many lines the causes take."""
    return len(_causes(view, width))


def _causes(view: View, width: int) -> list[Line]:
    look, snap = view.look, view.snap
    body: list[Line] = []
    trend = max(6, min(60, width - 74))
    for cause in ordered(snap.causes):
        recent = cause.recent[-trend:]
        line = Line().add("! ", _style(view, cause)).add(fit(name(cause), 16, look.glyphs.ellipsis), look.text)
        line.to(18).right(count(cause.count), 7, look.strong).to(27).add(" " * (trend - len(recent)))
        line.add(spark(recent, peak(recent), look.glyphs), _style(view, cause))
        line.add("  first ", look.dim).add(clock(cause.first_s), look.text)
        line.add("  last ", look.dim).add(clock(cause.last_s), look.text)
        if cause.outcome == "rate_limited" and snap.retry_after_s is not None:
            line.add("  retry-after ", look.dim).add(age(snap.retry_after_s), look.text)
        body.append(line)
        body += [Line().add("  ").add(part, look.dim) for part in wrap(clean(cause.example), width - 6)]
    return body


def refusals(snap: Snapshot) -> str:
    """What the profile wants to know of its 429s, where there is something: violations, requests sent again."""
    facts = [f"! {count(snap.violations)} 429 violations"] if snap.violations else []
    if snap.retries:
        facts.append(f"429 retried {count(snap.retries)}, {count(snap.recovered)} ok")
    return "  ".join(facts)


def ordered(causes: tuple[Cause, ...]) -> list[Cause]:
    """Rate limits first, then by count."""
    return sorted(causes, key=lambda cause: (cause.outcome != "rate_limited", -cause.count, cause.outcome))


def percent(share: float) -> str:
    """A share in percent: what is not none is never written as 0."""
    value = share * 100
    if 0 < value < 0.1:
        return "<0.1%"
    return f"{value:.1f}%" if value < 99.95 or value >= 100 else ">99.9%"


def _style(view: View, cause: Cause) -> Style:
    return view.look.warn if cause.outcome == "rate_limited" else view.look.bad
