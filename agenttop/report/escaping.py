"""Makes text of profiles and targets mean nothing but itself in the formats of files: Markdown, CSV, workflow commands.

A text is cleaned first (:func:`~agenttop.metrics.scope.clean_text`): one line, no control characters, bounded.
"""

from __future__ import annotations

from agenttop.metrics.scope import clean_text

_MARKDOWN = frozenset("\\`*_~|<>[]#&!@")
#: What a spreadsheet takes for the beginning of a formula (OWASP, CSV Injection); full-width forms too, which some
#: make plain.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
#: Workflow commands of GitHub Actions: what stands for these characters in the text of one, and further in its
#: properties.
_COMMAND = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {":": "%3A", ",": "%2C"}


def markdown(text: str) -> str:
    """Return text as Markdown that shows it as it is: no markup, link, mention or table of its own."""
    shown = "".join(f"\\{char}" if char in _MARKDOWN else char for char in clean_text(text))
    # GitHub makes links of bare addresses, too.
    return shown.replace("://", ":&#47;/").replace("www.", "www\\.")


def csv_text(text: str) -> str:
    """Return text as a cell that no spreadsheet takes for a formula: an apostrophe before what would begin one."""
    cleaned = clean_text(text)
    return f"'{cleaned}" if cleaned.startswith(_FORMULA) else cleaned


def command_text(text: str) -> str:
    """Return text for the message of a workflow command."""
    return "".join(_COMMAND.get(char, char) for char in clean_text(text))


def command_property(text: str) -> str:
    """Return text for a property of a workflow command, such as its title."""
    return "".join(_PROPERTY.get(char, char) for char in command_text(text))
