"""What a CI job is told."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from agenttop.cli.github import tell_job


def test_outside_of_a_job_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    out = io.StringIO()
    tell_job("t", lambda: pytest.fail("made for nobody"), ["failed"], out)
    assert not out.getvalue()


def test_pages_are_appended_and_failures_annotated(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "step.md"))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    (tmp_path / "step.md").write_text("before\n")
    out = io.StringIO()
    tell_job("agenttop: a, b", lambda: "**FAIL**\n", ["p95 < 2s\n::error::x", *["more"] * 30], out)
    assert (tmp_path / "step.md").read_text() == "before\n**FAIL**\n\n"
    lines = out.getvalue().splitlines()
    assert lines[0] == "::error title=agenttop%3A a%2C b::p95 < 2s ::error::x"
    assert len(lines) == 10
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "no" / "step.md"))
    tell_job("t", lambda: "x", [], out)
    assert capsys.readouterr().err == "agenttop: GITHUB_STEP_SUMMARY: No such file or directory\n"
