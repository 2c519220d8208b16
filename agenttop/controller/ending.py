"""How a run comes to its end: why, as summary and exit code say, and how much of what is under way may still end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agenttop.controller.budget import used_up
from agenttop.exits import DONE, FAILED, STOPPED, THRESHOLD
from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.outcome import Outcome
from agenttop.metrics.snapshot import Verdict

#: How a run is halted, each going further than the last: tasks under way go on, requests in flight do, nothing does.
MODES = ("finish", "drain", "cancel")


def goes_further(mode: str, than: str) -> bool:
    """Return whether a run that is halted as ``than`` (empty: not at all) ends sooner by ``mode``."""
    return not than or MODES.index(mode) > MODES.index(than)


@dataclass(frozen=True, slots=True)
class Halted:
    """A run that is coming to its end; times are seconds since it began."""

    mode: str
    """One of :data:`MODES`."""
    sending_ended_s: float
    deadline_s: float
    """What is under way then is cut; of a run that is cut, when that was."""

    def by(self, mode: str, t_s: float) -> Halted:
        """Return it halted in another way from ``t_s`` on; the sending ended when it did."""
        return replace(self, mode=mode, deadline_s=t_s if mode == "cancel" else self.deadline_s)


@dataclass(frozen=True, slots=True)
class End:
    """Why a run ended: ``stop_reason`` as the summary has it, the exit code, and what is to be said about it."""

    stop_reason: str = "completed"
    exit_code: int = DONE
    message: str = ""

    def judged(self, aggregate: Aggregate, verdicts: Sequence[Verdict]) -> End:
        """Return it with what is known once everything is counted: what a budget was used for, and the thresholds that
        failed in a run that nothing else was wrong with.
        """
        end = self
        if end.stop_reason == "budget":
            refused = aggregate.total().outcomes[Outcome.BUDGET_REFUSED]
            end = replace(end, message=used_up(aggregate.spending.lines(), refused))
        failed = sum(not verdict.passed for verdict in verdicts)
        if failed and end.exit_code == DONE:
            text = f"{failed} of {len(verdicts)} thresholds failed"
            end = End(end.stop_reason, THRESHOLD, text)
        return end


STOPPED_BY_USER = End("stopped_by_user", STOPPED)


def failure(message: str, reason: str = "error") -> End:
    """Return the end of a run that has failed."""
    return End(reason, FAILED, message)


def gate(reason: str, message: str) -> End:
    """Return the end that a gate made: a threshold or the circuit breaker."""
    return End(reason, THRESHOLD, message)


def nothing_answered(aggregate: Aggregate) -> bool:
    """Return whether there were requests, and no connection for any of them."""
    return {name for name, count in aggregate.total().outcomes.items() if count} == {Outcome.CONNECT_ERROR.value}
