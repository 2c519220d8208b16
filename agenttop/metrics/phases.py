"""Computes live how long each phase took in each stage, and its share of the latency."""

from __future__ import annotations

from collections.abc import Sequence

from agenttop.metrics.catalogue import PHASE
from agenttop.metrics.figures import UNATTRIBUTED
from agenttop.metrics.scope import Scope
from agenttop.metrics.snapshot import StagePhases

#: Stages that are told live; of more the first stays, and those before the last ones are left out.
MAX_STAGES_TOLD = 24
_US_PER_MS = 1000.0


def stage_phases(stages: Sequence[Scope]) -> tuple[StagePhases, ...]:
    """Return the phases of each stage whose requests reported any; the unexplained rest is among them."""
    found = [told for index, scope in enumerate(stages) if (told := _told(index, scope)) is not None]
    return tuple(found if len(found) <= MAX_STAGES_TOLD else [found[0], *found[1 - MAX_STAGES_TOLD :]])


def _told(index: int, scope: Scope) -> StagePhases | None:
    there = ((name, hist) for name, hist in scope.hists.items() if name.startswith(PHASE) and hist.count)
    hists = {name.removeprefix(PHASE): hist for name, hist in there}
    if not hists:
        return None
    rest = scope.hists.get("unattributed")
    if rest is not None and rest.count:
        hists[UNATTRIBUTED] = rest
    whole = sum(hist.total for hist in hists.values())
    return StagePhases(
        stage=index,
        requests=max(hist.count for hist in hists.values()),
        mean_ms={name: round((hist.mean or 0.0) / _US_PER_MS, 3) for name, hist in hists.items()},
        share={name: round(hist.total / whole, 4) if whole else 0.0 for name, hist in hists.items()},
        counts={name: hist.count for name, hist in hists.items()},
        stddev_ms={name: round((hist.stddev or 0.0) / _US_PER_MS, 3) for name, hist in hists.items()},
    )
