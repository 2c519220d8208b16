"""``ctl`` and ``attach`` at a run whose controller does not work."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator

import pytest

from agenttop.cli.ctl import stop
from agenttop.cli.main import main
from agenttop.exits import DONE, FAILED, USAGE
from agenttop.journal.places import socket_path
from agenttop.runs import control_socket

RUN = "20260101-120000-peak-0a0b"


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The control socket of a controller that is stopped: the kernel takes callers, and nobody says anything."""
    monkeypatch.setattr(control_socket, "PATIENCE_S", 0.05)
    with tempfile.TemporaryDirectory() as short, socket.socket(socket.AF_UNIX) as listening:
        monkeypatch.setenv("XDG_RUNTIME_DIR", short)  # the path of a socket is a short one
        listening.bind(str(socket_path(RUN)))
        listening.listen()
        yield listening


@pytest.mark.parametrize(
    "words", [("ctl", "peak", "stop"), ("ctl", "peak", "status"), ("attach", "peak", "--headless")]
)
def test_who_gets_no_answer_is_told(
    stopped: socket.socket, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == USAGE
    assert capsys.readouterr().err == (
        f"agenttop: {RUN}: the run does not answer: its controller is stopped, or starved of its core\n"
    )


def test_a_hung_up_viewer_cannot_stop_it_and_says_so(
    stopped: socket.socket, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stop(RUN) == FAILED
    assert "does not answer" in capsys.readouterr().err


def test_one_that_is_over_need_not_be_stopped(stopped: socket.socket, capsys: pytest.CaptureFixture[str]) -> None:
    stopped.close()
    assert stop(RUN) == DONE
    socket_path(RUN).unlink()
    assert stop(RUN, until_end=True) == DONE
    assert capsys.readouterr().err == ""
