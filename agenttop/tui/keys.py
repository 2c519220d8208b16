"""The keys as data, from which bindings, bottom line and help screen are made."""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True, slots=True)
class Key:
    """One key binding. ``keys`` are Textual's names of the keys, ``shown`` is how they are written. Where one key does
    this and that, ``named`` is the action of who chooses this one by name.
    """

    keys: str
    shown: str
    action: str
    help: str
    named: str = ""


#: What the panes of panes/table.py are enlarged by.
PANE_KEYS = "1,2,3,4,5,6,7,8,9,0,k,v,b,l,g,m"


#: The letter among them that every run has something for.
_STAGES = "k"


def _of_panes(*, always: bool) -> str:
    return ",".join(key for key in PANE_KEYS.split(",") if (key.isdigit() or key == _STAGES) == always)


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
        Key("enter", "enter", "app.enter", "start an armed run", "app.start"),
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
        Key("space", "space", "app.freeze", "freeze; the load goes on"),
        Key("left,right,shift+left,shift+right,home,end", "← →", "app.seek", "frozen: to another second"),
        Key(_of_panes(always=True), "1-9 0 k", "app.enlarge", "enlarge a pane, or back"),
        Key(_of_panes(always=False), "v b l g m", "app.enlarge", "and these, as titles say"),
        Key("escape", "esc", "app.back", "back; all requests"),
        Key("up,down,pageup,pagedown", "up down", "app.scroll", "scroll, or in 5 the row"),
        Key("enter", "enter", "app.enter", "5: this request alone", "app.choose_request"),
        Key("y", "y", "app.copy", "copy the pane as text"),
        Key("t", "t", "app.window", "trends of 1 m, 5 m or all"),
        Key("L", "L", "app.scale", "latency on a log axis"),
        Key("slash", "/", "app.filter", "filter the requests"),
        Key("o", "o", "app.order", "order of the requests"),
        Key("f", "f", "app.measure", "8: total or first token"),
        Key("ctrl+p", "ctrl+p", "app.palette", "go to anything by name"),
        Key("ctrl+l", "ctrl+l", "app.redraw", "draw the screen anew"),
        Key("question_mark", "?", "app.help", "help for what is shown"),
    ),
)
REPLAY = Group(
    "replay",
    (
        Key("space", "space", "app.freeze", "pause, or play"),
        Key("left,right", "← →", "app.seek", "a second back, or on"),
        Key("shift+left,shift+right", "shift ← →", "app.seek", "ten seconds"),
        Key("home,end", "home end", "app.seek", "to the beginning, to the end"),
        Key("x", "x", "app.speed", "speed: 1, 10, 60 times"),
        Key("tab", "tab", "app.next_pool", "select the next pool"),
        Key("q", "q", "app.ask_quit", "quit"),
    ),
)
GROUPS = (LOAD, RUN, SCREEN)
#: Keys of the same name mean something else in a replay, or nothing.
REPLAY_GROUPS = (
    REPLAY,
    Group("screen", tuple(key for key in SCREEN.keys if key.action not in ("app.freeze", "app.seek"))),
)

#: Actions that get the key as their argument.
WITH_KEY = ("app.enlarge", "app.scroll", "app.seek")

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
    ("t", "time", 4),
    ("o", "order", 6),
    ("1-9", "enlarge", 6),
    ("d", "detach", 5),
    ("ctrl+p", "go to", 6),
    ("?", "help", 0),
    ("q", "quit", 0),
)

#: Of these, what is offered to whoever only looks.
LOOKING = frozenset({"freeze", "filter", "order", "time", "enlarge", "go to", "help", "quit"})
#: And while a search sets the load itself.
SEARCHING = LOOKING | {"command", "detach"}

#: The same of a replay.
FOOTER_REPLAY: tuple[tuple[str, str, int], ...] = (
    ("space", "pause", 0),
    ("← →", "1s", 1),
    ("shift ← →", "10s", 2),
    ("home end", "ends", 4),
    ("x", "speed", 1),
    ("tab", "pool", 5),
    ("/", "filter", 4),
    ("o", "order", 6),
    ("t", "time", 4),
    ("1-9", "enlarge", 5),
    ("?", "help", 0),
    ("q", "quit", 0),
)


def bindings() -> list[Binding]:
    """Return Textual's bindings. An action for several keys that differ gets the key as its argument.

    They have priority, so that each key is done with before the next one is looked at: what is typed in one go after
    ``:`` must go to the prompt. While a prompt or a question has the focus they do not apply (``check_action``).
    """
    made = []
    once = [key for key in REPLAY.keys if key.keys not in ("space", "tab", "q")]
    for keys in (*(group.keys for group in GROUPS), once):
        for key in keys:
            if key.action in WITH_KEY:
                made += [
                    Binding(one, f"{key.action}('{one}')", key.help, show=False, priority=True)
                    for one in key.keys.split(",")
                ]
            else:
                made.append(Binding(key.keys, key.action, key.help, show=False, priority=True))
    return list({binding.key: binding for binding in made}.values())
