"""``number``: a number in the answer is the value, within a tolerance.

``tolerance`` is absolute (0.5) or relative to the value (``"5%"``); ``which`` says which number of the text counts:
``any`` (the default), ``first`` or ``last``.
"""

from __future__ import annotations

import re

from agenttop.quality.answer import Answer
from agenttop.quality.case import Case, GraderSpec
from agenttop.quality.graders.base import Grader, Verdict, is_number

#: Digits with or without separators of thousands; a minus only where no digit or letter is before it (``12-14``).
_NUMBER = re.compile(
    r"(?:(?<!\w)[-−])?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d{1,300})(?:\.\d{1,300})?(?:[eE][-+]?\d{1,2}(?!\w))?"
)
_PERCENT = re.compile(r"\s*(\d{1,6}(?:\.\d{1,6})?)\s*%\s*")
WHICH = ("any", "first", "last")


def numbers_in(text: str) -> list[float]:
    """Return the numbers of a text, in order: ``1,234.50`` is one, ``12-14`` are two."""
    return [float(found.replace(",", "").replace("−", "-")) for found in _NUMBER.findall(text)]


def margin_of(tolerance: object, value: float) -> float | None:
    """Return a tolerance as what a number may be off by; None if it is none."""
    if is_number(tolerance):
        return float(tolerance)  # type: ignore[arg-type]  # a number, as was asked
    match = _PERCENT.fullmatch(tolerance) if isinstance(tolerance, str) else None
    return abs(value) * float(match[1]) / 100 if match else None


def _value(spec: GraderSpec) -> float | None:
    if is_number(spec.value, float("-inf")):
        return float(spec.value)
    try:
        return float(spec.value.replace(",", "")) if isinstance(spec.value, str) and len(spec.value) < 40 else None
    except ValueError:
        return None


def _check(spec: GraderSpec) -> str:
    value = _value(spec)
    if value is None or not abs(value) < float("inf"):
        return "number needs a value that is a number"
    if margin_of(spec.options.get("tolerance", 0), value) is None:
        return 'the tolerance of number is a number such as 0.5, or a share of the value such as "5%"'
    if spec.options.get("which", "any") not in WHICH:
        return f"which of number is one of {', '.join(WHICH)}"
    return ""


def _number(spec: GraderSpec, case: Case, answer: Answer) -> Verdict:
    value = _value(spec) or 0.0
    margin = (margin_of(spec.options.get("tolerance", 0), value) or 0.0) + 1e-9 * max(1.0, abs(value))
    found = numbers_in(answer.text)
    if not found:
        return Verdict(0.0, "no number in the answer")
    which = spec.options.get("which", "any")
    looked = found if which == "any" else [found[0]] if which == "first" else [found[-1]]
    near = min(looked, key=lambda number: abs(number - value))
    said = f"the nearest is {near:g}" if which == "any" else f"the {which} is {near:g}"
    return Verdict(
        float(abs(near - value) <= margin), f"no {value:g} in the answer: {said}", f"{near:g} is in the answer"
    )


NUMBER = Grader("number", _check, _number, frozenset({"tolerance", "which"}))
