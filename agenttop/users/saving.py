"""Saves what a step asks for of an answer in the user's variables."""

from __future__ import annotations

from agenttop.profile.checks import INVALID
from agenttop.users.answer import MAX_BODY, Answer
from agenttop.users.base import UserBase
from agenttop.users.compiled import CompiledStep

TOO_LONG = (
    f"answers of more than {MAX_BODY >> 20} MiB (or more of them at once than there is room for) are not read: "
    "a limit of agenttop, not a fault of theirs"
)


def save(user: UserBase, step: CompiledStep, answer: Answer) -> bool:
    """Save what the step asks for; return False if some of it is not there."""
    found = []
    for name, path in step.save:
        there, value = path.first(answer.json) if answer.json is not INVALID else (False, None)
        if not there or value is None or isinstance(value, dict | list):
            return False
        found.append((name, value))
    for name, header in step.save_headers:
        value = answer.headers.get(header)
        if not value:
            return False
        found.append((name, value))
    for name, value in found:
        user.variables[name] = value if isinstance(value, str) else _text(value)
    return True


def unsaved(step: CompiledStep, answer: Answer) -> str:
    """Return why :func:`save` did not find all of it."""
    if answer.cut and step.save:
        return TOO_LONG
    absent = [header for _, header in step.save_headers if not answer.headers.get(header)]
    if absent:
        return f"the answer has no header {absent[0]}"
    if answer.json is INVALID:
        return "the answer is no JSON"
    missing = [name for name, path in step.save if not path.first(answer.json)[0]]
    return f"the answer has no {missing[0]}" if missing else "it is no text or number"


def _text(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
