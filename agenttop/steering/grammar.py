"""Completes and explains commands while they are typed in the prompt."""

from __future__ import annotations

from collections.abc import Sequence

from agenttop.steering.commands import COMMANDS
from agenttop.steering.reading import PROFILE


def completions(text: str, pools: Sequence[str]) -> list[str]:
    """Return the whole lines that ``text`` can be completed to, in order."""
    *before, last = text.split(" ")
    if not before:
        return [word for word in COMMANDS if word.startswith(last)]
    form = COMMANDS.get(before[0])
    slots = form.rest.split() if form is not None else []
    typed_freely = form is not None and "STAGES" in form.rest and before[1:2] not in ([], [PROFILE])
    if len(before) > len(slots) or typed_freely:
        return []
    slot = slots[len(before) - 1].strip("[]")
    words = pools if slot == "POOL" else [word for word in slot.split("|") if word.isalpha() and word.islower()]
    return [" ".join((*before, word)) for word in words if word.startswith(last)]


def goes_on(text: str) -> bool:
    """Return whether something may follow ``text``, whose last word is whole."""
    word, *rest = text.split(" ")
    form = COMMANDS.get(word)
    if form is None:
        return False
    typed_freely = "STAGES" in form.rest and rest[:1] != [PROFILE]
    return typed_freely or len(rest) < len(form.rest.split())


def hint(text: str) -> str:
    """Return a hint for what was typed: the form of its command, or the commands that begin so."""
    word, space, _ = text.partition(" ")
    form = COMMANDS.get(word)
    if form is not None:
        return f"{form}: {form.help}"
    starting = [known for known in COMMANDS if known.startswith(word)]
    return " ".join(starting) if starting and not space else f"no command {word}; tab on an empty line goes through all"
