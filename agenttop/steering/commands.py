"""The commands that steer a run, the same from a key, a script or the prompt: one row each.

Parsing, completion, the prompt's hint, the help of the screen and of ``ctl``, and what a command does all come from
here. A new command is a row, and its effect where no effect there is does; a form that no command has yet is a function
in ``reading``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agenttop.steering import effects, reading
from agenttop.steering.effects import Change, Moment
from agenttop.steering.reading import Command


@dataclass(frozen=True, slots=True)
class Form:
    """One command."""

    word: str
    rest: str
    """Form of what follows the word: ``[…]`` may be left out, words in lower case are literal."""
    help: str
    """Its effect in words, in at most 40 characters."""
    read: Callable[[str, str, str], Command]
    """Makes the command of its word, its form and the text that follows; raises ``CommandError``."""
    effect: Callable[[Command, Moment], Change] | None = None
    """Its effect on the controls; None if the state machine of the run handles it (it begins or ends the run)."""

    def __str__(self) -> str:
        return f"{self.word} {self.rest}".rstrip()


#: By its word, in the order of help.
COMMANDS = {
    form.word: form
    for form in (
        Form("users", "N|+N|-N [POOL]", "users of all pools, or of one", reading.read_users, effects.set_users),
        Form("rate", "N [POOL]", "iterations per second", reading.read_rate, effects.set_rate),
        Form("release", "[POOL]", "back to the plan", reading.read_pool, effects.release),
        Form("hold", "", "hold the plan's clock", reading.read_nothing, effects.hold),
        Form("resume", "", "end a hold or a pause", reading.read_nothing, effects.resume),
        Form("pause", "", "pause new work, or go on", reading.read_nothing, effects.pause),
        Form("next", "", "on to the next stage", reading.read_nothing, effects.go_on),
        Form(
            "plan",
            "STAGES|profile [POOL]",
            "other stages: rest, 2m 80, 5m step 80",
            reading.read_plan,
            effects.edit_plan,
        ),
        Form(
            "think",
            "1s..3s|profile [POOL]",
            "pauses of users after a task",
            reading.read_think,
            effects.set_user_policy,
        ),
        Form("pacing", "10s [POOL]", "a task begins every so often", reading.read_pacing, effects.set_user_policy),
        Form(
            "on_429",
            "count|honor|retry|profile [POOL]",
            "what users do about a 429",
            reading.read_policy,
            effects.set_user_policy,
        ),
        Form("box", "NAME off|on", "leave a box of a fleet out, or not", reading.read_box),
        Form("start", "", "begin an armed run", reading.read_nothing),
        Form("stop", "[now]", "end the run", reading.read_now),
        Form("status", "", "how the run stands", reading.read_nothing),
    )
}
