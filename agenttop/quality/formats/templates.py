"""promptfoo's templates, as far as they are names: ``{{city}}``, ``{{order.id}}``, ``{{items[0]}}``.

Filters, conditions and loops of nunjucks are refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from agenttop.expressions.nearest import nearest
from agenttop.quality.graders.base import plain

_TAG = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_]\w*(?:\.\w+|\[\d+\])*")
_PART = re.compile(r"\w+")
#: Rounds of variables that name variables.
_ROUNDS = 4
#: Characters that a text may grow to: variables that name each other twice grow without end.
MAX_FILLED = 1_000_000


class TemplateError(ValueError):
    """The text cannot be filled in; the message says why."""


def fill(text: str, variables: Mapping[str, Any]) -> str:
    """Return a text with its variables filled in; variables may name others.

    Raises:
        TemplateError: it is more than names, or names what is not there.
    """
    for _ in range(_ROUNDS):
        if "{{" not in text and "{%" not in text:
            break
        if "{%" in text:
            raise TemplateError("conditions and loops of templates ({% … %}) are not read; write the text out")
        text = _TAG.sub(lambda found: _value(found[1], variables), text)
        if len(text) > MAX_FILLED:
            raise TemplateError(f"filled in, the text is longer than {MAX_FILLED:,} characters")
    else:
        left = _TAG.search(text)
        if left is not None:
            raise TemplateError(f"there is no end to {left[0]}, which names itself")
    return text


def filled(value: Any, variables: Mapping[str, Any]) -> Any:
    """Return a value with the variables filled in in all of its texts.

    Raises:
        TemplateError: as :func:`fill`.
    """
    if isinstance(value, str):
        return fill(value, variables)
    if isinstance(value, list):
        return [filled(one, variables) for one in value]
    if isinstance(value, dict):
        return {key: filled(one, variables) for key, one in value.items()}
    return value


def _value(name: str, variables: Mapping[str, Any]) -> str:
    if not _NAME.fullmatch(name):
        raise TemplateError(f"the template {{{{{name}}}}} is more than a name; write it out")
    first, *rest = _PART.findall(name)
    if first == "env" and first not in variables:
        raise TemplateError(f"the environment is not read: {{{{{name}}}}}; write it out")
    if first not in variables:
        raise TemplateError(f'there is no variable "{first}"{nearest(first, variables)}')
    value = variables[first]
    for part in rest:
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, TypeError, ValueError):
            raise TemplateError(f'{{{{{name}}}}}: there is no "{part}" in it') from None
    return plain(value)
