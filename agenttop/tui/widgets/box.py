"""Draws boxes and rules around lines as text, so that a title may change without a repaint of what is below."""

from __future__ import annotations

from rich.cells import cell_len
from rich.style import Style

from agenttop.tui.look import Look
from agenttop.tui.text import NONE, Line, cut, fit, join

#: Of fewer cells a label says nothing.
_LEAST_LABEL = 8


def rule(look: Look, width: int, left: Line | None = None, right: Line | None = None, key: str = "") -> Line:
    """Return ``─ left ─────────── right ─``, with the key that enlarges a pane in the first cell."""
    dash = look.glyphs.box[4]
    line = Line().add(key, look.key) if key else Line().add(dash, look.faint)
    if left is not None and left.width:
        line.add(" ").extend(left).add(" ")
    tail = Line()
    if right is not None and right.width:
        tail.add(" ").extend(right).add(" ")
    tail.add(dash, look.faint)
    return _between(line, tail, dash, look, width)


def boxed(look: Look, width: int, height: int, title: Line, right: Line | None, body: list[Line]) -> list[Line]:
    """Return ``body`` in a box of ``width`` by ``height`` cells; the body has width - 4 cells a line."""
    corners = look.glyphs.box
    head = Line().add(corners[0] + corners[4], look.faint).add(" ").extend(title).add(" ")
    tail = Line()
    if right is not None and right.width:
        tail.add(" ").extend(right).add(" ")
    tail.add(corners[4] + corners[1], look.faint)
    lines = [_between(head, tail, corners[4], look, width)]
    for row in range(height - 2):
        line = Line().add(corners[5], look.faint).add(" ")
        if row < len(body):
            line.extend(join(body[row], Line(), width - 4) if body[row].width > width - 4 else body[row])
        lines.append(line.to(width - 2).add(" ").add(corners[5], look.faint))
    lines.append(Line().add(corners[3] + corners[4] * (width - 2) + corners[2], look.faint))
    return lines


def labelled(look: Look, line: Line, label: str, style: Style) -> Line:
    """Return the first line of a box, or a rule, with a label after its title, as much of it as there is room for; any
    other line as it is.
    """
    dash, ellipsis = look.glyphs.box[4], look.glyphs.ellipsis
    stretch = max(
        (part for part in line.parts if set(part.text) == {dash}), key=lambda part: len(part.text), default=None
    )
    if stretch is None or " " not in str(line) or (room := len(stretch.text) - 4) < min(_LEAST_LABEL, cell_len(label)):
        return line
    found = Line()
    for part in line.parts:
        if part is not stretch:
            found.add(part.text, part.style or NONE)
            continue
        text = cut(label, room, ellipsis)
        found.add(f"{dash} ", look.faint).add(text, style)
        found.add(f" {dash * (len(stretch.text) - cell_len(text) - 3)}", look.faint)
    return found


def title(look: Look, text: str, key: str = "") -> Line:
    """Return a pane's name, with the key that enlarges it."""
    line = Line()
    if key:
        line.add(f"{key} ", look.key)
    return line.add(fit(text, 40), look.strong)


def _between(left: Line, right: Line, dash: str, look: Look, width: int) -> Line:
    if left.width + right.width > width:
        return join(left, right, width)
    return left.add(dash * (width - left.width - right.width), look.faint).extend(right)
