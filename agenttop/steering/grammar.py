"""The commands of the prompt as data: for help, completion and the hint while one is typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Form:
    """A command: its word, what may follow (``[…]`` may be left out), and what it does."""

    word: str
    rest: str
    help: str

    def __str__(self) -> str:
        return f"{self.word} {self.rest}".rstrip()


FORMS = (
    Form("users", "N|+N|-N [POOL]", "users of all pools, or of one"),
    Form("rate", "N [POOL]", "iterations per second"),
    Form("release", "[POOL]", "back to the plan"),
    Form("hold", "", "hold the plan's clock"),
    Form("resume", "", "end a hold or a pause"),
    Form("pause", "", "pause new work, or go on"),
    Form("next", "", "on to the next stage"),
    Form("plan", "STAGES|profile [POOL]", "other stages from now on, such as: rest, 2m 80, 5m step 80"),
    Form("think", "1s..3s|profile [POOL]", "pauses of users after a task"),
    Form("pacing", "10s [POOL]", "from the beginning of a task to that of the next"),
    Form("on_429", "count|honor|retry|profile [POOL]", "what users do about a 429"),
    Form("start", "", "begin an armed run"),
    Form("stop", "[now]", "end the run"),
    Form("status", "", "how the run stands"),
)


def completions(text: str, pools: Sequence[str]) -> list[str]:
    """What ``text`` may become by its last word, whole lines each, in order."""
    *before, last = text.split(" ")
    if not before:
        return [form.word for form in FORMS if form.word.startswith(last)]
    form = next((form for form in FORMS if form.word == before[0]), None)
    slots = form.rest.split() if form is not None else []
    typed_freely = form is not None and "STAGES" in form.rest and before[1:2] not in ([], ["profile"])
    if len(before) > len(slots) or typed_freely:
        return []
    slot = slots[len(before) - 1].strip("[]")
    words = pools if slot == "POOL" else [word for word in slot.split("|") if word.isalpha() and word.islower()]
    return [" ".join((*before, word)) for word in words if word.startswith(last)]


def hint(text: str) -> str:
    """What may be typed, given what has been."""
    word, space, _ = text.partition(" ")
    form = next((form for form in FORMS if form.word == word), None)
    if form is not None:
        return f"{form}: {form.help}"
    starting = [form.word for form in FORMS if form.word.startswith(word)]
    return " ".join(starting) if starting and not space else f"no command {word}; tab on an empty line goes through all"
