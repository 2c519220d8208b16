"""Tests of agenttop.report.html.chart, agenttop.report.html.levels, agenttop.report.scale."""

from __future__ import annotations

import re

from agenttop.report.html.chart import HEIGHT, SPAN, Axis, Chart, Mark, Series, draw
from agenttop.report.html.levels import score_chart
from agenttop.report.scale import nice
from tests.report.html.test_markup import Read
from tests.report.test_escaping import HOSTILE
from tests.report.test_quality import summary as graded


def points(path: str) -> list[tuple[int, int]]:
    """The points that a path goes through."""
    found: list[tuple[int, int]] = []
    for part in re.findall(r"M(-?\d+) (-?\d+)(?:l([-\d ]*))?", path):
        x, y = int(part[0]), int(part[1])
        found.append((x, y))
        steps = [int(number) for number in re.findall(r"-?\d+", part[2])]
        for dx, dy in zip(steps[::2], steps[1::2], strict=True):
            x, y = x + dx, y + dy
            found.append((x, y))
    return found


def lines(text: str) -> list[str]:
    return [
        attributes["d"] or ""
        for tag, attributes in Read(text).tags
        if attributes.get("class") == "line" and tag == "path"
    ]


def test_a_line_goes_through_its_values_and_breaks_where_there_is_none() -> None:
    chart = Chart("t", "n", "ms", [0.0, 5.0, 10.0, 15.0, 20.0], [Series("a", [0.0, 50.0, None, 100.0, 25.0], 0)])
    (path,) = lines(draw(chart, Axis(20.0), 0))
    assert points(path) == [(0, HEIGHT), (2500, 500), (7500, 0), (SPAN, 750)]
    assert path.count("M") == 2


def test_the_scale_begins_at_zero_and_ends_above_the_highest() -> None:
    chart = Chart("t", "n", "ms", [1.0, 2.0], [Series("a", [1900.0, 2100.0], 0)])
    told = Read(draw(chart, Axis(2.0), 0)).text
    assert nice(2100.0) == 2500.0
    assert "0ms" in told
    assert "2.50s" in told


def test_marks_and_names_are_data() -> None:
    for text in HOSTILE:
        chart = Chart(text, text, "", [1.0], [Series(text, [1.0], 0)])
        found = Read(draw(chart, Axis(10.0, [Mark(5.0, "control", text)]), 0))
        assert not {"script", "img", "a"} & {tag for tag, _ in found.tags}
        assert not any(name.startswith("on") for _, attributes in found.tags for name in attributes)


def test_nothing_is_drawn_of_nothing() -> None:
    assert draw(Chart("t", "n", "", [1.0], [Series("a", [None], 0)]), Axis(1.0), 0) == ""
    assert Chart("t", "n", "", [1.0], []).figures()["v"] == []


def test_scores_have_a_point_a_level() -> None:
    text = score_chart(graded(right_under_load=False))
    assert [tag for tag, _ in Read(text).tags].count("circle") == 2
    assert "steady, 4 users: 100%" in Read(text).text
    assert score_chart({"by_stage": []}) == ""
