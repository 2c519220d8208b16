"""The end of a run: its reason for summary and exit code, and how much of what is under way may still end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agenttop.controller.budget import used_up
from agenttop.exits import DONE, FAILED, STOPPED, THRESHOLD
from agenttop.journal.figures import Closed
from agenttop.journal.verdicts import told
from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.outcome import Outcome
from agenttop.metrics.snapshot import Verdict
from agenttop.thresholds.breaker import Breaker

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
    """When what is still under way is cut; for a run that was cut, when that was."""

    def by(self, mode: str, t_s: float) -> Halted:
        """Return it halted in another mode from ``t_s`` on; the end of the sending stays."""
        return replace(self, mode=mode, deadline_s=t_s if mode == "cancel" else self.deadline_s)


@dataclass(frozen=True, slots=True)
class End:
    """Why a run ended: ``stop_reason`` as in the summary, the exit code, and the message about it."""

    stop_reason: str = "completed"
    exit_code: int = DONE
    message: str = ""

    def lacking(self, lacks: Sequence[str]) -> End:
        """Return it with what was asked for and could not be done: that is said, and a run that would be done has
        failed for it.
        """
        if not lacks:
            return self
        message = "; ".join(text for text in (self.message, *lacks) if text)
        return End(self.stop_reason, self.exit_code or FAILED, message)

    def judged(self, aggregate: Aggregate, verdicts: Sequence[Verdict]) -> End:
        """Return the end with what is known once everything is counted.

        That is what a budget was used for, and the failed thresholds of a run that nothing else was wrong with.
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


def gated(closed: Closed, breaker: Breaker) -> End | None:
    """Return the end that a closed second asks for; None if it asks for none."""
    if closed.aborting is not None:
        return gate("threshold_abort", f"a threshold ended the run: {told(closed.aborting)}")
    if closed.opens:
        return gate("circuit_breaker", f"the circuit breaker ended the run: {breaker.told()}")
    return None


def nothing_answered(aggregate: Aggregate) -> bool:
    """Return whether there were requests, and no connection for any of them."""
    return {name for name, count in aggregate.total().outcomes.items() if count} == {Outcome.CONNECT_ERROR.value}


def abandoned(workers: int, lost: int, stopped_s: Sequence[float], *, ending: bool) -> str:
    """Return why a run has failed that has no worker any more; empty if that was to be.

    Args:
        workers: how many there were.
        lost: those that ended as they should not.
        stopped_s: when those stopped that did so by themselves.
        ending: the run was halted, so that its workers were to go.
    """
    if ending and lost < workers:
        return ""
    if not ending and len(stopped_s) == workers:
        return "every worker stopped by itself: it heard nothing from the controller"
    return "every worker died"
