from __future__ import annotations

import io
from pathlib import Path

import pytest

from agenttop.cli.replay import tell
from agenttop.journal.playback import Playback
from tests.journal.test_playback import write
from tests.metrics.fakes import FakeRun

RUN = FakeRun(seconds=5, storm=None, workers=1)


@pytest.mark.parametrize(("speed", "waited"), [(None, []), (1.0, [1.0] * 4), (10.0, [0.1] * 4)])
def test_a_line_a_second_at_once_or_at_a_speed(tmp_path: Path, speed: float | None, waited: list[float]) -> None:
    write(tmp_path, RUN, 4)
    slept: list[float] = []
    out = io.StringIO()
    with Playback(tmp_path) as playback:
        assert tell(playback, out, speed, slept.append) == 0
    first, *lines, last = out.getvalue().splitlines()
    assert first == "agenttop peak.toml: 20260105-120000-peak, 00:04 recorded"
    assert [line.split()[0] for line in lines if line[0] != " "] == ["00:01", "00:02", "00:03", "00:04"]
    assert last == "  ! the run was cut off at 00:04"
    assert slept == pytest.approx(waited)
