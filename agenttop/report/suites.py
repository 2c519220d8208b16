"""Makes the test cases of a run: how it ended, its thresholds, checks, graded answers, and its gate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agenttop.exits import DONE, THRESHOLD
from agenttop.report.comparison import comparison_cases, headline
from agenttop.report.figures import count, share
from agenttop.report.glance import count_words, ended_words
from agenttop.report.junit import Case, Suite, junit_xml
from agenttop.report.observed import NO_DATA, noted, told_alone
from agenttop.report.quality import causes, drop_sentence, spread

#: Ends of a run after which its figures are not what was asked for.
_BROKEN = ("target_unreachable", "error")


def report_xml(summary: Mapping[str, Any], *, strict: bool = False) -> str:
    """Return a run as JUnit XML. What is not decided is skipped with its reason; ``strict``: it fails."""
    return junit_xml(suites_of(summary, strict=strict))


def suites_of(summary: Mapping[str, Any], *, strict: bool = False) -> list[Suite]:
    """Return the suites of a run that have a case."""
    run = summary["run"]
    facts = [(key, str(run[key])) for key in ("id", "target", "agenttop_version", "exit_code", "stop_reason")]
    facts += [(key, str(summary["totals"][key])) for key in ("requests", "ok", "failed", "rate_limited")]
    parts: dict[str, list[Case]] = {
        "run": [_run(summary)],
        "thresholds": list(_thresholds(summary)),
        "checks": list(_checks(summary)),
        "quality": list(_quality(summary.get("quality"))),
        "gate": list(_gate(summary.get("gate"))),
    }
    return [
        Suite(
            f"agenttop {part}",
            [case.strictly() for case in cases] if strict else cases,
            facts if part == "run" else (),
            run["duration_s"],
            run["started_at"],
        )
        for part, cases in parts.items()
        if cases
    ]


def _run(summary: Mapping[str, Any]) -> Case:
    """Return the case that a run came to its end, and measured something."""
    run = summary["run"]
    words = f"{ended_words(run)[0]}{': ' + run['message'] if run.get('message') else ''}"
    told = " · ".join(count_words(summary["totals"]))
    # Gates have cases of their own: a run that one of them failed has come to its end.
    fine = run["exit_code"] in (DONE, THRESHOLD) and run["stop_reason"] in ("completed", "budget", "threshold_abort")
    broken = failed = ""
    if run["stop_reason"] in _BROKEN or run.get("incomplete"):
        broken = words
    elif not summary["totals"]["requests"]:
        broken = f"{words}: no request finished"
    elif not fine:
        failed = words
    output = "" if broken or failed else f"{words} · {told}"
    name = f"{run['name']} runs to its end"
    return Case("agenttop.run", name, failed=failed, broken=broken, output=output, time_s=run["duration_s"])


def _thresholds(summary: Mapping[str, Any]) -> Iterator[Case]:
    for threshold in summary["thresholds"]:
        name, window_s = threshold["expression"], threshold.get("window_s")
        time_s = window_s or summary["run"].get("measured_s")
        words = told_alone(threshold, noted(threshold))
        if not threshold["passed"]:
            yield Case("agenttop.thresholds", name, failed=f"{name}: {words}", time_s=time_s)
        elif threshold.get("verdict") == NO_DATA:
            yield Case("agenttop.thresholds", name, skipped="no data: nothing was observed", time_s=time_s)
        else:
            yield Case("agenttop.thresholds", name, output=words, time_s=time_s)


def _checks(summary: Mapping[str, Any]) -> Iterator[Case]:
    for name, check in summary["checks"].items():
        whole = check["passed"] + check["failed"]
        words = f"{count(check['failed'])} of {count(whole)} answers failed it"
        if not whole:
            yield Case("agenttop.checks", name, skipped="no answer was checked")
        elif check["failed"]:
            yield Case("agenttop.checks", name, failed=f"{words} ({share(check['failed'] / whole)})")
        else:
            yield Case("agenttop.checks", name, output=words)


def _quality(quality: Mapping[str, Any] | None) -> Iterator[Case]:
    """Yield the score, that of each slice, and whether it holds under load. A score by itself is no failure: what it
    must be, thresholds and the gate say.
    """
    if quality is None:
        return
    named = {"score": quality, **{f"score {tag}": row for tag, row in quality["slices"].items()}}
    for name, row in named.items():
        if row["score"] is None:
            yield Case("agenttop.quality", name, skipped="no answer was graded")
        else:
            yield Case("agenttop.quality", name, output=f"{share(row['score'])} {spread(row)}")
    drop = quality.get("drop")
    if drop is not None:
        words, lost = drop_sentence(drop), causes(drop["lost"])
        words += f"; lost most to: {lost}" if lost and drop["verdict"] != "ok" else ""
        failed, fine = drop["verdict"] == "worse", drop["verdict"] == "ok"
        yield Case(
            "agenttop.quality",
            "answers hold under load",
            failed=words if failed else "",
            skipped="" if failed or fine else words,
            output=words if fine else "",
        )


def _gate(gate: Mapping[str, Any] | None) -> Iterator[Case]:
    if gate is None:
        return
    if gate["rows"]:
        yield from comparison_cases({"strict": False, **gate}, "agenttop.gate")
    elif gate["blocked"]:
        yield Case("agenttop.gate", "gate", broken=headline(gate))
    else:
        yield Case("agenttop.gate", "gate", skipped=headline(gate))
