"""What is copied of the screen, as plain text.

It goes to the clipboard by OSC 52 (xterm's control sequences, "Manipulate Selection Data"): a sequence in the output,
so that it reaches the terminal in front of whoever looks, over SSH as well. Nobody answers it: a terminal may refuse
it, and tmux passes it on only with ``set -g set-clipboard on``. What is drawn has its secrets taken out already.
"""

from __future__ import annotations

import dataclasses

from agenttop.tui.panes.table import TITLED, Entry
from agenttop.tui.view import View

#: Bytes of UTF-8 that are copied at most: many terminals take no more than 74 994 of base64.
MOST = 56_000


def text_of(entry: Entry, view: View, width: int, height: int) -> str:
    """Return an enlarged pane as it is drawn; of a list all of it, also what has no room on the screen."""
    if (lines := entry.scrolls(view, width)) + TITLED > height:
        view, height = dataclasses.replace(view, scroll=0), lines + TITLED
    return "\n".join(str(line).rstrip() for line in entry.full(view, width, height)[:height]) + "\n"


def cut(text: str, most: int = MOST) -> tuple[str, str]:
    """Return as many whole lines of a text as are copied, and what is to be said of it."""
    whole, kept, size = text.splitlines(keepends=True), 0, 0
    for line in whole:
        size += len(line.encode())
        if size > most:
            break
        kept += 1
    of = f"{kept}" if kept == len(whole) else f"the first {kept} of {len(whole)}"
    return "".join(whole[:kept]), f"{of} lines, to the terminal's clipboard (OSC 52)"
