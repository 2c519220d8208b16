from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from agenttop.cli.main import main
from agenttop.view.pipes import lost, say

FULL = Path("/dev/full")


def test_a_line_is_written_at_once(tmp_path: Path) -> None:
    with (tmp_path / "x").open("w") as stream:
        say("one", stream)
        assert (tmp_path / "x").read_text() == "one\n"


def test_a_reader_that_has_left_is_nothing_to_tell(capsys: pytest.CaptureFixture[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stream:
        say("one", stream)
        say("two", stream)
        assert not lost(stream)
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.usefixtures("home")
def test_a_full_disk_is_told_once(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with FULL.open("w") as stream:
        assert not lost(stream)
        say("one", stream)
        say("two", stream)
        assert lost(stream)
    assert capsys.readouterr().err == "agenttop: what follows cannot be written: No space left on device\n"
    with FULL.open("w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        assert main(["ps"]) == 1, "a few bytes, which stay in a buffer until somebody flushes it"
    assert capsys.readouterr().err == "agenttop: standard output: No space left on device\n"
