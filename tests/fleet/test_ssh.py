"""A box that answers nothing; those of test_fleet are real."""

from __future__ import annotations

import pytest

from agenttop.fleet import ssh
from agenttop.fleet.ssh import BoxLost, Remote
from agenttop.profile.fleet import parse_host


async def test_a_box_that_does_not_tell_its_clock_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh, "ANSWER_S", 0.01)
    with pytest.raises(BoxLost, match=r"it does not tell its clock within 0\.01 s"):
        await Remote(parse_host("b1"), "python3").measure_first()
