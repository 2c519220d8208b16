"""Tests of agenttop.report.files, agenttop.report.whole: the ending of a file chooses what a run is written as."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agenttop.report.files import ENDINGS, Asked, ending_of, problem_of, write_report
from agenttop.report.hgrm import report_hgrm
from agenttop.report.whole import write_whole
from tests.report.test_text import full


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_ending_writes(ending: str, tmp_path: Path) -> None:
    written = write_report(str(tmp_path / f"a.b{ending.upper()}"), full())
    assert written
    assert all(Path(path).stat().st_size > 100 for path in written)
    assert sorted(map(str, tmp_path.iterdir())) == sorted(written)


def test_endings() -> None:
    named = {"a.md": ".md", "a.br.yaml": ".br.yaml", "x/A.XML": ".xml", "copy": ".json", "/dev/stdout": ".json"}
    assert {path: ending_of(path) for path in named} == named
    for path in ("a.yaml", "a.txt", ".md", "", "x/", "a.md.bak"):
        assert ending_of(path) is None, path


def test_a_histogram_has_a_file_a_metric(tmp_path: Path) -> None:
    summary = full()
    summary["totals"]["phases_ms"] = {"../../evil/\x1b": summary["totals"]["phases_ms"]["llm_call"]}
    written = write_report(str(tmp_path / "r.hgrm"), summary)
    assert str(tmp_path / "r.latency.hgrm") in written
    assert {Path(path).parent for path in written} == {tmp_path}
    assert str(tmp_path / "r.phase..._.._evil__.hgrm") in written


def test_metrics_whose_names_are_alike_have_a_file_each(tmp_path: Path) -> None:
    summary = full()
    dists = list(summary["totals"]["phases_ms"].values())[:3]
    summary["totals"]["phases_ms"] = dict(zip(("a b", "a_b", "a/b"), dists, strict=True))
    written = write_report(str(tmp_path / "r.hgrm"), summary)
    assert len(set(written)) == len(written)
    found = [(tmp_path / f"r.phase.a_b{number}.hgrm").read_text() for number in ("", "-2", "-3")]
    assert found == [report_hgrm(summary)[f"phase.{name}"] for name in ("a b", "a_b", "a/b")]
    assert len(set(found)) == 3


def test_options_reach_their_format(tmp_path: Path) -> None:
    summary = full()
    write_report(str(tmp_path / "a.csv"), summary, Asked(table="timeline"))
    assert (tmp_path / "a.csv").read_text().startswith("t_s,stage,users")
    summary["thresholds"][0] |= {"verdict": "no data"}
    write_report(str(tmp_path / "a.xml"), summary)
    write_report(str(tmp_path / "b.xml"), summary, Asked(strict=True))
    assert "<skipped" in (tmp_path / "a.xml").read_text()
    assert "<skipped" not in (tmp_path / "b.xml").read_text()


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    assert problem_of(str(tmp_path / "a.md")) == ""
    assert problem_of(str(tmp_path / "a.txt")).startswith("expected a file that ends in .json, .html")
    (tmp_path / "d.md").mkdir()
    assert problem_of(str(tmp_path / "d.md")) == "is a directory; name a file"
    assert problem_of(str(tmp_path / "no" / "a.md")).startswith("there is no directory")


def test_an_old_file_stays_whole_where_the_new_one_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(TypeError):
        write_whole(path, "text")  # type: ignore[arg-type]
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["a.json"]
    link = tmp_path / "link"
    link.symlink_to(path)
    write_whole(link, json.dumps({}).encode())
    assert link.is_symlink()
    assert path.read_text() == "{}"
