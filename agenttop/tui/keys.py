"""The keys, as data: what the bindings, the bottom line and the help screen are made of."""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True, slots=True)
class Key:
    """One thing to do. ``keys`` are Textual's names of the keys, ``shown`` is how they are written."""

    keys: str
    shown: str
    action: str
    help: str


@dataclass(frozen=True, slots=True)
class Group:
    """Keys under one heading of the help screen."""

    name: str
    keys: tuple[Key, ...]


LOAD = Group(
    "load",
    (
        Key("plus,w", "+ w", "app.users(1)", "one user more, or 1/s"),
        Key("minus,s", "- s", "app.users(-1)", "one user less"),
        Key("right_square_bracket,W", "] W", "app.users(10)", "ten more"),
        Key("left_square_bracket,S", "[ S", "app.users(-10)", "ten less"),
        Key("tab", "tab", "app.next_pool", "select the next pool"),
        Key("a", "a", "app.all_pools", "select all pools"),
        Key("r", "r", "app.release", "release: back to the plan"),
    ),
)
RUN = Group(
    "run",
    (
        Key("enter", "enter", "app.start", "start an armed run"),
        Key("h", "h", "app.hold", "hold the plan, or resume"),
        Key("n", "n", "app.next_stage", "next stage (asks)"),
        Key("e", "e", "app.edit", "edit the stages to come"),
        Key("p", "p", "app.pause", "pause new work, or resume"),
        Key("colon", ":", "app.prompt", "type an exact command"),
        Key("d", "d", "app.detach", "detach: the run goes on"),
        Key("q", "q", "app.ask_quit", "quit (asks)"),
    ),
)
SCREEN = Group(
    "screen",
    (
        Key("space", "space", "app.freeze", "freeze the screen; the load goes on"),
        Key("1,2,3,4,5,6,7", "1-7", "app.enlarge", "enlarge a pane; 7: phases by stage"),
        Key("escape", "esc", "app.back", "back"),
        Key("up,down,pageup,pagedown", "up down", "app.scroll", "scroll an enlarged pane (also page up, page down)"),
        Key("slash", "/", "app.filter", "filter the requests"),
        Key("o", "o", "app.order", "order of the requests table"),
        Key("question_mark", "?", "app.help", "this help"),
    ),
)
GROUPS = (LOAD, RUN, SCREEN)

#: The bottom line: keys as written there, what they do, and who gives way where it is narrow (the highest number).
FOOTER: tuple[tuple[str, str, int], ...] = (
    ("+ -", "users", 1),
    ("] [", "ten", 1),
    ("space", "freeze", 1),
    ("h", "hold", 2),
    ("n", "next", 2),
    ("p", "pause", 2),
    ("e", "edit", 3),
    ("r", "release", 6),
    ("tab", "pool", 5),
    (":", "command", 4),
    ("/", "filter", 4),
    ("o", "order", 6),
    ("1-7", "enlarge", 6),
    ("d", "detach", 5),
    ("?", "help", 0),
    ("q", "quit", 0),
)

#: Of these, what is offered to whoever only looks.
LOOKING = frozenset({"freeze", "filter", "order", "enlarge", "help", "quit"})


def bindings() -> list[Binding]:
    """Textual's bindings. An action for several keys that differ gets the key as its argument.

    They have priority, so that each key is done with before the next one is looked at: what is typed in one go after
    ``:`` must go to the prompt. While a prompt or a question has the focus they do not apply (``check_action``).
    """
    made = []
    for group in GROUPS:
        for key in group.keys:
            if key.action in ("app.enlarge", "app.scroll"):
                made += [
                    Binding(one, f"{key.action}('{one}')", key.help, show=False, priority=True)
                    for one in key.keys.split(",")
                ]
            else:
                made.append(Binding(key.keys, key.action, key.help, show=False, priority=True))
    return made
