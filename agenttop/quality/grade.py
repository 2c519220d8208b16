"""Grades one answer: the weighted mean of its graders, and why points were lost.

By rule, whatever the graders would say (an answer that failed is never "not counted", and never sent to a judge, which
likes or dislikes length):

    outcome                                  score   cause
    rate_limited                             0       refused
    timeout                                  0       timeout
    truncated                                0       truncated
    any other failure                        0       error
    cancelled, budget_refused                none    (it is no answer)
    ok, but no text and no tool call         0       empty
    ok, but stopped at the limit of tokens   as graded, judges say 0; what is lost is truncated
    ok                                       as graded; what is lost is tool_not_called, empty or wrong
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from agenttop.metrics.outcome import NOT_FINISHED, Outcome
from agenttop.quality.answer import Answer
from agenttop.quality.case import Case, GraderSpec
from agenttop.quality.graders import graders
from agenttop.quality.graders.base import Verdict
from agenttop.quality.graders.finish_reason import common_name
from agenttop.quality.graders.similar import by_embeddings
from agenttop.quality.score import Part, Score

#: Characters of an answer that lost points that are kept.
MAX_EXCERPT = 400
#: A mean of floats that is nearer than this to a threshold has reached it.
_NEARLY = 1e-9
#: What each failure costs the points, in words: cause and reason.
_FAILED: dict[str, tuple[str, str]] = {
    Outcome.RATE_LIMITED: ("refused", "refused with 429"),
    Outcome.TIMEOUT: ("timeout", "no answer in time"),
    Outcome.TRUNCATED: ("truncated", "the answer was cut off"),
    Outcome.CLIENT_ERROR: ("error", "the request failed"),
    Outcome.SERVER_ERROR: ("error", "the server failed"),
    Outcome.CONNECT_ERROR: ("error", "no connection"),
    Outcome.PROTOCOL_ERROR: ("error", "no answer that can be read"),
    Outcome.STREAM_ERROR: ("error", "an error within the answer"),
    Outcome.CHECK_FAILED: ("error", "a check of the profile failed"),
}
_LENGTH = "length"


def name_of(spec: GraderSpec) -> str:
    """Return what a grader is called, with ``not-`` where negated."""
    return f"not-{spec.type}" if spec.negated else spec.type


def is_outside(spec: GraderSpec) -> bool:
    """Return whether a process has to do it: a judge, a user's own code, embeddings."""
    grader = graders().get(spec.type)
    return grader is not None and (grader.grade is None or (spec.type == "similar" and by_embeddings(spec)))


def specs_of(case: Case, given: Sequence[GraderSpec] | None = None) -> tuple[GraderSpec, ...]:
    """Return the graders of an answer: those given (of a step), else the case's; with a target alone ``includes``."""
    if given is not None:
        return tuple(given)
    return case.graders or ((GraderSpec("includes"),) if case.target else ())


def failure_of(answer: Answer) -> tuple[str, str] | None:
    """Return cause and reason of an answer that scores 0 by rule, or None for one that is to be graded."""
    found = _FAILED.get(answer.outcome)
    if found is not None:
        cause, reason = found
        return cause, f"{reason}: {answer.error}" if answer.error else reason
    if answer.outcome == Outcome.OK and not answer.text.strip() and not answer.tools:
        return "empty", "the answer is empty"
    return None


def wanted_outside(case: Case, answer: Answer, specs: Sequence[GraderSpec] | None = None) -> tuple[GraderSpec, ...]:
    """Return the graders that a process has to do for this answer: none for one that scores by rule."""
    if answer.outcome in NOT_FINISHED or failure_of(answer) is not None:
        return ()
    return tuple(
        spec for spec in specs_of(case, specs) if is_outside(spec) and not (spec.type == "judge" and at_limit(answer))
    )


def at_limit(answer: Answer) -> bool:
    """Return whether the model stopped because it had no more tokens."""
    return answer.finish is not None and common_name(answer.finish) == _LENGTH


def grade(
    case: Case,
    answer: Answer,
    given: Sequence[Part] = (),
    *,
    specs: Sequence[GraderSpec] | None = None,
    pass_at: float = 1.0,
) -> Score:
    """Return the score of an answer.

    Args:
        given: the parts of the graders that are done outside, in the order of :func:`wanted_outside`. One that is not
            there yet leaves the score ungraded.
        specs: graders of a step, instead of the case's.
        pass_at: passes with at least this score, unless the case has a threshold of its own.
    """
    if answer.outcome in NOT_FINISHED:
        return _score(case, answer, None, (), "", "the run ended before its answer")
    failure = failure_of(answer)
    if failure is not None:
        return _score(case, answer, 0.0, (), *failure, pass_at=float("inf"))
    wanted = specs_of(case, specs)
    outside = list(given)
    parts = [_part(spec, case, answer, outside) for spec in wanted]
    value, unknown = _mean(parts), next((part for part in parts if part.value is None and part.weight > 0), None)
    if value is None or unknown is not None:
        # Half a judgement is none: what is left would be another measure than that of the other answers.
        return _score(case, answer, None, parts, "", unknown.reason if unknown else "nothing grades it")
    if value >= 1.0 - _NEARLY:
        return _score(case, answer, value, parts, "", "", pass_at=pass_at)
    worst = max(parts, key=lambda part: part.weight * (1.0 - (part.value or 0.0)))
    tools = any(
        graders()[spec.type].tools and not spec.negated and (part.value or 0.0) < 1.0 and part.weight > 0
        for spec, part in zip(wanted, parts, strict=True)
    )
    if at_limit(answer):
        cause = "truncated"
    elif tools:
        cause = "tool_not_called"
    else:
        cause = "wrong" if answer.text.strip() else "empty"
    return _score(case, answer, value, parts, cause, worst.reason, pass_at=pass_at)


def _part(spec: GraderSpec, case: Case, answer: Answer, outside: list[Part]) -> Part:
    """Return what one grader says; parts from outside are used up in order."""
    name = name_of(spec)
    if is_outside(spec):
        if spec.type == "judge" and at_limit(answer):
            return Part(name, 0.0, "stopped at the limit of tokens; not sent to the judge", spec.weight, spec.metric)
        if not outside:
            return Part(name, None, f"{name} has not been asked", spec.weight, spec.metric)
        return msgspec.structs.replace(outside.pop(0), grader=name, weight=spec.weight, metric=spec.metric)
    grader = graders().get(spec.type)
    if grader is None or grader.grade is None:
        return Part(name, None, f"there is no grader {spec.type}", spec.weight, spec.metric)
    try:
        verdict = grader.grade(spec, case, answer)
    except Exception as error:  # of a package's own grader: told, and no score of the agent's
        verdict = Verdict(None, f"the grader failed: {type(error).__name__}: {error}")
    return part_of(spec, verdict)


def part_of(spec: GraderSpec, verdict: Verdict) -> Part:
    """Return a verdict as a part, turned round where the grader is negated."""
    value, reason = verdict.value, verdict.lacking
    if value is not None:
        value = min(1.0, max(0.0, 1.0 - value if spec.negated else value))
        reason = verdict.holding if spec.negated else verdict.lacking
        if value >= 1.0:
            reason = ""
    return Part(name_of(spec), value, reason, spec.weight, spec.metric)


def _mean(parts: Sequence[Part]) -> float | None:
    """Return the weighted mean of the parts that could judge; None if there are none, or all weigh nothing."""
    judged = [part for part in parts if part.value is not None]
    weight = sum(part.weight for part in judged)
    return sum(part.weight * (part.value or 0.0) for part in judged) / weight if weight else None


def _score(
    case: Case,
    answer: Answer,
    value: float | None,
    parts: Sequence[Part],
    cause: str,
    reason: str,
    *,
    pass_at: float = 1.0,
) -> Score:
    least = pass_at if case.threshold is None or pass_at == float("inf") else case.threshold
    return Score(
        case=case.id,
        level=answer.level,
        users=answer.users,
        step=answer.step,
        at_s=answer.at_s,
        value=value,
        passed=value is not None and value >= least - _NEARLY,
        cause=cause,
        reason=reason,
        parts=tuple(parts),
        excerpt=answer.text[:MAX_EXCERPT] if cause else "",
    )
