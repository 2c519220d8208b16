"""Textual's own colours, which show where no pane has drawn: those of :mod:`agenttop.tui.look`."""

from __future__ import annotations

from textual.theme import Theme

from agenttop.tui import look as looks


def _theme(name: str, background: str, foreground: str, *, dark: bool) -> Theme:
    return Theme(
        name=name,
        primary=foreground,
        background=background,
        surface=background,
        panel=background,
        foreground=foreground,
        dark=dark,
    )


#: Of terminals with a dark background, and with a light one.
THEMES = {
    False: _theme("agenttop", looks.BACKGROUND, looks.FOREGROUND, dark=True),
    True: _theme("agenttop-light", looks.LIGHT_BACKGROUND, looks.LIGHT_FOREGROUND, dark=False),
}
