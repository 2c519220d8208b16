from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.steering import plantext
from agenttop.steering.plantext import MAX_ROWS, PlanError, Row, format_plan, format_row, parse_plan

_durations = st.integers(0, 10**9).map(lambda milliseconds: milliseconds / 1000)
_targets = st.integers(0, 10**9).map(lambda thousandths: thousandths / 1000)
_names = st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=20) | st.sampled_from(
    ["", "rest", "peak hour", 'the "big" one', "2m 80, 1m 0", "a: b", "it's", "\\", "chat"]
)
_rows = st.builds(Row, _durations, _targets, st.booleans(), _names, st.booleans())
_rests = st.builds(Row, st.none(), _targets, st.booleans(), _names, st.booleans()) | st.builds(
    Row, st.none(), st.none(), name=_names
)
plans = st.builds(lambda first, more: (first, *more), _rows | _rests, st.lists(_rows, max_size=5))


@pytest.mark.parametrize(
    ("text", "rows", "pool"),
    [
        ("2m 80, 5m step 80, 1m 0", [Row(120, 80), Row(300, 80, True), Row(60, 0)], None),
        ("rest, 1m30s 2.5/s open", [Row(None, None), Row(90, 2.5, per_s=True)], "open"),
        ("rest step 80", [Row(None, 80, True)], None),
        ("rest chat", [Row(None, None)], "chat"),
        ("2m 80 step", [Row(120, 80, True)], None),
        ("2m linear 80", [Row(120, 80)], None),
        ('"2m 80, 1m 0" chat', [Row(120, 80), Row(60, 0)], "chat"),
        ("'2m 80' ", [Row(120, 80)], None),
        ("peak hour: 2m 80,\t250ms 0", [Row(120, 80, name="peak hour"), Row(0.25, 0)], None),
        ('"a, b: c": 2m 80 x', [Row(120, 80, name="a, b: c")], "x"),
        ("""'"a, b": 2m 80' x""", [Row(120, 80, name="a, b")], "x"),
        ("ramp: rest, 0s 5, 1m 9", [Row(None, None, name="ramp"), Row(0, 5), Row(60, 9)], None),
    ],
)
def test_what_is_written(text: str, rows: list[Row], pool: str | None) -> None:
    assert parse_plan(text) == (tuple(rows), pool)


@pytest.mark.parametrize(
    ("text", "why", "place"),
    [
        ("", "a stage is missing here; write one such as 2m 80", ""),
        ("2m 80, , 3m 4", "a stage is missing here", " "),
        ("5x 3", "'5x' is no duration; write a duration such as 30s, 5m or 1h30m", "5x"),
        ("90 3", "'90' is no duration", "90"),
        ("9000000h 3", "'9000000h' is no duration", "9000000h"),
        ("2m", "its target is missing; write users after the duration: 2m 80", "2m"),
        ("2m -5", "'-5' is no target; write a number of users such as 80, or a rate such as 20/s", "-5"),
        ("2m 1e9", "'1e9' is no target", "1e9"),
        ("2m 2000000", "a target is 0 to 1 000 000", "2000000"),
        ("2m 80, rest", "rest .* can only come first; write a duration", "rest"),
        ("rest step", "say where the rest goes, too: rest step 80", "rest"),
        ("2m 80 5 6, 1m 3", "'5' follows a whole stage; separate stages by commas", "5"),
        ("2m 80 chat now", "'now' follows the pool", "now"),
        ('"2m 80" chat now', "'now' follows the pool", "now"),
        ('"2m 80 x" chat', "'x' follows a whole stage", "x"),
        ('"2m 80', "this quote is not closed", '"'),
        (": 2m 80", "a name is one line", ":"),
        ('"\\x": 2m 80', "as JSON has it", '"\\x"'),
        ('2m 80, "a" b: 2m 80', "a quoted name is followed by a colon", '"a" b'),
        (", ".join(["1s 1"] * (MAX_ROWS + 1)), "more than 100 stages; write fewer", " 1s 1"),
    ],
)
def test_what_is_none(text: str, why: str, place: str) -> None:
    with pytest.raises(PlanError, match=why) as caught:
        parse_plan(text)
    error = caught.value
    assert text[error.begin : error.end] == place
    assert f"(at column {error.begin + 1})" in str(error)
    assert f">>{place}<<" in error.marked(text)


@given(plans)
def test_what_is_formatted_is_parsed_to_the_same(rows: tuple[Row, ...]) -> None:
    assert parse_plan(format_plan(rows)) == (rows, None)
    assert parse_plan(format_plan(rows) + " chat") == (rows, "chat")
    assert [parse_plan(format_row(row)) for row in rows] == [((row,), None) for row in rows]


@given(st.text(st.sampled_from("2m80 ,restpk:\"'/-\\x")) | st.text())
def test_any_text_is_a_plan_or_an_error_with_its_place(text: str) -> None:
    wrong: PlanError | None = None
    rows: tuple[Row, ...] = ()
    try:
        rows, _ = parse_plan(text)
    except PlanError as error:
        wrong = error
    if wrong is not None:
        assert 0 <= wrong.begin < wrong.end <= len(text) + 1
        assert wrong.plain
    else:
        assert rows
        assert parse_plan(format_plan(rows))[0] == rows


def _without_a_flag(text: str) -> list[str]:
    """The pieces between commas outside quotes, looked for at every character: the definition, and quadratic."""
    pieces, start, at = [], 0, 0
    while at < len(text):
        quoted = plantext._QUOTED.match(text, at)
        if quoted is not None:
            at = quoted.end()
            continue
        if text[at] == ",":
            pieces.append(text[start:at])
            start = at + 1
        at += 1
    return [*pieces, text[start:]]


@given(st.text(alphabet='",\\\\a \n', max_size=40))
def test_pieces_are_what_stands_between_commas_outside_quotes(text: str) -> None:
    assert [piece.text for piece in plantext._split(plantext._Piece(text, 0))] == _without_a_flag(text)


def test_quotes_that_are_not_closed_are_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0

    class Quoted:
        def match(self, text: str, at: int) -> None:
            nonlocal asked
            asked += 1

    monkeypatch.setattr(plantext, "_QUOTED", Quoted())
    assert len(list(plantext._split(plantext._Piece('"' + '\\",' * 10_000, 0)))) == 10_001
    assert asked == 1
