"""The colours and glyphs of the screen, chosen once at the start and handed to every pane.

A colour is never the only sign of anything: a word, a `!` or a place stands with it, so that ``PLAIN`` loses nothing.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from rich.color import Color, blend_rgb
from rich.style import Style

#: The screen's own background and foreground where there is 24-bit colour.
BACKGROUND = "#12151c"
FOREGROUND = "#c8d0dc"
#: The same for a terminal with a light background.
LIGHT_BACKGROUND = "#fbfbf8"
LIGHT_FOREGROUND = "#2f3540"
#: Part of its own colour that something lighter has.
LIGHTER = 0.55


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The drawing characters. ``blocks`` begins with the mark of exactly zero, and leaves air to the row above."""

    blocks: str
    area: str
    box: str
    """Corners clockwise from the top left, then horizontal and vertical."""
    dot: str
    now: str
    selected: str
    future: str
    manual: str
    arrow: str
    ellipsis: str
    stage: str
    bar: str
    down: str
    times: str
    again: str
    """Stands before the time until something is whole again."""
    arrows: str
    """The keys to the left and to the right."""
    mark: str
    """On a time axis: a manual change."""
    wanted: str
    """In a chart: the plan's target."""
    shades: str
    """Shades from nothing to all."""
    braille: bool
    told: tuple[tuple[str, str], ...] = ()
    """Characters of texts made outside the screen (events, answers), and what stands for them."""

    def tell(self, text: str) -> str:
        """Return such a text in these glyphs. What a target or a profile calls itself stays as it is."""
        for char, instead in self.told:
            text = text.replace(char, instead)
        return text


UNICODE = Glyphs(
    blocks="▁▂▃▄▅▆▇",
    area=" ▁▂▃▄▅▆▇█",
    box="╭╮╯╰─│",
    dot="●",
    now="▲",
    selected="▸",
    future="·",
    manual="━",
    arrow="→",
    ellipsis="…",
    stage="│",
    bar="━",
    down="▾",
    times="×",
    again="↻",
    arrows="← →",
    mark="┴",
    wanted="─",
    shades=" ░▒▓█",
    braille=True,
)
ASCII = Glyphs(
    blocks="_.:-=+*#",
    area=" ..::==##",
    box="++++-|",
    dot="*",
    now="^",
    selected=">",
    future=".",
    manual="=",
    arrow="->",
    ellipsis="~",
    stage="|",
    bar="=",
    down="v",
    times="x",
    again="in",
    arrows="left right",
    mark="|",
    wanted="-",
    shades=" .+%#",
    braille=False,
    told=(
        ("→", "->"),
        ("…", "~"),
        ("×", "x"),
        ("≥", ">="),
        ("≤", "<="),
        ("±", "+/-"),
        ("–", "-"),
        ("—", "-"),
        ("·", "-"),
        ("µ", "u"),
        ("σ", "sigma"),
        ("κ", "kappa"),
        ("\u202f", " "),
        ("\xa0", " "),
        ("“", '"'),
        ("”", '"'),
        ("’", "'"),
    ),
)


@dataclass(frozen=True, slots=True)
class Look:
    """Styles by what they mean, and the glyphs."""

    glyphs: Glyphs
    text: Style
    strong: Style
    dim: Style
    """For labels and units."""
    faint: Style
    """For boxes, rules and what is yet to come."""
    load: Style
    """For users and rates: the load on the target."""
    ttft: Style
    total: Style
    low: Style
    middle: Style
    high: Style
    """p50, p95 and p99 in a chart of all three."""
    good: Style
    warn: Style
    bad: Style
    key: Style
    badge: Style
    cursor: Style
    ground: str | None = None
    """The colour behind everything, where it is known."""

    def lighter(self, style: Style) -> Style:
        """Return a style for what is of too few samples: nearer to the ground."""
        if self.ground is None or style.color is None:
            return style + Style(dim=True)
        front, back = style.color.get_truecolor(), Color.parse(self.ground).get_truecolor()
        mixed = Color.from_triplet(blend_rgb(back, front, LIGHTER))
        return style + Style.from_color(mixed)


def _look(glyphs: Glyphs, ground: str | None = None, **colours: str) -> Look:
    styles = {name: Style.parse(colour) for name, colour in colours.items()}
    return Look(glyphs, cursor=Style(reverse=True), ground=ground, **styles)


RGB = _look(
    UNICODE,
    BACKGROUND,
    text=FOREGROUND,
    strong="bold #eef2f8",
    dim="#8a94a6",
    faint="#465064",
    load="#7fb4f5",
    ttft="#6fd3c3",
    total="#b9a3f5",
    low="#6d8fc4",
    middle="#e3c078",
    high="#ee8f7a",
    good="#8fce8b",
    warn="bold #f0b95e",
    bad="bold #f4777f",
    key="bold #a8c7f0",
    badge=f"bold {BACKGROUND} on #f0b95e",
)
LIGHT = _look(
    UNICODE,
    LIGHT_BACKGROUND,
    text=LIGHT_FOREGROUND,
    strong="bold #0c1017",
    dim="#5d6675",
    faint="#b6bdc9",
    load="#2f74c9",
    ttft="#0d8272",
    total="#7350c7",
    low="#4e72ad",
    middle="#9c6c00",
    high="#c4472f",
    good="#2c7d33",
    warn="bold #a15c00",
    bad="bold #c01f30",
    key="bold #1d539f",
    badge=f"bold {LIGHT_BACKGROUND} on #a15c00",
)
ANSI = _look(
    UNICODE,
    text="default",
    strong="bold",
    dim="default",
    faint="bright_black",
    load="blue",
    ttft="cyan",
    total="magenta",
    low="blue",
    middle="yellow",
    high="red",
    good="green",
    warn="bold yellow",
    bad="bold red",
    key="bold",
    badge="reverse bold",
)
#: Yellow is not to be read on white.
ANSI_LIGHT = dataclasses.replace(ANSI, middle=Style.parse("magenta"), warn=Style.parse("bold magenta"))
PLAIN = _look(
    UNICODE,
    **dict.fromkeys(("text", "dim", "faint", "load", "ttft", "total", "low", "middle", "high", "good"), "none"),
    **dict.fromkeys(("strong", "warn", "bad", "key"), "bold"),
    badge="reverse bold",
)


def choose(*, ascii: bool = False, ansi: bool = False, no_color: bool = False, light: bool = False) -> Look:
    """Return the look for a terminal; ``light`` for one with a light background."""
    look = PLAIN if no_color else (ANSI_LIGHT if light else ANSI) if ansi else LIGHT if light else RGB
    return dataclasses.replace(look, glyphs=ASCII) if ascii else look
