"""Makes the summary of a run from its aggregate and what its controller knows."""

from __future__ import annotations

import os
import platform
import socket
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from agenttop import __version__
from agenttop.journal.rules import Rules
from agenttop.journal.unmatched import unmatched
from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.layout import Layout
from agenttop.metrics.repairs import repairs
from agenttop.metrics.snapshot import RunInfo, StageInfo
from agenttop.metrics.streams import silence_words
from agenttop.quality.brief import Golden
from agenttop.report.model import SCHEMA
from agenttop.verdict.assessor import Assessor


class RunHeader(msgspec.Struct, frozen=True):
    """What is known of a run when it begins: with its deltas, enough for a summary.

    ``profile`` has its secrets masked.
    """

    info: RunInfo
    layout: Layout
    profile: dict[str, Any]
    profile_sha256: str
    host: str
    python: str
    cpu_count: int | None
    agenttop_version: str
    references: tuple[tuple[tuple[str | int, ...], str], ...] = ()
    """Where the profile has ``${NAME}``, and the text around it."""
    folder: str = ""
    """The folder that paths in the profile are relative to."""
    durations_s: tuple[float, ...] = ()
    """Durations of the stages of ``layout`` as the profile has them: end less begin gives these but for rounding."""
    rules: Rules | None = None
    """The rules of the run, without those that have values of the environment in them; None in an older journal."""
    golden: Golden | None = None
    """Its golden set; None where nothing is graded."""


def run_header(
    info: RunInfo,
    layout: Layout,
    profile: Mapping[str, Any],
    profile_sha256: str,
    rules: Rules | None = None,
    golden: Golden | None = None,
) -> RunHeader:
    """Return the header of a run on this machine.

    The profile must be masked already, and the rules writable; nothing here looks for secrets.
    """
    return RunHeader(
        info=msgspec.structs.replace(info, history=()),
        layout=layout,
        profile=dict(profile),
        profile_sha256=profile_sha256,
        host=socket.gethostname(),
        python=platform.python_version(),
        cpu_count=os.cpu_count(),
        agenttop_version=__version__,
        rules=rules,
        golden=golden,
    )


def build_summary(
    aggregate: Aggregate,
    header: RunHeader,
    *,
    duration_s: float,
    sending_ended_s: float,
    stop_reason: str,
    exit_code: int,
    ended_at: str | None = None,
    stage_spans: Sequence[tuple[float, float] | None] | None = None,
    controls: Sequence[Mapping[str, Any]] = (),
    thresholds: Sequence[Mapping[str, Any]] = (),
    quality: Mapping[str, Any] | None = None,
    search: Mapping[str, Any] | None = None,
    assessor: Assessor | None = None,
    incomplete: bool = False,
) -> dict[str, Any]:
    """Return the summary, as plain data that validates against ``summary_schema()``.

    Args:
        aggregate: everything folded, every second closed.
        header: the run.
        duration_s: from the run's begin to the last answer or to giving up on it.
        sending_ended_s: when the last request was sent, in seconds since the begin: rates are of the time from the end
            of the warm-up to then.
        stop_reason: ``completed``, ``stopped_by_user`` … (see metrics.md).
        exit_code: of the process.
        ended_at: RFC 3339; by default the begin and ``duration_s``.
        stage_spans: when each stage really began and ended; None in it for one that was never reached. Without it they
            are taken from the timeline, to the second.
        controls: the commands given, as the summary has them.
        thresholds: likewise.
        quality: likewise.
        search: likewise.
        assessor: the verdict on the target; None leaves it out.
        incomplete: the run was cut off and this is what is left of it.
    """
    info, layout = header.info, aggregate.layout
    warmup_s, spans = layout.warmup_s, stage_spans or [_span(aggregate, stage) for stage in layout.stages]
    stages = driven_stages(aggregate)
    measured_s = max(0.0, sending_ended_s - warmup_s)
    run: dict[str, Any] = {
        "id": info.run_id,
        "name": info.name,
        "started_at": info.started_at,
        "ended_at": ended_at or _later(info.started_at, duration_s),
        "duration_s": round(duration_s, 3),
        "stop_reason": stop_reason,
        "exit_code": exit_code,
        "agenttop_version": header.agenttop_version,
        "host": header.host,
        "seed": info.seed,
        "target": info.target,
        "warmup_s": warmup_s,
        "measured_s": round(measured_s, 3),
        "directory": info.directory,
        "users_max": aggregate.workers.users_most,
    }
    if incomplete:
        run["incomplete"] = True
    if assessor is not None:
        run["verdict"] = assessor.summary()
    return {
        "schema": SCHEMA,
        "run": run,
        "profile": header.profile,
        "profile_sha256": header.profile_sha256,
        "generator": _generator(aggregate, header),
        "totals": aggregate.metrics_total(measured_s),
        # Before what is long: who lists runs reads as far as here.
        "quality": None if quality is None else dict(quality),
        "pools": {
            pool.name: aggregate.metrics_pool(i, measured_s)
            | {"protocol": pool.protocol, "dialect": pool.dialect, "users_max": aggregate.workers.users_max[i]}
            for i, pool in enumerate(layout.pools)
        },
        "requests": {
            f"{layout.pools[request.pool].name}/{request.name}": found
            for i, request in enumerate(layout.requests)
            if _counted(found := aggregate.metrics_request(i, measured_s)) or not request.optional
        },
        "stages": [
            _stage(aggregate, stage, spans[stage.index], sending_ended_s, warmup_s)
            | {"index": index, "verdict": None if assessor is None else assessor.record.of_stage(stage.index)}
            for index, stage in enumerate(stages)
        ],
        "timeline": _timeline(aggregate, stages),
        "thresholds": [dict(threshold) for threshold in thresholds],
        "checks": {
            name: {"passed": passed, "failed": failed} for name, (passed, failed) in sorted(aggregate.checks.items())
        },
        "quotas": aggregate.quotas.summary(),
        "slowest": _slowest(aggregate, stages) if layout.traceparent else None,
        "budget": aggregate.spending.summary(),
        "search": None if search is None else dict(search),
        "controls": [dict(control) for control in controls],
    }


def _counted(metrics: Mapping[str, Any]) -> bool:
    """Return whether something was counted under a request."""
    return any(metrics[key] for key in ("requests", "attempts", "cancelled", "user_errors"))


def _generator(aggregate: Aggregate, header: RunHeader) -> dict[str, Any]:
    workers, saturation, trust = aggregate.workers, aggregate.saturation, aggregate.trust
    sums = aggregate.total().sums
    silence = [silence_words(nothing)] if (nothing := sums["said_nothing"]) else []
    unread = unmatched(aggregate, header.profile)
    fleet = {"boxes": aggregate.boxes.summary()} if aggregate.boxes else {}
    return {
        "workers": header.info.workers,
        "cpu_count": header.cpu_count,
        "python": header.python,
        "loop_lag_ms": saturation.loop_lag.dist(),
        "cpu_percent_max": round(workers.cpu_percent_max, 1),
        "max_rss_mb": round(workers.rss_mb_max, 1),
        "open_files_max": workers.open_files_max,
        "addresses": dict(workers.addresses.most_common()),
        "saturated": saturation.ever,
        "grade": trust.worst.grade,
        "grade_words": trust.worst.words,
        "lag_share": None if trust.worst.share is None else round(trust.worst.share, 4),
        "spoilt_s": round(trust.spoilt_s, 1),
        "warnings": [*saturation.warnings(), *workers.warnings, *repairs(sums), *silence, *unread],
        **fleet,
    }


def driven_stages(aggregate: Aggregate) -> list[StageInfo]:
    """Return the stages of the summary: of an edited plan without those it dropped, sorted by group and time."""
    stages = aggregate.layout.stages
    kept = [stage for stage in stages if not stage.dropped or aggregate.stage(stage.index).outcomes.total()]
    groups = list(dict.fromkeys(stage.pool for stage in stages))
    return kept if aggregate.edited is None else sorted(kept, key=lambda s: (groups.index(s.pool), s.start_s, s.index))


def _timeline(aggregate: Aggregate, stages: Sequence[StageInfo]) -> dict[str, Any]:
    """Return the timeline with the stage indices of the summary."""
    timeline = aggregate.timeline.summary()
    places = _places(stages)
    return timeline | {"stage": [places.get(index, -1) for index in timeline["stage"]]}


def _slowest(aggregate: Aggregate, stages: Sequence[StageInfo]) -> dict[str, list[dict[str, Any]]]:
    """Return the slowest requests with the stage indices of the summary."""
    places = _places(stages)
    found = aggregate.slowest.summary(aggregate.layout)
    return {by: [row | {"stage": places.get(row["stage"], -1)} for row in rows] for by, rows in found.items()}


def _places(stages: Sequence[StageInfo]) -> dict[int, int]:
    """Return each stage's index in the summary, by its index in the run."""
    return {stage.index: place for place, stage in enumerate(stages)}


def _span(aggregate: Aggregate, stage: StageInfo) -> tuple[float, float] | None:
    """Return when a stage was, as far as the timeline tells; a pool's own stages run beside those, so as planned."""
    if stage.pool is None:
        return aggregate.timeline.span(stage.index)
    last = aggregate.timeline.last
    end_s = min(stage.end_s, last.t_s if last is not None else 0.0)
    return (stage.start_s, end_s) if end_s > stage.start_s else None


def _stage(
    aggregate: Aggregate, stage: StageInfo, span: tuple[float, float] | None, sending_ended_s: float, warmup_s: float
) -> dict[str, Any]:
    start_s, end_s = span or (stage.start_s, stage.end_s)
    measured_s = max(0.0, min(end_s, sending_ended_s) - max(start_s, warmup_s)) if span else 0.0
    return {
        "index": stage.index,
        "name": stage.name,
        "start_s": round(start_s, 3),
        "end_s": round(end_s, 3),
        "target_start": stage.target_start,
        "target_end": stage.target_end,
        "unit": stage.unit,
        "pool": stage.pool,
        "planned_start_s": stage.start_s,
        "planned_end_s": stage.end_s,
        "measured_s": round(measured_s, 3),
        **aggregate.metrics_stage(stage.index, measured_s),
    }


def _later(started_at: str, seconds: float) -> str | None:
    """Return ``started_at`` (RFC 3339) plus some seconds; None if it is no time."""
    try:
        ended = datetime.fromisoformat(started_at) + timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        return None
    if ended.tzinfo is not None:
        ended = ended.astimezone(UTC)
    return ended.isoformat(timespec="seconds").replace("+00:00", "Z")
