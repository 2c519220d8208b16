"""The sixty-second answer in words: works, holds, why it stops there, what to try next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agenttop.metrics.scope import clean_text
from agenttop.quick.bound import GOOD, Bound, Plan
from agenttop.quick.finding import Found
from agenttop.quick.look import OneUser
from agenttop.quick.why import why
from agenttop.report.figures import count, duration, ms
from agenttop.report.page import INDENT, Page
from agenttop.report.search import asked as asked_share
from agenttop.report.search import level, table

#: Columns of what stands before each part.
_HEAD = 8


@dataclass(frozen=True, slots=True)
class Asked:
    """What was found before the run, and how it was planned."""

    url: str
    bound: Bound
    found: Found
    one: OneUser
    made: Plan
    go_on: str
    """The command that goes on from here."""


def says_of_one(asked: Asked) -> str:
    """Return what one user got, in a sentence."""
    found, one = asked.found, asked.one
    text = f"{found.dialect}, model {clean_text(found.model, 60)}" if found.model else found.dialect
    text += f", {found.ask.method} {clean_text(found.ask.url.partition('?')[0], 120)}: "
    if one.why:
        return f"{text}{clean_text(one.why, 200)}"
    text += f"one user waits {duration(one.seconds)}"
    if one.first_s is not None and not one.burst:
        text += f", {duration(one.first_s)} of that for the first output"
    if one.tokens is not None:
        text += f"; {count(one.input_tokens)} tokens in, {count(one.output_tokens)} out"
    return text


def says_how(asked: Asked) -> str:
    """Return how load is put on, before it is."""
    made = asked.made
    users = level(made.left.users, "users")
    text = users if made.left.users == 1 else f"1 to {users}, twice as many each time"
    text += "; served well is an answer within"
    text += f" {duration(made.objective_s)}, for {asked_share(GOOD)} of them"
    if made.pacing_s:
        text += f"; a user asks every {duration(made.pacing_s)}, so that the bound lasts"
    return text


def render(asked: Asked, summary: Mapping[str, Any], *, color: bool, width: int) -> str:
    """Return the answer as text; ``summary`` is of the run, with a search in it."""
    page, search, run = Page(max(width, 60), color), summary["search"], summary["run"]
    totals, found = summary["totals"], search["capacity"]
    page.line(f"{INDENT}agenttop quick · {clean_text(asked.url.partition('?')[0], page.width - 20)}", "bold")
    works = totals["ok"] > 0
    _part(page, "works" if works else "fails", says_of_one(asked), "green" if works else "red")
    if asked.one.burst:
        text = "its stream comes in one burst at the end: something on the way buffers it, or it streams nothing"
        _part(page, "!", text, "yellow")
    _part(page, "holds", _holds(asked, summary), "bold" if found is not None else "red")
    reason = why(summary, asked.one.seconds, asked.made.pacing_s)
    stops = search["stopped"]
    if reason is not None:
        _part(page, "why", reason.text, "yellow")
    elif stops == "at_max":
        _part(page, "why", f"no end was found within {level(asked.bound.users, 'users')}, the bound")
    verdict = run.get("verdict") or {}
    if verdict.get("bound"):
        _part(page, "knee", clean_text(verdict["bound"], 300))
    steps = sorted(search["steps"], key=lambda step: step["level"])
    if steps:
        page.table(table({**search, "steps": steps}), lambda at: "green" if steps[at]["holds"] else "yellow")
    tips = [*_tips(asked, summary), *(reason.next if reason is not None else ())]
    for index, tip in enumerate(tips):
        _part(page, "next" if not index else "", tip)
    spent = f"{count(totals['requests'] + asked.bound.requests - asked.made.left.requests)} requests sent in all"
    told = f"; {clean_text(run['message'], 160)}" if run.get("message") else ""
    _part(page, "sent", f"{spent}{told}", "dim")
    # For copying: whole even where that is wider than the page.
    page.line(f"{INDENT}{'go on':<{_HEAD}}{clean_text(asked.go_on)}")
    page.line(f"{INDENT}{' ' * _HEAD}agenttop report --full {clean_text(run['id'])}", "dim")
    return "\n".join(page.lines) + "\n"


def _holds(asked: Asked, summary: Mapping[str, Any]) -> str:
    search = summary["search"]
    found, stopped = search["capacity"], search["stopped"]
    within = f"{asked_share(GOOD)} answered within {duration(asked.made.objective_s)}"
    if found is None:
        if stopped == "below_min":
            return f"not even one user at a steady pace ({within} is wanted)"
        return f"not known: {_ended(stopped)}"
    step = next(step for step in search["steps"] if step["level"] == found and step["holds"])
    least = "" if stopped == "found" else "at least "
    text = f"{least}{level(found, 'users')}, {within}: {step['rps']:.3g}/s, p95 {ms(step['latency_p95_ms'])}"
    return text if stopped in ("found", "at_max") else f"{text}; {_ended(stopped)}"


def _ended(stopped: str) -> str:
    return {
        "time": "the time of the bound was up",
        "budget": "the bound was used up",
        "generator": "this machine drives no more",
        "users": "a level's users never came",
        "stopped_by_user": "stopped by hand",
        "no_requests": "no request ended in time",
    }.get(stopped, "the run was ended")


def _tips(asked: Asked, summary: Mapping[str, Any]) -> list[str]:
    tips, stopped, bound = [], summary["search"]["stopped"], asked.bound
    if asked.one.burst:
        tips.append("turn buffering off on the way (nginx: proxy_buffering off; X-Accel-Buffering: no), and look again")
    if stopped == "budget":
        tips.append(f"a larger bound: -n {2 * bound.requests} or --tokens {2 * bound.tokens}")
    if stopped == "time":
        tips.append(f"more time: -z {duration(3 * bound.seconds)}")
    if stopped == "at_max":
        tips.append("a higher to under [search] of the profile, with more of your own questions")
    return tips


def _part(page: Page, head: str, text: str, style: str = "") -> None:
    page.joined(text.split(), style, separator=" ", head=f"{head:<{_HEAD}}")
