"""Renders the end of a run as plain text, for a terminal or a log: what k6 and oha print, and what agents add to it."""

from __future__ import annotations

from typing import Any

from agenttop.metrics.catalogue import DISTRIBUTIONS
from agenttop.metrics.not_refused import basis, left_out
from agenttop.metrics.outcome import USER_ERROR
from agenttop.metrics.repairs import repairs
from agenttop.metrics.scope import clean_text
from agenttop.metrics.trust import LATE, OK, grade_of
from agenttop.report.boxes import boxes
from agenttop.report.comparison import gate_section
from agenttop.report.exceptions import exceptions
from agenttop.report.figures import bar, bytes_, count, duration, fit, ms, pad, per_s, share
from agenttop.report.glance import capped, count_words, ended_words, generator_words
from agenttop.report.observed import noted, star_words
from agenttop.report.page import INDENT, Page
from agenttop.report.phases import phases_by_stage, phases_of, spent_on
from agenttop.report.phases_by_request import phases_by_request
from agenttop.report.quality import quality_section
from agenttop.report.quotas import quotas
from agenttop.report.search import search_section
from agenttop.report.slowest import slowest
from agenttop.report.stages import stage_section
from agenttop.report.streams import streams
from agenttop.report.verdict import verdict_lines

_ASCII = str.maketrans({"─": "-", "·": "-", "…": "~", "█": "#", "µ": "u", "×": "x", "–": "-", "→": ">", "κ": "kappa"})
#: Rows of latencies: what users wait for first, then the others as the summary has them.
_AWAITED = ("ttft", "ttfo", "latency", "response_time", "inter_chunk", "tpot")
_LATENCY_ROWS = tuple(
    (DISTRIBUTIONS[name].label, f"{name}_ms")
    for name in dict.fromkeys((*_AWAITED, *DISTRIBUTIONS))
    if DISTRIBUTIONS[name].label
)
#: Addresses whose connections are told.
MAX_ADDRESSES = 8
_PERCENTILES = ("p50", "p90", "p95", "p99", "max")


def render_text(summary: dict[str, Any], *, color: bool, width: int = 80, ascii: bool = False) -> str:
    """Return the end-of-run summary as text.

    Args:
        summary: as ``load_summary`` or ``build_summary`` gives it.
        color: with ANSI styles; every state has a word too.
        width: columns, at least 60; no line is wider.
        ascii: without box drawing, bars and µ. Names and messages of the profile and the target then show ``?`` for
            what is not ASCII.
    """
    page = Page(max(width, 60), color)
    _header(page, summary)
    verdict_lines(page, summary["run"])
    _verdict(page, summary)
    search_section(page, summary.get("search"))
    stage_section(page, summary)
    gate_section(page, summary.get("gate"))
    quality_section(page, summary.get("quality"))
    latencies(page, summary["totals"])
    requests(page, summary)
    streams(page, summary)
    slowest(page, summary)
    outcomes(page, summary["totals"])
    exceptions(page, summary["totals"])
    rate_limit(page, summary["totals"])
    budget_section(page, summary["budget"], summary["totals"])
    quotas(page, summary)
    work_done(page, summary["totals"])
    phases_section(page, summary["totals"])
    phases_by_request(page, summary)
    phases_by_stage(page, summary)
    checks_section(page, summary["checks"], summary["totals"])
    boxes(page, summary)
    generator_section(page, summary["generator"])
    if summary["run"].get("directory"):
        page.line()
        # A path is for copying: on a line of its own, and whole even where it is wider than the page.
        page.line(INDENT + "summary and journal:", "dim")
        page.line(INDENT + clean_text(summary["run"]["directory"], 4096), "dim")
    text = "\n".join(page.lines) + "\n"
    return in_ascii(text) if ascii else text


def in_ascii(text: str) -> str:
    """Return a report without box drawing, bars and µ; ``?`` stands for what else is not ASCII."""
    return text.translate(_ASCII).encode("ascii", "replace").decode()


def _header(page: Page, summary: dict[str, Any]) -> None:
    run, totals = summary["run"], summary["totals"]
    page.line()
    page.line(f"{INDENT}agenttop · {fit(run['name'], page.width - 14)}", "bold")
    if run.get("target"):
        page.line(INDENT + fit(run["target"], page.width - 2))
    words, style = ended_words(run)
    page.joined([words], style)
    if run.get("message"):
        page.prose(f"! {fit(run['message'], 400)}", style)
    facts = [f"started {run['started_at']}", _workers(summary["generator"]["workers"]), f"seed {run['seed']}"]
    if run.get("warmup_s"):
        facts.append(f"first {duration(run['warmup_s'])} not counted (warm-up)")
    page.joined(facts, "dim")
    page.line()
    page.joined(count_words(totals), "bold")


def generator_verdict(page: Page, generator: dict[str, Any]) -> None:
    """Add how far the load generator spoils what follows, with its warnings; nothing where it was ok."""
    if grade_of(generator) != OK:
        page.line()
        generator_words(page, generator, "below")
        for warning in generator["warnings"]:
            page.prose(f"! {warning}", "yellow")


def _verdict(page: Page, summary: dict[str, Any]) -> None:
    generator_verdict(page, summary["generator"])
    if not summary["requests"] or not summary["totals"]["requests"]:
        page.line()
        page.prose("! No request finished: there is nothing to judge.", "red")
    thresholds = summary["thresholds"]
    if not thresholds:
        return
    failed = sum(not threshold["passed"] for threshold in thresholds)
    verdict = f"{failed} of {len(thresholds)} failed" if failed else f"all {len(thresholds)} passed"
    page.section("thresholds", verdict)
    for threshold in thresholds:
        word = "pass" if threshold["passed"] else "FAIL"
        note = noted(threshold)
        room = page.width - 10 - len(note)
        text = f"{word}  {pad(fit(threshold['expression'], room), room)}  {note}"
        page.line(INDENT + text, "green" if threshold["passed"] else "red")
    if star := star_words(thresholds, page.width - len(INDENT)):
        page.line(INDENT + star, "dim")


def latencies(page: Page, totals: dict[str, Any]) -> None:
    rows = [["", *_PERCENTILES, "mean", "count"]]
    for label, key in _LATENCY_ROWS:
        dist = totals.get(key)
        if dist is None or (key == "ttfo_ms" and dist["hdr"] == (totals["ttft_ms"] or {}).get("hdr")):
            continue
        if key == "response_time_ms" and dist["hdr"] == (totals["latency_ms"] or {}).get("hdr"):
            continue  # closed pools alone: the same figures again
        rows.append([label, *(ms(dist[p]) for p in (*_PERCENTILES, "mean")), count(dist["count"])])
    if len(rows) > 1:
        page.section("latency", "of ok requests")
        page.table(rows)


def requests(page: Page, summary: dict[str, Any]) -> None:
    if not summary["requests"]:
        return
    page.section("requests")
    rows = [["", "rps", "p50", "p95", "TTFT p95", "429", "errors", "count"]]
    broken = []
    for name, row in summary["requests"].items():
        latency, ttft = row["latency_ms"] or {}, row["ttft_ms"] or {}
        errors = row["failed"] - row["rate_limited"]
        figures = [per_s(row["rps"]), ms(latency.get("p50")), ms(latency.get("p95")), ms(ttft.get("p95"))]
        rows.append([name, *figures, count(row["rate_limited"]), count(errors), count(row["requests"])])
        broken.append(bool(errors))
    page.table(rows, lambda i: "yellow" if broken[i] else "", first_min=12)
    totals = summary["totals"]
    if totals["iterations"]:
        facts = [f"{count(totals['sessions'])} sessions", f"{count(totals['iterations'])} iterations"]
        if totals["dropped_iterations"]:
            facts.append(f"! {count(totals['dropped_iterations'])} iterations dropped (no user was free)")
        page.joined(facts, "dim")


def outcomes(page: Page, totals: dict[str, Any]) -> None:
    requests, outcomes = totals["requests"], totals["outcomes"]
    if not outcomes:
        return
    page.section("outcomes", f"{share(totals['error_rate'])} failed")
    rows = [["", "count", "share"]]
    for name, number in sorted(outcomes.items(), key=lambda item: -item[1]):
        outside = name in ("cancelled", "budget_refused")
        rows.append([name, count(number), "-" if outside else share(number / requests if requests else 0.0)])
    page.table(rows)
    if totals["status"]:
        page.joined((f"{status}: {count(number)}" for status, number in totals["status"].items()), "dim")
    for words in repairs(totals):
        page.prose(f"! {words}", "yellow")
    errors = [error for error in totals["errors"] if error["outcome"] != USER_ERROR]
    if errors:
        page.line()
    for error in errors[:8]:
        when = f"{duration(error['first_s'])} – {duration(error['last_s'])}"
        page.line(f"{INDENT}! {count(error['count'])} × {fit(error['outcome'], 20)}, {when}", "yellow")
        page.line(f"{INDENT}  {fit(error['message'], page.width - 4)}")
    if len(errors) > 8:
        page.line(f"{INDENT}and {len(errors) - 8} more in the summary", "dim")


def rate_limit(page: Page, totals: dict[str, Any]) -> None:
    limit = totals["rate_limit"]
    if not limit["count"] and not limit["violations"]:
        return
    of = "requests" if limit["recovered"] is None else "attempts"
    page.section("rate limits (429)", f"{share(limit['share'])} of {of}")
    facts = [f"{count(limit['count'])} refused"]
    after = limit["retry_after_s"]
    if after:
        facts.append(f"Retry-After in {count(after['count'])}")
        facts.append(f"{duration(after['p50'])} median, {duration(after['max'])} max")
    else:
        facts.append("! none told when to come back (Retry-After)")
    if limit["conformant"] is not None:
        facts.append(f"{count(limit['conformant'])} as they should be")
    facts += [f"! {count(number)} × {name}" for name, number in (limit["violations"] or {}).items()]
    if limit["recovered"] is not None:
        facts.append(f"{count(limit['recovered'])} recovered")
    if limit["amplification"] is not None and limit["amplification"] > 1:
        facts.append(f"{limit['amplification']:.2f} attempts a request")
    page.joined(facts)


def budget_section(page: Page, budget: dict[str, Any], totals: dict[str, Any]) -> None:
    lines = capped(budget)
    if not lines:
        return
    refused = totals["outcomes"].get("budget_refused", 0)
    page.section("budget", f"{count(refused)} not sent" if refused else "")
    rows = [["", "used", "of", "share", ""]]
    for name, line in lines.items():
        money = name == "cost_usd"
        figures = [f"{line[key]:.4f}" if money else count(line[key]) for key in ("used", "cap")]
        part = line["used"] / line["cap"]
        rows.append(["USD" if money else name, *figures, share(part), bar(min(part, 1.0), 20)])
    page.table(rows, first_min=12)
    kept = budget.get("tokens", {}).get("at_worst_case_requests", 0)
    if kept and {"tokens", "cost_usd"} & set(lines):
        page.prose(f"{count(kept)} requests told no tokens and are counted at their worst case", "dim")
    lost = [f"{line['lost']:g} {name}" for name, line in budget.items() if line and line.get("lost")]
    if lost:
        page.prose(f"! a worker that died may have used up to {', '.join(lost)} besides", "yellow")


def work_done(page: Page, totals: dict[str, Any]) -> None:
    tokens, rows = totals["tokens"], []
    if tokens["source"] != "none":
        note = "as the server told" if tokens["source"] == "server" else "ESTIMATED from chunks"
        counted = tokens.get("estimated")
        parts = []
        if tokens["output_per_s"] is not None:
            written = tokens["output"] if tokens["output"] is not None else counted
            parts = [f"{count(written)} out", f"{per_s(tokens['output_per_s'])}/s"]
            parts.append(f"{per_s(tokens['per_request_mean'])} a request")
        parts += [f"{count(tokens[key])} {key}" for key in ("input", "cached", "reasoning") if tokens[key]]
        rows.append(["tokens", *parts, note])
        if counted and tokens["output"] is not None:
            untold = f"of {count(tokens['estimated_requests'])} answers that told none"
            rows.append(["", f"{count(counted)} chunks out", untold, "ESTIMATED, in no figure above"])
    for key, label in (("llm_calls", "LLM calls"), ("tool_calls", "tool calls")):
        calls = totals[key]
        if calls["total"] is not None:
            rows.append([label, count(calls["total"]), f"{per_s(calls['per_request_mean'])} a request"])
    if totals["cost_usd"] is not None:
        told, untold = tokens.get("told_requests", 0), tokens.get("estimated_requests", 0)
        part = [f"of the {count(told)} requests that told tokens; {count(untold)} told no output"] if untold else []
        rows.append(["cost", f"{totals['cost_usd']:.4f} USD", *part])
    if totals["goodput"]:
        good = totals["goodput"]
        rows.append(["goodput", f"{count(good['good'])} good ({share(good['share'])})", f"{per_s(good['per_s'])}/s"])
    rows.append(["traffic", f"{bytes_(totals['bytes_sent'])} sent", f"{bytes_(totals['bytes_received'])} received"])
    rows[-1].append(f"{count(totals['connections_opened'])} connections opened")
    page.section("work done")
    for label, *parts in rows:
        page.joined(parts, head=f"{label:<12}")


def phases_section(page: Page, totals: dict[str, Any]) -> None:
    found = phases_of(totals)
    if not found:
        return
    spent = spent_on(found)
    whole = sum(spent.values()) or 1.0
    # Of single requests: how much of the worst ones each phase was.
    worst = {name: part["p95"] for name, part in totals.get("phase_shares", {}).items() if part.get("p95") is not None}
    page.section("phases", "where the time goes")
    rows = [["", "p50", "p95", "mean", "share", *(["share p95"] if worst else []), ""]]
    for name in sorted(found, key=lambda name: -spent[name]):
        dist, part = found[name], spent[name] / whole
        shares = [share(part), *([share(worst.get(name))] if worst else [])]
        rows.append([name, ms(dist["p50"]), ms(dist["p95"]), ms(dist["mean"]), *shares, bar(part, 16 if worst else 20)])
    page.table(rows, first_min=12)


def checks_section(page: Page, checks: dict[str, Any], totals: dict[str, Any]) -> None:
    if not checks:
        return
    limited = totals["rate_limited"]
    page.section("checks", basis([left_out("checks", "rate", limited, totals["rate_limit"]["count"] - limited)]))
    rows = [["", "passed", "failed", "", ""]]
    for name, check in checks.items():
        whole = check["passed"] + check["failed"]
        figures = [count(check["passed"]), count(check["failed"]), share(check["passed"] / max(whole, 1))]
        rows.append([name, *figures, "FAIL" if check["failed"] else "pass"])
    broken = [bool(check["failed"]) for check in checks.values()]
    page.table(rows, lambda i: "yellow" if broken[i] else "green", first_min=12)


def generator_section(page: Page, generator: dict[str, Any]) -> None:
    page.section("generator", {OK: "ok", LATE: "late"}.get(grade_of(generator), "! SATURATED"))
    lag = generator["loop_lag_ms"] or {}
    facts = [
        f"CPU {generator['cpu_percent_max']:.0f}% of a core at most",
        f"loop lag p99 {ms(lag.get('p99'))}, max {ms(lag.get('max'))}",
        f"{count(generator['max_rss_mb'])} MB",
        f"{count(generator['open_files_max'])} open files",
    ]
    addresses = generator.get("addresses") or {}
    if not generator["max_rss_mb"]:  # workers weigh themselves once a second
        facts = [facts[1], "too short for CPU and memory"]
    page.joined(facts)
    if len(addresses) > 1:
        page.joined(
            [f"{where} {count(number)}" for where, number in list(addresses.items())[:MAX_ADDRESSES]]
            + ([f"and {len(addresses) - MAX_ADDRESSES} more"] if len(addresses) > MAX_ADDRESSES else []),
            head="connections ",
        )
    if grade_of(generator) == OK:
        for warning in generator["warnings"]:
            page.prose(f"! {warning}", "yellow")


def _workers(number: int) -> str:
    return f"{count(number)} worker{'' if number == 1 else 's'}"
