"""Parses and formats stages as they are typed while a run goes on: ``rest, 2m 80, peak: 5m step 80, 1m 0``.

    plan  = row {"," row}
    row   = [name ":"] ("rest" [target] | duration target)
    target = ["step" | "linear"] number ["/s"]

``rest`` is what is left of the stage under way, and can only come first: alone it goes on as it is, with a target it
goes there in the time that is left. A name with a letter that means something here stands in double quotes, as in JSON.
The whole may be in quotes, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn

from agenttop.schedule.quantities import (
    MAX_NAME,
    MAX_USERS,
    excerpt,
    format_duration,
    format_number,
    parse_duration,
    parse_number,
)

MAX_ROWS = 100
REST = "rest"

_WORD = re.compile(r"\S+")
_STOP = re.compile(r'[,"]')
_COMMA = re.compile(",")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
#: Characters of a long plan that an error shows before, at and after the place it is about.
_AROUND = 200
_DURATION = "write a duration such as 30s, 5m or 1h30m"


class PlanError(ValueError):
    """The text is no plan. The fault is at ``begin`` … ``end``, and the message ends with the remedy."""

    def __init__(self, message: str, begin: int, end: int) -> None:
        super().__init__(f"{message} (at column {begin + 1})")
        self.plain = message
        self.begin = begin
        self.end = end

    def marked(self, text: str) -> str:
        """Return the text with the place between arrows, ``2m 80, >>5x<< 80``; of a long one what is around it."""
        before, place, after = text[: self.begin], text[self.begin : self.end], text[self.end :]
        if len(before) > _AROUND:
            before = f" …{before[-_AROUND:]}"
        if len(place) > _AROUND:
            place = f"{place[:_AROUND]}…"
        if len(after) > _AROUND:
            after = f"{after[:_AROUND]}…"
        return f"{before}>>{place}<<{after}"


@dataclass(frozen=True, slots=True)
class Row:
    """One stage of a typed plan."""

    duration_s: float | None
    """Seconds; None: the rest of the stage under way."""
    target: float | None
    """Users, or iterations per second, at its end; None: the target of the stage under way."""
    step: bool = False
    """The target applies from the stage's beginning on."""
    name: str = ""
    """Empty: the default name (``ramp``, ``hold``, ``drain``). With ``rest``: the stage that must be under way."""
    per_s: bool = False
    """The target was written as a rate (``/s``)."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of the text, and where it begins."""

    text: str
    at: int

    @property
    def end(self) -> int:
        return self.at + len(self.text)

    def fail(self, message: str) -> NoReturn:
        raise PlanError(message, self.at, max(self.end, self.at + 1))


def parse_plan(text: str) -> tuple[tuple[Row, ...], str | None]:
    """Return the rows, and the word (a pool) that follows them, if any.

    Raises:
        PlanError: it is none.
    """
    inner, after = _unquoted(text)
    rows: list[Row] = []
    pieces = list(_split(inner))
    if len(pieces) > MAX_ROWS:
        pieces[MAX_ROWS].fail(f"more than {MAX_ROWS} stages; write fewer")
    for number, piece in enumerate(pieces, 1):
        row, left = _row(piece, first=number == 1)
        rows.append(row)
        if left and (number < len(pieces) or after):
            left[0].fail(f"{excerpt(left[0].text)} follows a whole stage; separate stages by commas")
        if len(left) > 1:
            left[1].fail(f"{excerpt(left[1].text)} follows the pool; say: plan STAGES [POOL]")
        after = after or left
    return tuple(rows), after[0].text if after else None


def format_plan(rows: Sequence[Row]) -> str:
    """Return the text that parses to these rows (durations to the millisecond)."""
    return ", ".join(map(format_row, rows))


def format_row(row: Row) -> str:
    """Return the text of one row."""
    words = [REST if row.duration_s is None else format_duration(row.duration_s)]
    if row.target is not None:
        words += (["step"] if row.step else []) + [format_number(row.target) + ("/s" if row.per_s else "")]
    return (f"{_format_name(row.name)}: " if row.name else "") + " ".join(words)


def parse_target(word: str) -> float | None:
    """Return a number of users or a rate, written without ``/s``; None if it is none, or too large."""
    value = parse_number(word)
    return value if value is None or value <= MAX_USERS else None


def parse_length(word: str) -> float | None:
    """Return the seconds of a stage; None if it is no duration."""
    try:
        return parse_duration(word)
    except ValueError:
        return None


# -- pieces


def _unquoted(text: str) -> tuple[_Piece, list[_Piece]]:
    """Return what is within the quotes around all stages, or all if there are none, and the words after them."""
    begin = len(text) - len(text.lstrip())
    quote = text[begin : begin + 1]
    if quote not in ("'", '"'):
        return _Piece(text, 0), []
    quoted = _QUOTED.match(text, begin)
    end = text.rfind("'") if quote == "'" else quoted.end() - 1 if quoted is not None else begin
    if end <= begin:
        _Piece(quote, begin).fail(f"this quote is not closed; write {quote} after the last stage, or none")
    if text[end + 1 :].lstrip().startswith(":"):
        return _Piece(text, 0), []  # the name of the first stage
    after = _words(_Piece(text[end + 1 :], end + 1))
    if len(after) > 1:
        after[1].fail(f"{excerpt(after[1].text)} follows the pool; say: plan STAGES [POOL]")
    return _Piece(text[begin + 1 : end], begin + 1), after


def _split(whole: _Piece) -> Iterator[_Piece]:
    """Yield the pieces between commas, except commas in quotes.

    Where a quote is not closed none after it is either (they are all escaped): so the rest is looked at once, not once
    a quote.
    """
    text, start, at, closed = whole.text, 0, 0, True
    while match := (_STOP if closed else _COMMA).search(text, at):
        at = match.end()
        if match[0] == ",":
            yield _Piece(text[start : at - 1], whole.at + start)
            start = at
        else:
            quoted = _QUOTED.match(text, at - 1)
            closed = quoted is not None
            at = at if quoted is None else quoted.end()
    yield _Piece(text[start:], whole.at + start)


def _words(piece: _Piece) -> list[_Piece]:
    return [_Piece(match.group(), piece.at + match.start()) for match in _WORD.finditer(piece.text)]


def _row(piece: _Piece, *, first: bool) -> tuple[Row, list[_Piece]]:
    name, rest = _name(piece)
    words = _words(rest)
    if not words:
        piece.fail("a stage is missing here; write one such as 2m 80")
    begin, *words = words
    duration = None
    if begin.text == REST:
        if not first:
            begin.fail("rest is what is left of the stage under way, and can only come first; write a duration")
    else:
        duration = parse_length(begin.text)
        if duration is None:
            begin.fail(f"{excerpt(begin.text)} is no duration; {_DURATION}")
    step, words = _how(words)
    if duration is None and (not words or words[0].text[0] not in "0123456789"):
        if step is not None:
            begin.fail("say where the rest goes, too: rest step 80")
        return Row(None, None, name=name), words
    if not words:
        begin.fail(f"its target is missing; write users after the duration: {begin.text} 80")
    value, per_s = _target(words[0])
    after, words = _how(words[1:])
    return Row(duration, value, bool(after if step is None else step), name, per_s), words


def _how(words: list[_Piece]) -> tuple[bool | None, list[_Piece]]:
    if words and words[0].text in ("step", "linear"):
        return words[0].text == "step", words[1:]
    return None, words


def _target(word: _Piece) -> tuple[float, bool]:
    number = word.text.removesuffix("/s")
    value = parse_number(number)
    if value is None:
        word.fail(f"{excerpt(word.text)} is no target; write a number of users such as 80, or a rate such as 20/s")
    if value > MAX_USERS:
        word.fail("a target is 0 to 1 000 000; write a smaller one")
    return value, number != word.text


def _name(piece: _Piece) -> tuple[str, _Piece]:
    text = piece.text
    begin = len(text) - len(text.lstrip())
    quoted = _QUOTED.match(text, begin)
    colon = text.find(":", quoted.end() if quoted is not None else 0)
    if colon < 0:
        return "", piece
    written = _Piece(text[begin:colon].rstrip(), piece.at + begin)
    name = written.text
    if quoted is not None:
        if quoted.end() != begin + len(name):
            written.fail("a quoted name is followed by a colon")
        try:
            name = json.loads(name)
        except ValueError:
            written.fail("this name is not written as JSON has it; leave its quotes and backslashes out")
    if not name or len(name) > MAX_NAME or not name.isprintable() or name != name.strip():
        written.fail(f"a name is one line of 1 to {MAX_NAME} characters; write one before the colon, or no colon")
    return name, _Piece(text[colon + 1 :], piece.at + colon + 1)


def _format_name(name: str) -> str:
    plain = not any(char in name for char in "\"',:\\")
    return name if plain else json.dumps(name, ensure_ascii=False)
