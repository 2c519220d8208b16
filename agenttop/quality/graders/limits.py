"""``latency``, ``ttft``, ``tokens`` and ``cost``: what an answer took, at most."""

from __future__ import annotations

from agenttop.quality.answer import Answer
from agenttop.quality.case import Case, GraderSpec
from agenttop.quality.graders.base import Grader, Verdict, is_number, milliseconds

OF = ("output", "input", "total")


def _tokens(spec: GraderSpec, answer: Answer) -> float | None:
    of = spec.options.get("of", "output")
    if of == "output":
        return answer.output_tokens
    if of == "input":
        return answer.input_tokens
    return (
        None
        if answer.input_tokens is None or answer.output_tokens is None
        else answer.input_tokens + answer.output_tokens
    )


def _check_time(spec: GraderSpec) -> str:
    if milliseconds(spec.value) is None:
        return f'{spec.type} needs a value that is a duration such as "2s", or a number of milliseconds'
    return ""


def _check_tokens(spec: GraderSpec) -> str:
    if not is_number(spec.value):
        return "tokens needs a value that is a number of tokens"
    return "" if spec.options.get("of", "output") in OF else f"of of tokens is one of {', '.join(OF)}"


def _check_cost(spec: GraderSpec) -> str:
    return "" if is_number(spec.value) else "cost needs a value that is a number of US dollars"


def _time(spec: GraderSpec, case: Case, answer: Answer) -> Verdict:
    took = answer.latency_ms if spec.type == "latency" else answer.ttft_ms
    limit = milliseconds(spec.value) or 0.0
    what = "the answer" if spec.type == "latency" else "the first token"
    if took is None:
        return Verdict(None, f"it is not known how long {what} took")
    return Verdict(
        float(took <= limit), f"{what} took {took:,.0f} ms, at most {limit:,.0f}", f"{what} took only {took:,.0f} ms"
    )


def _limit(spec: GraderSpec, case: Case, answer: Answer) -> Verdict:
    if spec.type == "tokens":
        used, unit = _tokens(spec, answer), f"{spec.options.get('of', 'output')} tokens".replace("total ", "")
    else:
        used, unit = answer.cost_usd, "USD"
    if used is None:
        return Verdict(None, f"it is not known how many {unit} the answer took")
    return Verdict(float(used <= spec.value), f"{used:g} {unit}, at most {spec.value:g}", f"only {used:g} {unit}")


LATENCY = Grader("latency", _check_time, _time)
TTFT = Grader("ttft", _check_time, _time)
TOKENS = Grader("tokens", _check_tokens, _limit, frozenset({"of"}))
COST = Grader("cost", _check_cost, _limit)
