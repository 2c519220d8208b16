"""Takes out of a text what may be a secret, for ``agenttop hit``, and puts references in its place."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

#: Headers whose values are nobody's secret; every other may be one.
_OPEN = frozenset(
    {
        "accept", "accept-encoding", "accept-language", "anthropic-beta", "anthropic-version", "cache-control",
        "content-type", "host", "openai-beta", "origin", "pragma", "prefer", "referer", "user-agent",
    }
)  # fmt: skip
#: Names in a query or a form whose values may be.
_HIDDEN = re.compile(r"(?i)key|token|secret|passw|signature|^sig$|auth")
#: Names in JSON whose texts may be.
_HIDDEN_KEY = re.compile(r"(?i)(?:^|[_-]|api|access|private)key$|token$|secret|passw|credential|^authorization$")
_SCHEME = re.compile(r"(?i)(?:bearer|basic|token|apikey|digest)\s+(?=\S)")
REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$([A-Za-z_][A-Za-z0-9_]*)")


def plain(text: str) -> str:
    """Return text that holds no reference."""
    return text.replace("${", "$${")


def braces(text: str) -> str:
    """Return text without variables, for a place without references: the name of a key."""
    return text.replace("{", "{{").replace("}", "}}")


def template(text: str) -> str:
    """Return text without variables and references."""
    return plain(braces(text))


def _in_body(key: str) -> str:
    return f"the value of {json.dumps(key)[1:-1]} in the body"


def _is_secret(key: str, item: Any) -> bool:
    return isinstance(item, str) and item != "" and bool(_HIDDEN_KEY.search(key))


def _texts(value: Any) -> Iterator[tuple[str, str]]:
    """Yield the texts of JSON that may be secrets, with their names."""
    if isinstance(value, dict):
        for key, item in value.items():
            if _is_secret(key, item):
                yield key, item
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


class Hidden:
    """Takes what may be a secret out of texts."""

    def __init__(self, environment: Mapping[str, str], referred: Collection[str]) -> None:
        """Make it for an environment. ``referred`` are variables asked for by name, which must not become something
        else.
        """
        self._environment = environment
        self._referred = referred
        self.hidden: dict[str, str] = {}
        self.shown: list[str] = []

    def header(self, name: str, value: str) -> str:
        """Return the value of a header as the profile has it."""
        text, referred = self._references(value)
        if referred or name.lower() in _OPEN or not value:
            return text
        scheme = _SCHEME.match(value)
        kept = scheme[0] if scheme else ""
        return template(kept) + self._hide(name, value[len(kept) :], f"the value of the header {name}")

    def path(self, path: str, query: str) -> str:
        """Return a path with its query."""
        return template(path) + (f"?{self.pairs(query, 'the URL')}" if query else "")

    def of_table(self, table: Mapping[str, Any]) -> dict[str, str]:
        """Return references to the texts of JSON that may be secrets, by name."""
        return {key: self._hide(key, item, _in_body(key)) for key, item in table.items() if _is_secret(key, item)}

    def of_json(self, text: str, parsed: Any) -> str:
        """Return JSON that is sent as it was typed."""
        text = template(text)
        for key, value in _texts(parsed):
            for typed in dict.fromkeys((json.dumps(value, ensure_ascii=False), json.dumps(value))):
                spelled = template(typed)
                if spelled in text:
                    text = text.replace(spelled, f'"{self._hide(key, typed[1:-1], _in_body(key))}"')
        return text

    def pairs(self, text: str, where: str) -> str:
        """Return ``name=value&...`` of a query or a form."""
        pieces = []
        for piece in text.split("&"):
            name, equals, value = piece.partition("=")
            hidden = value and _HIDDEN.search(name)
            shown = self._hide(name, value, f"the value of {name} in {where}") if hidden else template(value)
            pieces.append(template(name) + equals + shown)
        return "&".join(pieces)

    def _hide(self, name: str, value: str, what: str) -> str:
        variable = re.sub(r"[^A-Za-z0-9]+", "_", name.upper()).strip("_") or "SECRET"
        if variable[0].isdigit() or variable.startswith("AGENTTOP_"):  # which would be a setting
            variable = f"_{variable}"
        while self._means_other(variable, value):
            variable += "_2"
        self.hidden[variable] = value
        self.shown.append(f"{what} is not in it: set {variable}")
        return f"${{{variable}}}"

    def _means_other(self, variable: str, value: str) -> bool:
        """Return whether something else already has this name."""
        known = self.hidden.get(variable, self._environment.get(variable))
        return variable in self._referred if known is None else known != value

    def _references(self, value: str) -> tuple[str, bool]:
        """Return the text, and whether it names a variable."""
        text, at, referred = "", 0, False
        for match in REFERENCE.finditer(value):
            name = match[1] or match[2]
            if match[1] or name in self._environment:
                text += template(value[at : match.start()]) + f"${{{name}}}"
                at, referred = match.end(), True
        return text + template(value[at:]), referred
