"""``tool-called``, ``no-tool-called`` and ``tool-order``: which tools the agent called, how, and in which order."""

from __future__ import annotations

import msgspec

from agenttop.quality.answer import Answer, ToolCall
from agenttop.quality.case import Case, GraderSpec
from agenttop.quality.graders.base import Grader, Verdict, plain, quoted, wanted_texts
from agenttop.quality.graders.json_text import covers


def _name(spec: GraderSpec) -> object:
    return spec.options.get("name", spec.value)


def _called(answer: Answer) -> str:
    """Return the tools that were called, for a reason."""
    names = list(dict.fromkeys(call.name for call in answer.tools))
    return "called: " + ", ".join(names[:4]) + (", …" if len(names) > 4 else "") if names else "none was called"


def _arguments(call: ToolCall) -> object:
    """Return a call's arguments, decoded where they are a text of JSON."""
    if not isinstance(call.arguments, str):
        return call.arguments
    try:
        return msgspec.json.decode(call.arguments)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return call.arguments


def _check_called(spec: GraderSpec) -> str:
    if not isinstance(_name(spec), str) or not _name(spec):
        return 'tool-called needs the name of a tool, such as {"type": "tool-called", "name": "lookup_order"}'
    if "name" in spec.options and spec.value is not None:
        return "tool-called has a name and a value; write one of them"
    if not isinstance(spec.options.get("arguments", {}), dict):
        return "the arguments of tool-called are a table of those that matter"
    return ""


def _tool_called(spec: GraderSpec, case: Case, answer: Answer) -> Verdict:
    name = plain(_name(spec))
    calls = [call for call in answer.tools if call.name == name]
    if not calls:
        return Verdict(0.0, f"the tool {name} was not called ({_called(answer)})")
    wanted = spec.options.get("arguments")
    if wanted is None:
        return Verdict(1.0, "", f"the tool {name} was called")
    holds = any(covers(wanted, _arguments(call)) for call in calls)
    said = f"{name} was called with {quoted(_arguments(calls[-1]))}"
    return Verdict(float(holds), f"{said}, not {quoted(wanted)}", said)


def _check_none(spec: GraderSpec) -> str:
    if spec.value is None or (isinstance(spec.value, str) and spec.value):
        return ""
    return wanted_texts(spec)


def _no_tool_called(spec: GraderSpec, case: Case, answer: Answer) -> Verdict:
    forbidden = None if spec.value is None else [spec.value] if isinstance(spec.value, str) else spec.value
    calls = [call.name for call in answer.tools if forbidden is None or call.name in forbidden]
    missing = (
        "no tool was called" if forbidden is None else f"{quoted(', '.join(map(plain, forbidden)))} was not called"
    )
    return Verdict(float(not calls), f"the tool {calls[0] if calls else ''} was called", missing)


def _tool_order(spec: GraderSpec, case: Case, answer: Answer) -> Verdict:
    wanted = [plain(name) for name in spec.value]
    exact = spec.options.get("exact") is True
    called = [call.name for call in answer.tools]
    at = 0
    for name in called:
        if at < len(wanted) and name == wanted[at]:
            at += 1
    holds = called == wanted if exact else at == len(wanted)
    order = " → ".join(wanted)
    return Verdict(float(holds), f"tools were not called in the order {order} ({_called(answer)})", f"called: {order}")


TOOL_CALLED = Grader("tool-called", _check_called, _tool_called, frozenset({"name", "arguments"}), tools=True)
NO_TOOL_CALLED = Grader("no-tool-called", _check_none, _no_tool_called)
TOOL_ORDER = Grader("tool-order", wanted_texts, _tool_order, frozenset({"exact"}), tools=True)
