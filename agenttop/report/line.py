"""Renders one line a second, for a run without a terminal: readable, and greppable by its keys."""

from __future__ import annotations

from agenttop.metrics.assessment import UNKNOWN
from agenttop.metrics.boxes import UP
from agenttop.metrics.not_refused import some_of
from agenttop.metrics.outcome import USER_ERROR
from agenttop.metrics.snapshot import RunInfo, Snapshot
from agenttop.metrics.trust import OK, percent
from agenttop.report.figures import cells, count, duration, fit, ms, per_s, share
from agenttop.schedule.quantities import clock

WIDTH = 120


def render_line(snapshot: Snapshot, info: RunInfo) -> str:
    """Return the second as ``MM:SS stage key=value …``, at most :data:`WIDTH` columns.

    Percentiles (of ``ttft`` p50/p95) and rps are of the live window; 429, err, retried (429s whose request was sent
    again), sent_again, sessions_lost, said_nothing and exceptions (in users' own code; err holds none of these) are
    counts since the run began; ``verdict`` is whether the target keeps up; ``thresholds`` is how many of how many
    pass, ``not_refused`` how many of them are of answers not refused (429), where there were such; ``quality`` is the
    score of graded answers, ``to_grade`` how many wait for theirs; ``lag`` how late the load generator is, where it
    is not ok, and what part of the middle first token or latency that is; ``b2=lost`` is a box that is not up. What
    matters least stands last and is left out where there is no room; figures are never cut.
    """
    generator = snapshot.generator
    users = f"users={snapshot.users}"
    if snapshot.users != snapshot.target_users:
        users += f"/{snapshot.target_users}"
    parts = [f"{fit(_stage(snapshot, info), 14):<8}", users, f"rps={_bare(per_s(snapshot.rps))}"]
    if snapshot.ttft:
        parts.append(f"ttft={ms(snapshot.ttft.p50)}/{ms(snapshot.ttft.p95)}")
    parts += [
        f"total_p95={ms(snapshot.latency.p95) if snapshot.latency else '-'}",
        f"429={_bare(count(snapshot.rate_limited))}",
        f"err={_bare(count(snapshot.failed - snapshot.rate_limited))}",
        f"inflight={_bare(count(snapshot.in_flight))}",
    ]
    if snapshot.verdict is not None and snapshot.verdict.state != UNKNOWN:
        parts.append(f"verdict={snapshot.verdict.state}")
    if snapshot.retries:
        parts.append(f"retried={_bare(count(snapshot.retries))}")
    if snapshot.sent_again:
        parts.append(f"sent_again={_bare(count(snapshot.sent_again))}")
    if snapshot.sessions_lost:
        parts.append(f"sessions_lost={_bare(count(snapshot.sessions_lost))}")
    if snapshot.said_nothing:
        parts.append(f"said_nothing={_bare(count(snapshot.said_nothing))}")
    raised = sum(cause.count for cause in snapshot.causes if cause.outcome == USER_ERROR)
    if raised:
        parts.append(f"exceptions={_bare(count(raised))}")
    if snapshot.goodput is not None:
        parts.append(f"good={share(snapshot.goodput)}")
    parts += [f"{fit(box.name, 24)}={box.state}" for box in snapshot.boxes if box.state != UP]
    if snapshot.thresholds:
        passed = sum(verdict.passed for verdict in snapshot.thresholds)
        parts.append(f"thresholds={passed}/{len(snapshot.thresholds)}")
        if some := some_of([verdict.refused for verdict in snapshot.thresholds]):
            parts.append(f"not_refused={some}/{len(snapshot.thresholds)}")
    if snapshot.quality is not None and snapshot.quality.score is not None:
        parts.append(f"quality={share(snapshot.quality.score)}")
        if snapshot.quality.waiting:
            parts.append(f"to_grade={_bare(count(snapshot.quality.waiting))}")
    if snapshot.budget:
        # The cap that ends first is the one that matters.
        parts.append(f"budget={max(line.used / (line.cap or 1) for line in snapshot.budget):.0%}")
    if generator.trust is not None and generator.grade != OK:
        late, of_p50 = generator.trust.late_ms or 0.0, generator.trust.share
        parts.append(f"lag={late:.0f}ms" + (f"/{percent(of_p50).replace(' ', '')}" if of_p50 is not None else ""))
    if generator.alive < generator.workers:
        parts.append(f"workers={generator.alive}/{generator.workers}")
    if snapshot.oldest_s:
        parts.append(f"oldest={duration(snapshot.oldest_s)}")
    parts += [f"manual={fit(name, 12)}" for name in snapshot.manual[:1]]
    if snapshot.dropped_iterations:
        parts.append(f"dropped={_bare(count(snapshot.dropped_iterations))}")
    if snapshot.output_tokens:
        parts.append(f"tok/s={_bare(per_s(snapshot.tick.output_tokens_per_s))}")
    line = clock(snapshot.t_s)
    for part in parts:
        if cells(line) + 1 + cells(part) > WIDTH:
            break
        line += f" {part}"
    return line.rstrip()


def _stage(snapshot: Snapshot, info: RunInfo) -> str:
    """Return where the plan is: what holds it up, or the stage's name."""
    if snapshot.state != "running":
        return snapshot.state
    if snapshot.paused:
        return "PAUSED"
    if snapshot.held:
        return "HELD"
    if snapshot.warmup:
        return "warm-up"
    return info.stages[snapshot.stage].name if 0 <= snapshot.stage < len(info.stages) else "-"


def _bare(figure: str) -> str:
    """Return a figure without the spaces between thousands, so that the line splits into words."""
    return figure.replace(" ", "")
