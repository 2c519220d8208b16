"""``finish-reason``: why the model stopped. Names of different providers for the same are the same."""

from __future__ import annotations

from agenttop.quality.answer import Answer
from agenttop.quality.case import Case, GraderSpec
from agenttop.quality.graders.base import Grader, Verdict, plain, quoted, wanted_text, wanted_texts

#: What providers call the same (OpenAI, Anthropic, Google).
_SAME = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "completed": "stop",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "incomplete": "length",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "safety": "content_filter",
    "refusal": "content_filter",
}


def common_name(reason: str) -> str:
    """Return what a finish reason is called by OpenAI: ``stop``, ``length``, ``tool_calls``, ``content_filter`` …"""
    name = reason.strip().lower()
    return _SAME.get(name, name)


def _check(spec: GraderSpec) -> str:
    return wanted_texts(spec) if isinstance(spec.value, list) else wanted_text(spec)


def _finish_reason(spec: GraderSpec, case: Case, answer: Answer) -> Verdict:
    if answer.finish is None:
        return Verdict(None, "it is not known why the model stopped")
    values = spec.value if isinstance(spec.value, list) else [spec.value]
    holds = common_name(answer.finish) in {common_name(plain(value)) for value in values}
    wanted = " or ".join(map(quoted, values))
    said = f"the model stopped by {quoted(answer.finish)}"
    return Verdict(float(holds), f"{said}, not {wanted}", said)


FINISH_REASON = Grader("finish-reason", _check, _finish_reason)
