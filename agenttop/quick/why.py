"""Says why a target holds no more: a limit, failures, a queue, from the levels of a search and what was told beside."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agenttop.metrics.scope import clean_text
from agenttop.report.figures import count, ms, per_s, share
from agenttop.report.search import level

#: A level is refused where so much of it is 429s.
REFUSED = 0.02
#: Throughput is flat where it is behind this part of what was asked for, and grew by less than this part of it.
BEHIND, HALF = 0.9, 0.5
#: A limit of which less than this part was left has run out.
SPENT = 0.02
#: Characters of a target's words that are shown.
_WORDS = 160


@dataclass(frozen=True, slots=True)
class Why:
    """Why it stops, and what to try; ``next`` may be empty."""

    text: str
    next: tuple[str, ...] = ()


def why(summary: Mapping[str, Any], one_user_s: float, pacing_s: float = 0.0) -> Why | None:
    """Return why the lowest level that does not hold does not; None where every level that was measured does.

    Args:
        summary: of a run with a search.
        one_user_s: what one user waits.
        pacing_s: a user begins a request no more often; 0: at once.
    """
    steps = [step for step in summary["search"]["steps"] if step["requests"] and step["verdict"] != "cut"]
    failed = [step for step in steps if not step["holds"]]
    if not failed:
        return None
    step = min(failed, key=lambda step: step["level"])
    refused = sum(each["rate_limited"] for each in failed)
    if step["rate_limited"] > REFUSED * step["requests"]:
        return _refused(summary, step, refused)
    bad = next((name for name in step["missed"] if name not in ("latency", "rate_limited", "unanswered")), None)
    if bad is not None and step["missed"][bad] > step["missed"].get("latency", 0):
        return _fails(summary, step, bad)
    if not step["missed"].get("latency") and step["missed"].get("unanswered"):
        text = f"at {_users(step)} {count(step['missed']['unanswered'])} requests have no answer at all: it hangs"
        return Why(text, ("look into its log: what waits there, for a lock, a pool of connections, a model?",))
    return _slow(steps, step, one_user_s, pacing_s)


def _refused(summary: Mapping[str, Any], step: Mapping[str, Any], refused: int) -> Why:
    spent = [
        quota
        for quota in summary.get("quotas") or ()
        if quota["lowest_remaining"] is not None and quota["lowest_remaining"] <= SPENT * (quota["limit"] or 0)
    ]
    words = " ".join(error["message"] for error in summary["totals"]["errors"] if error["outcome"] == "rate_limited")
    by = _kind(" ".join(quota["name"] for quota in spent)) or _kind(words)
    text = f"at {_users(step)} {share(step['rate_limited'] / step['requests'])} is refused with 429"
    text += f", by {by}" if by else ""
    if spent:
        told = spent[0]
        of = f" of {count(told['limit'])}" if told["limit"] is not None else ""
        text += f" ({clean_text(told['name'], 40)}: {count(told['lowest_remaining'])}{of} left)"
    elif words:
        text += f": it says {clean_text(words, _WORDS)}"
    more = "a larger quota of tokens, shorter prompts and answers" if by.startswith("tokens") else "a larger quota"
    advice = f'{more}, or clients that wait as a 429 asks (on_429 = "honor"); {count(refused)} were refused in all'
    return Why(text, (advice,))


def _kind(words: str) -> str:
    """Return what limit these words are of; empty if they do not say."""
    lower = words.lower()
    if "token" in lower or "tpm" in lower.split():
        return "tokens a minute" if "day" not in lower else "tokens"
    return "requests a minute" if "request" in lower or "rpm" in lower.split() else ""


def _fails(summary: Mapping[str, Any], step: Mapping[str, Any], bad: str) -> Why:
    words = next((error["message"] for error in summary["totals"]["errors"] if error["outcome"] == bad), "")
    text = f"at {_users(step)} {share(step['missed'][bad] / step['requests'])} fail ({bad.replace('_', ' ')})"
    text += f": {clean_text(words, _WORDS)}" if words else ""
    return Why(text, ("look into its log at that load",))


def _slow(steps: Sequence[Mapping[str, Any]], step: Mapping[str, Any], one_user_s: float, pacing_s: float) -> Why:
    first = min(steps, key=lambda each: each["level"])
    if step is first:
        text = f"one user waits too long already: p95 is {ms(step['latency_p95_ms'])} under steady load"
        return Why(text, ("what is slow by itself is looked into first: a profile with [measure] shows its phases",))
    slower = f"p95 is {ms(step['latency_p95_ms'])} at {_users(step)}, {ms(first['latency_p95_ms'])} at {_users(first)}"
    alone_s = min(one_user_s, (first["latency_p95_ms"] or math.inf) / 1000)
    if not _flat(steps, step, max(alone_s, pacing_s)):
        return Why(f"it becomes slower: {slower}", ("a profile with stages shows which phase grows, and when",))
    # Little's law: so many are in service where none waits.
    most = max(each["rps"] for each in steps)
    served = max(1, round(most * alone_s))
    if served == 1:
        text = f"requests wait in a queue of one: {slower}, and throughput stays at {per_s(most)}/s"
        return Why(f"{text}: it serves one after the other", (
            "more workers of its server (uvicorn --workers), or what holds all others up: a lock, a call that blocks "
            "the event loop, one model slot",
        ))  # fmt: skip
    text = f"requests queue: {slower}, and throughput stays at {per_s(most)}/s"
    return Why(f"{text}, about {count(served)} are served at a time", (
        f"more of what there are about {count(served)} of: model slots, worker threads, connections of a pool",
    ))  # fmt: skip


def _flat(steps: Sequence[Mapping[str, Any]], step: Mapping[str, Any], cycle_s: float) -> bool:
    """Return whether throughput stayed where it was though users came.

    At this level it is behind what so many users ask for who are answered as one is, one request each in ``cycle_s``;
    and from the level before it grew by less than half as much as users did.
    """
    below = max((each for each in steps if each["level"] < step["level"]), key=lambda each: each["level"])
    asked = step["level"] / cycle_s
    grown = 1 + HALF * (step["level"] / below["level"] - 1)
    return bool(step["rps"] < BEHIND * asked and step["rps"] < grown * below["rps"])


def _users(step: Mapping[str, Any]) -> str:
    return level(step["level"], "users")
