"""Texts about each pane, for the help of the enlarged pane. Lines of less than 79 letters."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class About:
    """What a pane shows, and the keys for it: key, what it does."""

    lines: tuple[str, ...]
    keys: tuple[tuple[str, str], ...] = ()


#: Words that stand on the screen, or that one would say for a pane, beside its name.
ALSO = {
    "plan": "users target ramp knee schedule load",
    "stages": "stage levels steps ramp knee users load rps p95 slow grew compared first keeps up queues",
    "rate": "rps throughput requests per second in-flight oldest dropped target",
    "errors": "429 5xx refused rate-limit failures failing timeout checks retry-after",
    "latency": "slow ttft first token total p50 p90 p95 p99 max percentiles response time inter-chunk logarithmic",
    "ttft": "latency first token slow", "total": "latency slow",
    "requests": "table endpoints steps slow rps p95 429",
    "events": "log marks history happened changes by hand",
    "phases": "slow bottleneck knee where the time goes llm tool",
    "pools": "users targets manual share",
    "thresholds": "pass fail slo verdict gate breaker",
    "budget": "cost tokens money spent cap",
    "quotas": "429 limits quota ratelimit remaining reset",
    "heat": "heatmap distribution over time outliers percentiles", "percentiles": "heatmap distribution",
    "boxes": "machines hosts fleet slow lost clock",
    "generator": "gen lag cpu saturated workers memory trust",
    "quality": "score grades golden cases wrong answers worse",
}  # fmt: skip

_TREND = ("t", "1 m, 5 m or all")
_SCROLL = ("up down", "scroll")
_MARK = "A mark on the time axis: something done by hand; the events say what."

ABOUT = {
    "plan": About(
        (
            "What was driven up to now, and what the plan wants from here on.",
            "A line across is what the plan wanted where by hand it was not followed.",
            "Above stand the stages, the current one in capitals; below the plan's clock.",
        ),
        (("+ -", "users"), ("h", "hold"), ("n", "next stage"), ("r", "release")),
    ),
    "rate": About(
        (
            "Requests that finished per second, over the last 10 s; 0 in a hang.",
            "Target, a line across: iterations per second that are wanted of open pools.",
            "Oldest: age of the oldest one in flight. Dropped: arrivals no user was for.",
            _MARK,
        ),
        (_TREND,),
    ),
    "errors": About(
        (
            "How requests failed, rate limits (429) first: count, the last seconds, when",
            "first and last, and the newest example in full.",
        ),
        (_SCROLL,),
    ),
    "latency": About(
        (
            "The time to the first token and of the whole request, in ms of ok requests but",
            "set-ups: p50 an area, p95 a line, p99 dots, of all requests of as many seconds",
            "as the title says; lighter: too few (p50 11, p95 130, p99 662). It ends at",
            "the p99 of all that is shown, a triangle is beyond it; both have the same one,",
            "or each its own, as the title says. On a log axis, with ticks 1, 2, 5, both",
            "have one of all that is shown: as high a step is as many times as long.",
            _MARK,
        ),
        (_TREND, ("L", "log axis, or from 0")),
    ),
    "stages": About(
        (
            "What each stage was like, as the report has it: of the requests sent in it,",
            "set-ups too, warm-up not; percentiles of all of them; dim: too few. × first:",
            "its p95 by that of the first stage. Grew most: the phase that grew by most ms",
            "since then, beyond noise. ! the target did not keep up in it; the one marked",
            "with a triangle goes on, so its figures are those so far.",
        ),
        (_SCROLL,),
    ),
    "requests": About(
        (
            "One line for each request of a pool. Counts are since the run began; rates and",
            "percentiles are of the last 10 s; dim: too few. err: failures other than 429.",
            "! before a TTFT: streams came in one burst, so it says nothing of the model.",
            "enter: 2, 4 and 8 are of the row's request alone, until esc; what is not known",
            "by request says that it is of all requests. The trend is of p95, from zero.",
        ),
        (("up down", "row"), ("enter", "alone"), ("o", "order"), ("/", "filter"), ("tab", "pool")),
    ),
    "events": About(("What happened, the newest first; ! is a warning or an error.",), (_SCROLL,)),
    "pools": About(
        (
            "Of each pool users now, and users or iterations per second that are wanted.",
            "M: set by hand, until it is released. Keys go to the pool that is marked.",
        ),
        (("tab", "next pool"), ("a", "all"), ("+ -", "users or rate"), ("r", "release")),
    ),
    "thresholds": About(
        (
            "Each threshold with the value observed so far, those that fail first.",
            "The exit code is 99 where one of them fails at the end of the run. A star: it",
            "is of answers not refused (429), so it says nothing of those that were.",
        ),
        (_SCROLL,),
    ),
    "budget": About(
        (
            "What is used of each cap, and what requests in flight may use at worst.",
            "The run ends where the next request might go beyond a cap.",
        ),
    ),
    "quality": About(
        (
            "The score of graded answers: the mean over cases, with its 95 % interval, at",
            "each level of load, and the drop from the fewest users to the most, paired by",
            "case. A bar is as long as the score is sure; the thin part is its interval.",
            "Below: slices by level, then the cases that failed last, and why.",
        ),
        (_SCROLL,),
    ),
    "heat": About(
        (
            "Time to the right, latency upwards in steps of half an octave, from the p0.5",
            "to the p99.9 of what is shown.",
            "A shade says what part of its column's requests took so long. Where there is",
            "room, whole requests and their first tokens stand above each other.",
            _MARK,
        ),
        (("f", "total or first token"), _TREND),
    ),
    "phases": About(
        (
            "Where the target says that its time goes: the mean of each phase in each stage",
            "and what part it is of the latency. The phase that grew most with the load is",
            "marked and named.",
        ),
    ),
    "quotas": About(
        (
            "What is left of the limits that targets tell of, the scarcest first, and when",
            "there is more again.",
        ),
    ),
    "boxes": About(
        (
            "Of a run over many machines what each does: users, requests a second, CPU of",
            "its busiest worker, how late its loop is, first tokens; in a wide pane how far",
            "it is, too, and what its clock can be off by. : box NAME off leaves one out.",
        ),
        (_SCROLL,),
    ),
    "generator": About(
        (
            "Whether agenttop itself keeps up. Late: no time shown is longer for it by 5 %",
            "or 5 ms. SATURATED: timing is not to be trusted. What the lag is of the run's",
            "own times, and why. Schedule lag: how late arrivals are sent.",
        ),
    ),
}
