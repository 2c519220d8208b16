"""A run as a page of HTML: its verdict first, then what was driven, what came of it, and how to do it again.

Whatever a report in text has is on it in the same words; charts, events, the profile and the commands are its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agenttop.metrics.assessment import EVENT, word_of
from agenttop.metrics.snapshot import Event
from agenttop.report.answer import answer
from agenttop.report.boxes import boxes
from agenttop.report.comparison import gate_section
from agenttop.report.exceptions import exceptions
from agenttop.report.figures import digits, duration, share
from agenttop.report.glance import count_words
from agenttop.report.html.chart import Axis, Chart, Mark, Series, draw
from agenttop.report.html.document import document
from agenttop.report.html.heat import heat_map
from agenttop.report.html.levels import score_chart
from agenttop.report.html.markup import Markup, el, joined
from agenttop.report.html.plan import planned
from agenttop.report.html.series import along, highest, means, percentiles
from agenttop.report.html.told import HtmlPage
from agenttop.report.observed import star_words, threshold_rows
from agenttop.report.phases import phases_by_stage
from agenttop.report.phases_by_request import phases_by_request
from agenttop.report.quality import quality_section
from agenttop.report.quotas import quotas
from agenttop.report.search import level, search_section
from agenttop.report.slowest import slowest
from agenttop.report.stages import stage_section
from agenttop.report.streams import streams
from agenttop.report.text import (
    budget_section,
    checks_section,
    generator_section,
    generator_verdict,
    latencies,
    outcomes,
    phases_section,
    rate_limit,
    requests,
    work_done,
)
from agenttop.report.verdict import verdict_lines
from agenttop.schedule.quantities import clock

#: Events and commands that are listed; the newest stay.
MAX_EVENTS = 300
#: Marks on every chart.
MAX_MARKS = 120


def report_html(summary: Mapping[str, Any], events: Sequence[Event] = (), profile: str = "") -> str:
    """Return a run as a page.

    Args:
        summary: as ``load_summary`` or ``build_summary`` gives it.
        events: of the run, from its journal; without them those that a summary has stand there.
        profile: as TOML, its secrets masked; without it the summary's.
    """
    told = dict(summary)
    axis = axis_of(summary, events)
    charts = list(charts_of(summary))
    drawn = {chart.title: draw(chart, axis, number) for number, chart in enumerate(charts)}
    page = HtmlPage()
    _verdict(page, told)
    stage_section(page, told)
    for title in ("Users", "Requests", "Latency"):
        page.add(drawn[title])
    latencies(page, told["totals"])
    page.add(drawn["First token against total"])
    page.add(heat_map(summary, axis, len(charts)))
    page.add(drawn["Refused and failed"])
    rate_limit(page, told["totals"])
    quotas(page, told)
    phases_by_stage(page, told)
    phases_section(page, told["totals"])
    phases_by_request(page, told)
    requests(page, told)
    streams(page, told)
    slowest(page, told)
    outcomes(page, told["totals"])
    exceptions(page, told["totals"])
    _thresholds(page, told["thresholds"])
    checks_section(page, told["checks"], told["totals"])
    gate_section(page, told.get("gate"))
    budget_section(page, told["budget"], told["totals"])
    work_done(page, told["totals"])
    page.add(drawn["Output tokens"])
    if told.get("quality"):
        page.add(score_chart(told["quality"]))
    quality_section(page, told.get("quality"))
    _events(page, told, events)
    _knee(page, told)
    search_section(page, told.get("search"))
    boxes(page, told)
    generator_section(page, told["generator"])
    page.add(drawn["Loop lag"])
    _profile(page, told, profile)
    _again(page, told["run"])
    title = f"agenttop · {told['run']['name']}: {answer(told)[0]}"
    return document(title, el("main", page.take()), [chart.figures() for chart in charts], axis.end_s)


def axis_of(summary: Mapping[str, Any], events: Sequence[Event] = ()) -> Axis:
    """Return the time of a run with its stages, commands and events."""
    end_s = max(summary["run"]["duration_s"], *summary["timeline"]["t_s"][-1:], 1.0)
    stages = [Mark(s["start_s"], "stage", f"stage {s['name']}") for s in summary["stages"] if s["requests"]]
    controls = [Mark(c["t_s"], "control", _command(c)) for c in summary["controls"]]
    if events:
        rest = [Mark(e.t_s, "event", e.text) for e in events if e.level != "info" or e.text.startswith(EVENT)]
    else:
        verdict = summary["run"].get("verdict") or {}
        rest = [Mark(v["since_s"], "event", word_of(v["state"])) for v in verdict.get("changes", ())]
    return Axis(end_s, [*stages[:MAX_MARKS], *controls[-MAX_MARKS:], *rest[-MAX_MARKS:]])


def charts_of(summary: Mapping[str, Any]) -> Iterator[Chart]:
    """Yield the charts of a run."""
    load = means(summary, "users", "target", "in_flight", "manual")
    by_hand = [
        target if hand else None
        for target, hand in zip(load.values["target"], load.values["manual"] or [0] * len(load.t_s), strict=True)
    ]
    plan = along(planned(summary), "planned", load.t_s)
    users = [Series("users", load.values["users"], 0, area=True), Series("planned", plan, 5)]
    users += [Series("by hand", by_hand, 1), Series("in flight", load.values["in_flight"], 2)]
    yield Chart("Users", "planned, there, set by hand, and requests in flight", "", load.t_s, users)
    rates = means(summary, "rps", "failed_per_s", "rate_limited_per_s", "output_tokens_per_s")
    rps, failed, limited = (rates.values[name] for name in ("rps", "failed_per_s", "rate_limited_per_s"))
    yield Chart("Requests", "finished a second", "/s", rates.t_s, [Series("all", rps, 0, area=True),
                Series("failed", failed, 4)])  # fmt: skip
    total = percentiles(summary, "latency", 50, 95, 99)
    note = f"of ok requests; each point is of {duration(total.step_s)}"
    parts = [Series("p50", total.values["p50"], 3, area=True), Series("p95", total.values["p95"], 0)]
    yield Chart("Latency", note, "ms", total.t_s, [*parts, Series("p99", total.values["p99"], 4)])
    first = percentiles(summary, "ttft", 50, 95)
    parts = [Series("TTFT p50", first.values["p50"], 3, area=True), Series("TTFT p95", first.values["p95"], 1)]
    both = [*parts, Series("total p95", total.values["p95"], 0)] if any(first.values["p95"]) else []
    yield Chart("First token against total", note, "ms", total.t_s, both)
    other = [None if f is None or n is None else max(0.0, f - n) for f, n in zip(failed, limited, strict=True)]
    refused = [Series("429", limited, 1, area=True), Series("other failures", other, 4)]
    yield Chart("Refused and failed", "a second", "/s", rates.t_s, refused if any(failed) else [])
    tokens = rates.values["output_tokens_per_s"]
    yield Chart(
        "Output tokens", "a second", "/s", rates.t_s, [Series("tokens", tokens, 2, True)] if any(tokens) else []
    )
    lag = highest(summary, "loop_lag_p99_ms")
    yield Chart("Loop lag", "of the generator: p99 of a second, the highest of each point", "ms", lag.t_s,
                [Series("lag", lag.values["loop_lag_p99_ms"], 5)])  # fmt: skip


def _verdict(page: HtmlPage, summary: dict[str, Any]) -> None:
    """Add how the run came out, what the target did, and what spoils figures."""
    run = summary["run"]
    word, words = answer(summary)
    inner = HtmlPage()
    verdict_lines(inner, run)
    inner.joined(count_words(summary["totals"]), "bold")
    facts = [run["target"], f"started {run['started_at']}", f"exit code {run['exit_code']}", f"seed {run['seed']}"]
    if run.get("warmup_s"):
        facts.append(f"first {duration(run['warmup_s'])} not counted (warm-up)")
    inner.joined([fact for fact in facts if fact], "dim")
    generator_verdict(inner, summary["generator"])
    if not summary["totals"]["requests"]:
        inner.prose("! No request finished: there is nothing to judge.", "red")
    head = el("h1", el("span", word, class_="word"), f" {words}")
    page.add(el("header", head, inner.take(), _evidence(run), class_=f"verdict {word}"))


def _evidence(run: Mapping[str, Any]) -> Markup | None:
    """Return the figures behind the verdict on the target."""
    rows = (run.get("verdict") or {}).get("evidence") or []
    if not rows:
        return None
    cells = [
        el("tr", el("td", row["what"].replace("_", " ")), *(el("td", _figure(row[key])) for key in ("from", "to")))
        for row in rows
    ]
    head = el("tr", el("th", "evidence"), el("th", "before"), el("th", "then"))
    return el("div", el("table", head, *cells), class_="scroll")


def _thresholds(page: HtmlPage, thresholds: Sequence[Mapping[str, Any]]) -> None:
    if not thresholds:
        return
    failed = sum(not threshold["passed"] for threshold in thresholds)
    page.section("thresholds", f"{failed} of {len(thresholds)} failed" if failed else f"all {len(thresholds)} passed")
    page.table(threshold_rows(thresholds), lambda i: "green" if thresholds[i]["passed"] else "red")
    page.prose(star_words(thresholds), "dim")


def _events(page: HtmlPage, summary: Mapping[str, Any], events: Sequence[Event]) -> None:
    rows = [(c["t_s"], "command", _command(c)) for c in summary["controls"]]
    rows += [(event.t_s, event.level, event.text) for event in events]
    if not rows:
        return
    page.section("controls and events", "marked on every chart")
    shown = sorted(rows, key=lambda row: row[0])[-MAX_EVENTS:]
    styles = {"warn": "yellow", "error": "red", "command": "bold"}
    lines = [
        el("tr", el("td", clock(t_s)), el("td", kind), el("td", text), class_=styles.get(kind))
        for t_s, kind, text in shown
    ]
    page.add(el("div", el("table", joined(*lines), class_="text"), class_="scroll"))


def _knee(page: HtmlPage, summary: Mapping[str, Any]) -> None:
    knee = (summary["run"].get("verdict") or {}).get("knee")
    if not knee:
        return
    page.section("knee", "beyond which throughput does not grow")
    low, high = knee["interval"]
    rows = [["", "", "95% interval"]]
    rows.append(["load", level(knee["users"], knee["unit"]), f"{digits(low)}–{digits(high)}"])
    for label, name, unit in (("throughput", "per_s", "/s"), ("served at a time", "served", ""),
                              ("response at light load", "response_s", " s")):  # fmt: skip
        low, high = knee[f"{name}_interval"]
        rows.append([label, f"{digits(knee[name])}{unit}", f"{digits(low)}–{digits(high)}{unit}"])
    if knee.get("refused"):
        rows.append(["refused beyond it", share(knee["refused"]), ""])
    page.table(rows)


def _profile(page: HtmlPage, summary: Mapping[str, Any], profile: str) -> None:
    page.section("profile", "secrets are ***")
    text = profile or json.dumps(summary["profile"], ensure_ascii=False, indent=1, default=str)
    page.add(el("details", el("summary", f"sha256 {summary['profile_sha256'][:16]}…"), el("pre", text)))


def _again(page: HtmlPage, run: Mapping[str, Any]) -> None:
    page.section("again", f"agenttop {run['agenttop_version']} on {run['host']}")
    rows = [
        (f"agenttop profile-of {run['id']} -o again.toml", "the profile that drives it again as it was steered"),
        ("agenttop --profile again.toml", "the same load, with the same seed"),
        (f"agenttop replay {run['id']}", "the run on the screen, with a time cursor"),
        (f"agenttop compare {run['id']} last", "is another run worse?"),
    ]
    lines = [el("tr", el("td", el("code", command)), el("td", text)) for command, text in rows]
    page.add(el("div", el("table", *lines, class_="text"), class_="scroll"))


def _command(control: Mapping[str, Any]) -> str:
    where = f" {control['pool']}" if control.get("pool") else ""
    change = f" {_figure(control['from'])} → {_figure(control['to'])}" if control["to"] is not None else ""
    return f"{control['command']}{where}{change} ({control['source']})"


def _figure(value: Any) -> str:
    return "-" if value is None else digits(value) if isinstance(value, int | float) else str(value)
