from __future__ import annotations

import itertools
import sys

import pytest

from agenttop.quality.packages import MissingPackage
from agenttop.quality.records import MAX_YAML, Record, csv_rows, json_lines, yaml_tree
from tests.quality.reading import problems


def faults(text: str) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    yaml_tree(text, lambda line, message: found.append((line, message)))
    return found


def tree(text: str) -> Record:
    found = yaml_tree(text, lambda line, message: pytest.fail(f"{line}: {message}"))
    assert found is not None
    return found


def test_yaml_is_that_of_1_2_so_that_words_and_hours_stay_texts() -> None:
    value = tree("[no, yes, on, 12:30, 2026-01-01, 010, 0x10, 1_000, true, null, ~, 1.5, .5, 1e3, -3]").value
    assert value == [
        "no", "yes", "on", "12:30", "2026-01-01", "010", 16, "1_000", True, None, None, 1.5, 0.5, 1000.0, -3,
    ]  # fmt: skip


def test_lines_are_known_inside() -> None:
    root = tree("a:\n  - b: 1\n  - c:\n      d: [x,\n          y]\n")
    assert root.line_at("a") == 1
    assert root.line_at("a", 1) == 3
    assert root.line_at("a", 1, "c", "d", 1) == 5
    assert root.at("a", 1).line_at("c", "d") == 4
    assert root.line_at("a", "no", "such") == 1


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: [1\nb: 2\n", 2, "no YAML: "),
        ("a: 1\nb: 2\na: 3\n", 3, 'the key "a" is there twice'),
        ("a: !!python/object:os.system x\n", 1, "no YAML: could not determine a constructor"),
        ("a: !!binary aGVsbG8=\n", 0, "no YAML: a bytes is nothing that JSON has"),
        ("a: &x [*x]\n", 0, "no YAML: an alias stands within what it is an alias of"),
        ("x" * (MAX_YAML + 1), 0, "a YAML file of cases has at most 8 MiB"),
        ("a: 1\n---\nb: 2\n", 2, "no YAML: but found another document"),
    ],
)
def test_what_is_no_yaml_of_ours_is_told_with_its_line(text: str, line: int, said: str) -> None:
    found = faults(text)
    assert len(found) == 1
    assert found[0][1].startswith(said)
    assert found[0][0] == line


def test_what_is_nested_too_deep_is_one_fault_whichever_parser_gives_up_first() -> None:
    ((line, said),) = faults("[" * 5000)
    assert said == "it is nested too deep" or (line in (1, 2) and said.startswith("no YAML: "))


def test_aliases_of_aliases_are_refused_before_they_are_written_out() -> None:
    names = "abcdefghij"
    text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in itertools.pairwise(names)
    )
    assert faults(text) == [(0, "with its aliases written out it has more than 1,000,000 values")]


def test_an_alias_and_a_merge_are_read() -> None:
    value = tree("base: &b {x: 1, y: 2}\nmore: {<<: *b, y: 3}\n").value
    assert value["more"] == {"x": 1, "y": 3}


def test_rows_know_their_line_though_cells_have_lines() -> None:
    found: list[tuple[int, str]] = []
    header, rows = csv_rows('a,b\n"one\ntwo",x\n\n,\n"y",z\n', lambda line, said: found.append((line, said)))
    assert header == ["a", "b"]
    assert [(row.line, row.value) for row in rows] == [(2, {"a": "one\ntwo", "b": "x"}), (6, {"a": "y", "b": "z"})]
    assert not found


def test_csv_that_is_broken_is_told() -> None:
    assert problems("a.csv", 'a,a,__expected\nx,y,z\n"x" y,1,2\n')[0] == 'a.csv:1: the column "a" is there twice'
    assert problems("a.csv", 'a,__expected\n"x" y,1\n')[0].startswith("a.csv:2: no CSV: ")


def test_lines_that_are_no_json_are_told_and_the_others_read() -> None:
    found: list[tuple[int, str]] = []
    text = '{"a": 1}\r\n\n{"a": \n[1]\n' + "[" * 100_000 + "\n" + '{"a": 2}'
    records = json_lines(text, lambda line, said: found.append((line, said)))
    assert [(record.line, record.value) for record in records] == [(1, {"a": 1}), (6, {"a": 2})]
    assert [line for line, _ in found] == [3, 4, 5]
    assert all("\n" not in said for _, said in found)


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert problems("a.jsonl", '\ufeff{"input": "x", "target": "y"}') == []
    assert problems("a.csv", "\ufeffinput,target\nx,y\n") == []


def test_without_its_package_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(MissingPackage):
        tree("a: 1")
    assert problems("a.yaml", "- input: x\n") == [
        "a.yaml: cases in YAML need yaml, which is not installed: pip install 'agenttop[quality]'"
    ]
