"""``agenttop report`` to files, from its command line; tests/cli/test_main.py has what it prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agenttop.cli.main import _parse as main_parse
from agenttop.cli.main import main
from tests.cli.test_main import make_summary
from tests.cli.test_run import PROFILE


@pytest.fixture(autouse=True)
def _there(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)


def test_every_ending_at_once(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = make_summary(home)
    names = ["a.md", "a.xml", "a.csv", "a.br.yaml", "a.hgrm", "a.json"]
    assert main(["report", str(path), *(word for name in names for word in ("-o", name))]) == 0
    said = capsys.readouterr()
    assert "peak" in said.out
    assert str(home / "a.latency.hgrm") in said.err
    assert all((home / name).exists() for name in names if name != "a.hgrm")
    assert json.loads((home / "a.json").read_text()) == json.loads(path.read_text())


def test_options_of_formats(home: Path) -> None:
    make_summary(home)
    assert main(["report", ".", "-o", "a.csv", "--table", "stages"]) == 0
    assert (home / "a.csv").read_text().startswith("index,name,pool,")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["-o", "a.txt"], "-o a.txt: expected a file that ends in"),
        (["-o", "no/a.md"], "-o no/a.md: there is no directory"),
        (["-o", "no.md"], "-o no.md is a directory; name a file"),
        (["-o", f"{'x' * 300}.md"], f"-o {'x' * 300}.md: File name too long"),
        (["-o", "a.csv", "--table", "people"], "--table"),
    ],
)
def test_what_cannot_be_written_is_said_in_a_line(
    words: list[str], error: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_summary(home)
    (home / "no.md").mkdir()
    assert main(["report", ".", *words]) == 2
    said = capsys.readouterr()
    assert error in said.err
    assert said.err.count("\n") == 1
    assert not said.out


def test_a_report_of_a_run_is_refused_before_anything_is_sent(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    (home / "p.toml").write_text(PROFILE)
    assert main(["--profile", "p.toml", "--headless", "--report", "a.txt"]) == 2
    assert capsys.readouterr().err.startswith("agenttop: --report a.txt: expected a file that ends in .json, .html")


@pytest.mark.parametrize(
    ("text", "address"),
    [("9464", ("127.0.0.1", 9464)), ("0.0.0.0:9464", ("0.0.0.0", 9464)), ("[::1]:80", ("::1", 80))],
)
def test_figures_are_served_on_this_machine_unless_a_host_is_said(text: str, address: tuple[str, int]) -> None:
    assert main_parse(["--profile", "p.toml", "--prometheus", text]).prometheus == address


@pytest.mark.parametrize("text", ["", "0", ":80", "a:b", "::1:80", "70000", "x:"])
def test_what_is_no_address_is_said(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--profile", "p.toml", "--prometheus", text]) == 2
    assert "--prometheus" in capsys.readouterr().err
