"""Edits the stages to come in a table; nothing is applied before it is confirmed."""

from __future__ import annotations

from collections.abc import Callable

from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.screen import Screen

from agenttop.schedule.quantities import clock
from agenttop.tui.editing import DURATION, HOW, NAME, TARGET, Draft, Problem
from agenttop.tui.text import Line, clean, count, fit
from agenttop.tui.view import View
from agenttop.tui.widgets.box import rule
from agenttop.tui.widgets.chart import area, peak
from agenttop.tui.widgets.compositor import CellCompositor
from agenttop.tui.widgets.pane import Pane

#: Where the columns begin, and how wide their cells are.
PLACES = {DURATION: 6, TARGET: 26, HOW: 40, NAME: 51}
WIDTHS = {DURATION: 16, TARGET: 10, HOW: 8}
#: Rows of the picture of what will be, and what stands around the table.
CHART = 4
AROUND = 6

KEYS = (("arrows", "cell"), ("type", "change"), ("^N", "add"), ("^D", "delete"), ("enter", "apply"), ("esc", "leave"))


class EditScreen(Screen[None], inherit_bindings=False):
    """Edits a draft. ``send`` gets the command once it is confirmed; :meth:`answered` brings the reply."""

    def __init__(self, view: View, draft: Draft, send: Callable[[str], None]) -> None:
        super().__init__()
        self._compositor = CellCompositor()
        self._view = view
        self.draft = draft
        self._send = send
        self._asking = False
        self._sent = False
        self._answer = ""

    def compose(self) -> ComposeResult:
        yield Pane(self._draw, id="edit")

    def on_mount(self) -> None:
        self._show()

    def show(self, view: View) -> None:
        """Take the newest view of the run."""
        self._view = view
        stages = tuple(stage for stage in view.plan_of(self.draft.pool))
        self.draft = self.draft.follow(stages, view.snap.plan_t_s)
        self._show()

    def answered(self, text: str, ok: bool) -> None:
        """Take the reply to the command."""
        if not self._sent:
            return
        if ok:
            self.dismiss()
        else:
            self._sent, self._answer = False, f"rejected: {text}"
            self._show()

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        if self._sent:
            return
        self._answer = ""
        if self._asking:
            self._asking = False
            if event.key in ("enter", "y"):
                self._sent = True
                self._send(self.draft.command())
        elif event.key == "escape":
            self.dismiss()
            return
        elif event.key == "enter":
            problem = self.draft.problem()
            self._asking = problem is None
        else:
            self.draft = _pressed(self.draft, event)
        self._show()

    def _show(self) -> None:
        self.query_one(Pane).show(self._view)

    # -- what it looks like

    def _draw(self, view: View, width: int, height: int) -> list[Line]:
        look, draft = view.look, self.draft
        problem = draft.problem()
        whose = f"the plan of {clean(draft.pool)}" if draft.pool is not None else "the plan"
        leave = Line().add("esc", look.key).add(" leaves all as it is", look.dim)
        lines = [rule(look, width, Line().add(f"edit {whose}: what is to come", look.strong), leave)]
        lines.append(self._now(view))
        head = Line().to(PLACES[DURATION]).add("duration", look.dim).to(PLACES[TARGET])
        head.add("users" if draft.unit == "users" else "rate /s", look.dim)
        lines.append(head.to(PLACES[HOW]).add("how", look.dim).to(PLACES[NAME]).add("name", look.dim))
        spare = height - AROUND - len(draft.rows)
        least = CHART if height >= AROUND + CHART + 4 else 0
        chart = max(least, min(spare // 2, 3 * CHART))
        room = max(1, height - AROUND - chart)
        first = max(0, min(draft.row - room + 1, len(draft.rows) - room))
        lines += [self._row(view, number, problem) for number in range(first, min(first + room, len(draft.rows)))]
        lines += [Line()] * (height - 3 - chart - len(lines))
        lines += self._chart(view, width, chart, problem)
        return [*lines, *self._foot(view, width, problem)]

    def _now(self, view: View) -> Line:
        look, draft, snap = view.look, self.draft, view.snap
        line = Line().add("  now ", look.dim).add(f"{count(draft.now)} {draft.words}", look.text)
        line.add("  plan ", look.dim).add(clock(snap.plan_t_s), look.text)
        if draft.stage is not None:
            line.add("  stage ", look.dim).add(clean(draft.stage.name), look.text)
        word = "HELD" if snap.held else "PAUSED" if snap.paused else "ARMED" if snap.state == "armed" else ""
        if snap.manual:
            line.add("  ! set by hand until released", look.warn)
        return line.add(f"  {word}" if word else "", look.warn)

    def _row(self, view: View, number: int, problem: Problem | None) -> Line:
        look, draft = view.look, self.draft
        cells, here = draft.rows[number], number == draft.row
        line = Line().add(f" {look.glyphs.selected if here else ' '} ", look.strong).add(f"{number + 1}", look.dim)
        rest = f"rest ({clock(draft.left_s)})" if cells.duration == "rest" else cells.duration
        shown = draft.shown_name(number)
        texts = {DURATION: rest, TARGET: cells.target, HOW: "step" if cells.step else "linear", NAME: clean(shown)}
        for column, text in texts.items():
            wrong = problem is not None and (problem.row, problem.column) == (number, column)
            plain = look.dim if column == NAME and not cells.name else look.text
            self._cell(view, line.to(PLACES[column] - 1), column, text, at=here and column == draft.column,
                       style=look.bad if wrong else plain, wrong=wrong)  # fmt: skip
        return line

    def _cell(self, view: View, line: Line, column: int, text: str, *, at: bool, style: Style, wrong: bool) -> None:
        look = view.look
        if column in WIDTHS:
            text = fit(text, WIDTHS[column], look.glyphs.ellipsis)
        if at:
            line.add("[", look.strong).add(text or " ", look.badge).add("]", look.strong)
        else:
            line.add("!" if wrong else " ", look.bad).add(text, style)

    def _chart(self, view: View, width: int, rows: int, problem: Problem | None) -> list[Line]:
        look = view.look
        if not rows:
            return []
        values: list[float | None] = [*self.draft.course(max(1, width - 9))] if problem is None else []
        top = peak(values)
        lines = []
        for index, text in enumerate(area(values, rows, top, look.glyphs)):
            label = count(top) if index == 0 and values else "0" if index == rows - 1 and values else ""
            lines.append(Line().right(label, 6, look.dim).to(7).add(text, look.load))
        return lines

    def _foot(self, view: View, width: int, problem: Problem | None) -> list[Line]:
        look, draft = view.look, self.draft
        said = Line().add("  ")
        if self._answer:
            said.add(f"! {fit(look.glyphs.tell(clean(self._answer)), width - 4, look.glyphs.ellipsis)}", look.bad)
        elif problem is not None:
            said.add(
                f"! row {problem.row + 1}: {fit(look.glyphs.tell(problem.text), width - 14, look.glyphs.ellipsis)}",
                look.bad,
            )
        elif draft.note:
            said.add(f"! {fit(look.glyphs.tell(clean(draft.note)), width - 4, look.glyphs.ellipsis)}", look.warn)
        else:
            end = view.snap.plan_t_s + draft.lasts_s
            said.add(f"ends at {clock(end)}, {clock(draft.lasts_s)} from now", look.dim)
        keys = Line().add(" ")
        if self._asking:
            keys.add("apply this from now on?", look.warn)
            keys.add("  enter", look.key).add(" yes", look.dim).add("  any other key", look.key).add(" no", look.dim)
        elif self._sent:
            keys.add("sent", look.dim)
        else:
            for key, what in KEYS:
                keys.add(f" {key}", look.key).add(f" {what} ", look.dim)
        return [said, rule(look, width), keys]


_MOVES = {
    "up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1), "tab": (0, 1), "shift+tab": (0, -1),
    "pageup": (-10, 0), "pagedown": (10, 0), "home": (0, -3), "end": (0, 3),
}  # fmt: skip


def _pressed(draft: Draft, event: events.Key) -> Draft:
    if event.key in _MOVES:
        return draft.move(*_MOVES[event.key])
    if event.key in ("ctrl+n", "insert"):
        return draft.add()
    if event.key in ("ctrl+d", "delete"):
        return draft.delete()
    if event.key == "backspace":
        return draft.erase()
    if event.is_printable and event.character is not None:
        return draft.typed(event.character)
    return draft
