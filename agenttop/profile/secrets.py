"""Fills ``${NAME}`` in a profile from the environment when it is loaded, and hides it afterwards."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from agenttop.profile.problems import Fault, Loc

MASK = "***"
#: Keys below which texts are templates, where a brace out of the environment must stay a brace.
_TEMPLATES = frozenset(
    {"headers", "json", "body", "form", "query", "send", "connect", "get", "post", "put", "patch", "delete"}
)
_REFERENCE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{")
_UNCLOSED = re.compile(r"\$\$\{|\$\{")
_SHORT = 4


def read_environment(folder: Path, env: Mapping[str, str] | None) -> dict[str, str]:
    """Return the environment over the ``.env`` of a folder, if there is one.

    Raises:
        OSError: the ``.env`` cannot be read.
        UnicodeDecodeError: it is not UTF-8.
    """
    file = folder / ".env"
    values: dict[str, str] = {}
    if file.is_file():
        values = {name: value for name, value in dotenv_values(file, interpolate=False).items() if value is not None}
    return values | dict(os.environ if env is None else env)


class Filler:
    """Fills every reference of a tree, and keeps what may not be shown and what could not be filled."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.secrets: set[str] = set()
        self.used: dict[str, str] = {}
        """The variables that were filled in, by name."""
        self.references: list[tuple[Loc, str]] = []
        """Texts with references in them, as they were written."""
        self.faults: list[Fault] = []

    def fill(self, value: Any, loc: Loc = (), *, template: bool = False) -> tuple[Any, Any]:
        """Return a tree filled, and the same tree with ``***`` for every value of the environment."""
        if isinstance(value, dict):
            pairs = {
                key: self.fill(item, (*loc, key), template=template or key in _TEMPLATES) for key, item in value.items()
            }
            return {key: pair[0] for key, pair in pairs.items()}, {key: pair[1] for key, pair in pairs.items()}
        if isinstance(value, list):
            items = [self.fill(item, (*loc, index), template=template) for index, item in enumerate(value)]
            return [item[0] for item in items], [item[1] for item in items]
        if isinstance(value, str) and "${" in value:
            self.references.append((loc, value))
            return self._text(value, loc, template)
        return value, value

    def _text(self, text: str, loc: Loc, template: bool) -> tuple[str, str]:
        filled: list[str] = []
        masked: list[str] = []
        at = 0
        # Behind the last brace nothing is closed, and no reference need be looked for up to the end of the text.
        closed = text.rfind("}") + 1
        for match in chain(_REFERENCE.finditer(text, 0, closed), _UNCLOSED.finditer(text, closed)):
            literal = text[at : match.start()]
            filled.append(literal)
            masked.append(literal)
            at = match.end()
            if match[0] == "$${":
                plain, visible = "${", "${"
            elif match.re is _UNCLOSED or match[1] is None:
                self.faults.append(Fault(loc, "${ is never closed; write ${NAME}, or $${ for the text itself"))
                continue
            else:
                plain, visible = self._value(match[1], match[2], loc, template)
            filled.append(plain)
            masked.append(visible)
        return "".join((*filled, text[at:])), "".join((*masked, text[at:]))

    def _value(self, name: str, default: str | None, loc: Loc, template: bool) -> tuple[str, str]:
        value = self._environment.get(name)
        if value is None or (not value and default is not None):
            if default is None:
                remedy = f"set it, put it into .env beside the profile, or write ${{{name}:-default}}"
                self.faults.append(Fault(loc, f"the environment variable {name} is not set; {remedy}"))
                return MASK, MASK
            return default, default
        if not value:
            return "", ""
        self.secrets.add(value)
        self.used[name] = value
        return value.replace("{", "{{").replace("}", "}}") if template else value, MASK


def redact(text: str, secrets: Iterable[str]) -> str:
    """Return a text with every secret as ``***``; one of a few characters (a port, a number) only if it stands
    alone.
    """
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORT:
            text = text.replace(secret, MASK)
        elif secret:
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", lambda _: MASK, text)
    return text
