"""Renders a search for capacity in words and as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agenttop.report.figures import count, digits, duration, ms, per_s, share
from agenttop.report.page import Page

_STOPPED = {
    "generator": "the load generator can drive no more",
    "users": "a level's users never came",
    "no_requests": "a level sent no request in all the time it was measured",
    "stopped_by_user": "stopped by hand",
    "time": "the time was up",
    "budget": "the budget was used up",
    "aborted": "the run was ended",
}
_LIMITS = {"rate_limited": "429s", "dropped": "dropped arrivals", "unanswered": "requests without an answer"}
#: Columns that are left out where no step has any.
_SPARED = ("TTFT p95", "429")


def asked(part: float) -> str:
    """Return a share that the user has asked for: ``95%``."""
    return f"{part * 100:g}%"


def level(value: float | None, unit: str) -> str:
    """Return a level: ``42 users``, ``1 user``, ``12.5/s``; ``-`` for None."""
    if value is None:
        return "-"
    if unit == "rate":
        return f"{digits(value)}/s"
    return f"{count(value)} user{'' if value == 1 else 's'}"


def sentence(search: Mapping[str, Any]) -> str:
    """Return what a search found in a sentence: ``capacity: 42 users (40 hold with 95% confidence, 44 do not), …``."""
    unit, found, lower, upper = search["unit"], search["capacity"], search["lower"], search["upper"]
    stopped = search["stopped"]
    whose = f" of {search['pool']}" if search["pool"] else ""
    if found is None:
        if stopped == "below_min" and search["steps"]:
            text = f"capacity{whose}: below {level(search['steps'][-1]['level'], unit)}, where the search began"
        else:
            text = f"capacity{whose}: not found"
    else:
        least = "at least " if search["stopped"] != "found" else ""
        text = f"capacity{whose}: {least}{level(found, unit)}{_bracket(search, lower, upper)}"
    if stopped == "at_max":
        text += ", the most that was asked for"
    elif stopped in _STOPPED:
        text += f"; {_STOPPED[stopped]}"
    if search["limited_by"] and stopped in ("found", "below_min"):
        text += f"; limited by {_LIMITS.get(search['limited_by'], search['limited_by'])}"
    return text


def _bracket(search: Mapping[str, Any], lower: float | None, upper: float | None) -> str:
    sure = asked(search["confidence"])
    parts = []
    if lower is not None:
        parts.append(f"{_bare(lower, search)} hold{_s(lower, search)} with {sure} confidence")
    if upper is not None:
        parts.append(f"{_bare(upper, search)} do{'es' if _s(upper, search) else ''} not")
    if not parts:
        return f" (by the share of good requests alone: too few for {sure} confidence)"
    if lower is None:
        parts.insert(0, f"too few requests for {sure} confidence that it holds")
    return f" ({', '.join(parts)})"


def _bare(value: float, search: Mapping[str, Any]) -> str:
    return level(value, "rate") if search["unit"] == "rate" else count(value)


def _s(value: float, search: Mapping[str, Any]) -> str:
    return "s" if search["unit"] == "rate" or value == 1 else ""


def verdict(step: Mapping[str, Any]) -> str:
    """Return a step's verdict: ``pass``, ``FAIL``, ``pass? 74%``, ``FAIL: circuit breaker`` …"""
    word = {"pass": "pass", "fail": "FAIL"}.get(step["verdict"], "")
    if step["verdict"] == "undecided":
        return f"{'pass' if step['holds'] else 'FAIL'}? {share(step['confidence'])}"
    why = step["why"].replace("_", " ")
    return (f"{word}: {why}" if word else f"cut: {why}") if why else word or "cut"


def step_words(step: Mapping[str, Any], unit: str) -> str:
    """Return a step that is over in words: ``32 users: pass, 97.1% of 340 good (94.8%–98.5%), p95 812ms``."""
    text = f"{level(step['level'], unit)}: {verdict(step)}"
    if step["requests"]:
        text += f", {share(step['share'])} of {count(step['requests'])} good"
        text += f" ({share(step['low'])}–{share(step['high'])})"
    if step["latency_p95_ms"] is not None:
        text += f", p95 {ms(step['latency_p95_ms'])}"
    worst = next(iter(step["missed"]), None)
    return f"{text}, missed most: {worst}" if worst and not step["holds"] else text


def search_section(page: Page, search: Mapping[str, Any] | None) -> None:
    """Add the section of a report: the sentence, and a row for each step."""
    if search is None:
        return
    page.section("capacity", f"{asked(search['good'])} good, {asked(search['confidence'])} confidence")
    page.prose(sentence(search), "bold")
    if search["steps"]:
        page.line()
        holds = [step["holds"] for step in search["steps"]]
        page.table(table(search), lambda i: "green" if holds[i] else "yellow")
    for text in (_missed(search), _advice(search)):
        if text:
            page.prose(text)


def _missed(search: Mapping[str, Any]) -> str:
    """Return what requests missed at the lowest level that does not hold; empty if nothing is known."""
    failed = [step for step in search["steps"] if not step["holds"] and step["verdict"] != "cut" and step["missed"]]
    if not failed:
        return ""
    step = min(failed, key=lambda step: step["level"])
    parts = [f"{count(number)} by {_LIMITS.get(name, name)}" for name, number in list(step["missed"].items())[:4]]
    where = f"{level(step['level'], search['unit'])}, of {count(step['requests'])} requests"
    return f"not good at {where}: {', '.join(parts)}"


def _advice(search: Mapping[str, Any]) -> str:
    """Return what to do if the answer is not all that was asked for; else nothing."""
    stopped, found, lower = search["stopped"], search["capacity"], search["lower"]
    if stopped == "at_max":
        return "to look further: a higher to in [search], or --max"
    if stopped == "below_min":
        lowest = search["steps"][-1]["level"] if search["steps"] else 0.0
        if search["unit"] == "users" and lowest <= 1:
            return "not even one user is served well: see what was missed, or ease [objectives]"
        return "a lower from in [search] tells more"
    if stopped == "generator":
        return "to drive more: more --workers, more cores, or another machine"
    if found is not None and (lower is None or lower < found):
        return f"to be sure of {level(found, search['unit'])}, measure longer: a longer max_measure in [search]"
    return ""


def table(search: Mapping[str, Any]) -> list[list[str]]:
    """Return a heading and a row for each step. The verdict stands first: without room the last columns are dropped."""
    rows = [["", "verdict", "good", "interval", "of", "p95", "TTFT p95", "429", "rps", "for"]]
    for step in search["steps"]:
        interval = f"{share(step['low'])}–{share(step['high'])}" if step["requests"] else "-"
        rows.append(
            [
                level(step["level"], search["unit"]),
                verdict(step),
                share(step["share"]) if step["requests"] else "-",
                interval,
                count(step["requests"]),
                ms(step["latency_p95_ms"]),
                ms(step["ttft_p95_ms"]),
                count(step["rate_limited"]),
                per_s(step["rps"]),
                duration(step["measured_s"]),
            ]
        )
    at = [rows[0].index(name) for name in _SPARED]
    nothing = [index for index in at if all(row[index] in ("-", "0") for row in rows[1:])]
    return [[text for index, text in enumerate(row) if index not in nothing] for row in rows]
