"""Parses text to a command, by the table in ``commands``."""

from __future__ import annotations

from collections.abc import Sequence

from agenttop.schedule.quantities import MAX_COMMAND, excerpt
from agenttop.steering.commands import COMMANDS
from agenttop.steering.reading import Command as Command
from agenttop.steering.reading import CommandError as CommandError


def parse_command(text: str) -> Command:
    """Return the command in a line of text.

    Raises:
        CommandError: it is none, or longer than :data:`MAX_COMMAND` characters; the message says what is allowed.
    """
    if len(text) > MAX_COMMAND:
        raise CommandError(too_long(len(text)))
    words = text.split(None, 1)
    form = COMMANDS.get(words[0]) if words else None
    if form is None:
        raise CommandError(f"unknown command {excerpt(text.strip())}; there are: {', '.join(COMMANDS)}")
    return form.read(form.word, form.rest, text.strip().removeprefix(form.word))


def too_long(length: int) -> str:
    """Return the error for a command of so many characters."""
    return f"a command has {MAX_COMMAND} characters at most; this one has {length}"


def split_run(words: Sequence[str]) -> tuple[str | None, str]:
    """Split words into the RUN that may stand before a command, and the command.

    A word that begins a command is no RUN unless such a word follows: ``hold users 5`` is for a run called ``hold``.
    """
    if words and words[0] in COMMANDS and (len(words) == 1 or words[1] not in COMMANDS):
        return None, " ".join(words)
    return (words[0] if words else None), " ".join(words[1:])
