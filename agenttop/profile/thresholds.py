"""Checks the thresholds of a profile against the rest of it."""

from __future__ import annotations

from collections.abc import Iterator

from agenttop.profile.model import Profile, Stage
from agenttop.profile.problems import Fault
from agenttop.profile.script import rows_of
from agenttop.profile.variables import ANY
from agenttop.schedule.stages import stage_name
from agenttop.thresholds.catalogue import COUNT, QUALITY
from agenttop.thresholds.expression import Expression, nearest, parse_threshold
from agenttop.thresholds.select import Names, UnknownTagError, select


def check_thresholds(profile: Profile) -> Iterator[Fault]:
    """Yield the faults of thresholds that name what the profile does not have. The profile is sound by itself."""
    if not profile.thresholds:
        return
    names = names_of(profile)
    checks = {name for pool in profile.pools for task in pool.tasks for step in task.steps for name in step.checks}
    checks |= {name for pool in profile.pools for step in (*pool.setup, *pool.teardown) for name in step.checks}
    if any(pool.python for pool in profile.pools):
        checks.add(ANY)  # what code checks is known when it does
    for index, threshold in enumerate(profile.thresholds):
        expression = parse_threshold(threshold.expression)
        problem = _problem(expression, names, checks)
        if expression.metric == "goodput" and not profile.objectives.limits_ns:
            problem = "bad threshold: goodput needs [objectives]"
        if expression.metric == "rate_limit_violations" and profile.rate_limit is None:
            problem = "bad threshold: rate_limit_violations needs [rate_limit]"
        if expression.metric == QUALITY and threshold.window is not None:
            problem = "bad threshold: quality is of the whole run and has no window"
        if expression.metric == "cost_usd" and (profile.budget is None or profile.budget.price is None):
            problem = "bad threshold: cost_usd needs a price in [budget]"
        if problem:
            yield Fault(("thresholds", index, "expression"), problem)
        growing = expression.kind == COUNT and expression.operator.startswith(">")
        if threshold.abort and growing and threshold.delay is None and threshold.window is None:
            yield Fault(
                ("thresholds", index, "abort"), "would end the run at once, for a count begins at 0: give it a delay"
            )
        if threshold.delay is not None and not (threshold.abort or threshold.window):
            yield Fault(("thresholds", index, "delay"), "goes with abort = true or a window")


def _problem(expression: Expression, names: Names, checks: set[str]) -> str:
    try:
        select(expression, names)
    except UnknownTagError as error:
        return f"bad threshold: {error}"
    if expression.metric != "checks":
        return ""
    check = dict(expression.tags).get("check")
    if not checks:
        return "bad threshold: the profile has no checks"
    if check is not None and not {check, ANY} & checks:
        return f'bad threshold: no check is called "{check}"{nearest(check, sorted(checks))}'
    return ""


def names_of(profile: Profile) -> Names:
    """Return the names of a profile: its pools, requests and stages."""
    requests = {
        (pool.name, step.name): None
        for pool in profile.pools
        for step in (*pool.setup, *(step for task in pool.tasks for step in task.steps), *pool.teardown)
        if not step.close and (step.send is None or step.wait)
    }
    requests |= {(pool.name, row): None for pool in profile.pools for row in rows_of(pool)}
    stages = _stage_names(profile.stages, "")
    for pool in profile.pools:
        stages += _stage_names(pool.stages, f"{pool.name}/")
    return Names([pool.name for pool in profile.pools], list(requests), stages)


def _stage_names(stages: list[Stage], owner: str) -> list[str]:
    """Return the names of stages as the summary has them."""
    found, before = [], 0.0
    for stage in stages:
        target = float(stage.rate if stage.rate is not None else stage.users or 0)
        found.append(owner + (stage.name or stage_name(target if stage.ramp == "step" else before, target)))
        before = target
    return found
