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
    spent = {
        name.removeprefix(PHASE): (hist.total, hist.count)
        for name, hist in scope.hists.items()
        if name.startswith(PHASE) and hist.count
    }
    if not spent:
        return None
    rest = scope.hists.get("unattributed")
    if rest is not None and rest.count:
        spent[UNATTRIBUTED] = (rest.total, rest.count)
    whole = sum(total for total, _ in spent.values())
    return StagePhases(
        stage=index,
        requests=max(count for _, count in spent.values()),
        mean_ms={name: round(total / count / _US_PER_MS, 3) for name, (total, count) in spent.items()},
        share={name: round(total / whole, 4) if whole else 0.0 for name, (total, _) in spent.items()},
    )
