"""The stages to come as a table that is being edited: values, and what keys do to them. No screen in here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agenttop.metrics.snapshot import StageInfo
from agenttop.schedule.quantities import MAX_NAME, format_duration, format_number
from agenttop.schedule.stages import stage_name
from agenttop.steering.plantext import MAX_ROWS, REST, Row, format_plan, parse_length, parse_target
from agenttop.tui.view import planned

DURATION, TARGET, HOW, NAME = range(4)


@dataclass(frozen=True, slots=True)
class Cells:
    """One row as it is typed."""

    duration: str
    target: str
    step: bool = False
    name: str = ""
    origin: int | None = None
    """Index of the stage it stands for; None for one that was added."""
    touched: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """What keeps the table from being applied, and its place."""

    row: int
    column: int
    text: str


@dataclass(frozen=True, slots=True)
class Draft:
    """The table, with its cursor. Every change is another draft."""

    rows: tuple[Cells, ...]
    unit: str
    """``users`` or ``rate``."""
    pool: str | None
    """The pool whose stages these are; None for the run's."""
    stage: StageInfo | None
    """The stage that is under way; None if none is."""
    left_s: float
    """Seconds until it ends."""
    now: float
    """The plan's present target."""
    row: int = 0
    column: int = 0
    fresh: bool = True
    """The next letter replaces what stands in the cell."""
    note: str = ""

    # -- what keys do

    def move(self, rows: int, columns: int) -> Draft:
        """Return the draft with the cursor moved, within the table."""
        row = max(0, min(self.row + rows, len(self.rows) - 1))
        column = max(0, min(self.column + columns, NAME))
        return replace(self, row=row, column=column, fresh=True)

    def typed(self, letter: str) -> Draft:
        """Return the draft with a letter typed in the cell. Between linear and step, ``l``, ``s`` and space choose."""
        if not self.rows:
            return self
        cells = self.rows[self.row]
        if self.column == HOW:
            how = {" ": not cells.step, "s": True, "l": False}.get(letter)
            return self if how is None else self._put(replace(cells, step=how))
        text = letter if self.fresh else self._text + letter
        if self.column != NAME:
            text = text.replace(" ", "")
        return self._write(text[:MAX_NAME])

    def erase(self) -> Draft:
        """Return the draft without the last letter of the cell."""
        return self._write(self._text[:-1]) if self.rows and self.column != HOW else self

    def add(self) -> Draft:
        """Return the draft with a row below the cursor's, which stays at the target of the one above."""
        if len(self.rows) >= MAX_ROWS:
            return self
        target = self.rows[self.row].target if self.rows else format_number(self.now)
        at = min(self.row + 1, len(self.rows))
        rows = (*self.rows[:at], Cells("1m", target, touched=True), *self.rows[at:])
        return replace(self, rows=rows, row=at, column=DURATION, fresh=True)

    def delete(self) -> Draft:
        """Return the draft without the cursor's row."""
        rows = (*self.rows[: self.row], *self.rows[self.row + 1 :])
        return replace(self, rows=rows, row=max(0, min(self.row, len(rows) - 1)), fresh=True)

    @property
    def _text(self) -> str:
        cells = self.rows[self.row]
        return (cells.duration, cells.target, "", cells.name)[self.column]

    def _write(self, text: str) -> Draft:
        field = ("duration", "target", "", "name")[self.column]
        changes: dict[str, str] = {field: text}
        return replace(self._put(replace(self.rows[self.row], **changes)), fresh=False)  # type: ignore[arg-type]

    def _put(self, cells: Cells) -> Draft:
        rows = (*self.rows[: self.row], replace(cells, touched=True), *self.rows[self.row + 1 :])
        return replace(self, rows=rows)

    # -- what time does

    def follow(self, stages: Sequence[StageInfo], plan_t_s: float) -> Draft:
        """Return the draft as the run has gone on. Untouched rows go with their stages; the next one becomes
        the rest.
        """
        stage = under_way(stages, plan_t_s)
        draft = replace(
            self, stage=stage, left_s=_left(stage, plan_t_s), now=planned(tuple(stages), plan_t_s) or self.now
        )
        if stage == self.stage or (stage is not None and self.stage is not None and stage.index == self.stage.index):
            return draft
        to_come = {s.index for s in stages if s.end_s > plan_t_s}
        rows, note = list(self.rows), self.note
        while rows and not rows[0].touched and rows[0].origin not in to_come:
            note = f"{rows.pop(0).name or 'a stage'} is over: its row is gone"
        if rows and not rows[0].touched and stage is not None and rows[0].origin == stage.index:
            rows[0] = replace(rows[0], duration=REST)
        row = max(0, self.row - (len(self.rows) - len(rows)))
        return replace(draft, rows=tuple(rows), row=row, fresh=True, note=note)

    # -- what it amounts to

    def problem(self) -> Problem | None:
        """Return the first fault, and what to do about it; None if there is none."""
        if not self.rows:
            return Problem(0, 0, "no stage is left: ^N adds one")
        for number, cells in enumerate(self.rows):
            text = self._wrong_duration(number, cells)
            if text:
                return Problem(number, DURATION, text)
            value = parse_target(cells.target)
            if value is None:
                return Problem(number, TARGET, f"{cells.target!r} is no target: type a number of {self.words}")
            if self.unit == "users" and value != round(value):
                return Problem(number, TARGET, f"users are whole; {cells.target} is not")
            if cells.name and not (cells.name.isprintable() and cells.name == cells.name.strip()):
                return Problem(number, NAME, "a name neither begins nor ends with a space")
        if self.lasts_s <= 0:
            return Problem(0, DURATION, "these stages take no time: type a duration above 0s")
        return None

    def _wrong_duration(self, number: int, cells: Cells) -> str:
        if cells.duration == REST:
            if number:
                return "rest is what is left of the stage under way, and can only come first"
            if self.stage is None or (cells.origin is not None and cells.origin != self.stage.index):
                return "the stage it was the rest of is over: type a duration, or ^D deletes the row"
            return ""
        if parse_length(cells.duration) is None:
            return f"{cells.duration!r} is no duration: type one such as 30s, 5m or 1h30m"
        return ""

    @property
    def words(self) -> str:
        """Return what its targets are."""
        return "users" if self.unit == "users" else "iterations per second"

    @property
    def lasts_s(self) -> float:
        """Return the seconds until the last row ends; rows with faults take no time."""
        return sum(self._seconds(cells) for cells in self.rows)

    def command(self) -> str:
        """Return the command that applies it. Only if there is no problem."""
        rows = []
        for cells in self.rows:
            target, per_s = parse_target(cells.target), self.unit == "rate"
            if cells.duration == REST:
                # The stage is named, so that it is not another one's rest if this one ends right now.
                guard = bare_name(self.stage) if self.stage is not None else ""
                guard = guard if guard.isprintable() and len(guard) <= MAX_NAME else ""
                rows.append(
                    Row(None, target, cells.step, guard, per_s) if cells.touched else Row(None, None, name=guard)
                )
            else:
                rows.append(Row(parse_length(cells.duration), target, cells.step, cells.name, per_s))
        return f"plan {format_plan(rows)}{f' {self.pool}' if self.pool is not None else ''}"

    def course(self, points: int) -> list[float]:
        """Return the target at so many moments from now to the end; rows with faults are left out."""
        values: list[float] = []
        lasts, begin, before = self.lasts_s, 0.0, self.now
        moments = [(point + 0.5) * lasts / points for point in range(points)]
        for cells in self.rows:
            seconds, target = self._seconds(cells), parse_target(cells.target)
            if target is None:
                continue
            for at in moments[len(values) :]:
                if at >= begin + seconds:
                    break
                share = 1.0 if cells.step else (at - begin) / seconds
                values.append(before + (target - before) * share)
            begin, before = begin + seconds, target
        return values

    def shown_name(self, number: int) -> str:
        """Return a row's name, or the default name of its stage."""
        cells = self.rows[number]
        before = parse_target(self.rows[number - 1].target) if number else self.now
        target = parse_target(cells.target)
        if cells.name or before is None or target is None:
            return cells.name
        return stage_name(target if cells.step else before, target)

    def _seconds(self, cells: Cells) -> float:
        return self.left_s if cells.duration == REST else parse_length(cells.duration) or 0.0


def draft_of(stages: Sequence[StageInfo], plan_t_s: float, now: float) -> Draft:
    """Return the draft of what is left of ``stages``, all of one plan and in order; ``now`` is the target if it says
    nothing.
    """
    stage = under_way(stages, plan_t_s)
    rows = tuple(
        Cells(
            REST if stage is not None and info.index == stage.index else format_duration(info.end_s - info.start_s),
            format_number(info.target_end),
            info.step,
            _own_name(info),
            info.index,
        )
        for info in stages
        if info.end_s > plan_t_s
    )
    value = planned(tuple(stages), plan_t_s)
    unit, pool = (stages[0].unit, stages[0].pool) if stages else ("users", None)
    return Draft(rows, unit, pool, stage, _left(stage, plan_t_s), now if value is None else value)


def under_way(stages: Sequence[StageInfo], plan_t_s: float) -> StageInfo | None:
    """Return the stage at this moment of the plan; None if there is none."""
    return next((stage for stage in stages if stage.start_s <= plan_t_s < stage.end_s), None)


def bare_name(info: StageInfo) -> str:
    """Return a stage's name without that of its pool."""
    return info.name.removeprefix(f"{info.pool}/") if info.pool is not None else info.name


def _own_name(info: StageInfo) -> str:
    name = bare_name(info)
    return "" if name == stage_name(info.target_start, info.target_end) else name


def _left(stage: StageInfo | None, plan_t_s: float) -> float:
    return 0.0 if stage is None else stage.end_s - plan_t_s
