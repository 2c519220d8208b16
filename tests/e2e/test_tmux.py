"""A run inside a real tmux: its screen, its keys, and another window of another size for the next viewer."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from agenttop.agent.process import AgentProcess
from tests.e2e.harness import Place, until
from tests.e2e.profiles import VOICE

TMUX = shutil.which("tmux")

pytestmark = pytest.mark.skipif(TMUX is None, reason="tmux is not installed")


class Tmux:
    """A server of our own, with nobody's configuration."""

    def __init__(self, place: Place) -> None:
        self._server = [str(TMUX), "-S", str(place.root / "tmux"), "-f", "/dev/null"]
        self._env = {key: value for key, value in place.env(TERM="xterm-256color").items() if key != "TMUX"}

    def __call__(self, *words: object) -> str:
        done = subprocess.run(
            [*self._server, *map(str, words)], env=self._env, capture_output=True, text=True, timeout=60, check=True
        )
        return done.stdout

    def shows(self, window: str, wanted: str | Callable[[str], bool]) -> str:
        """What a window shows, as soon as it has these words, or is what the function wants."""
        look = wanted if callable(wanted) else lambda text: wanted in text

        def screen() -> str:
            text = self("capture-pane", "-p", "-t", window)
            return text if look(text) else ""

        try:
            return until(screen, f"{wanted!r} in tmux")
        except AssertionError:
            raise AssertionError(self("capture-pane", "-p", "-t", window)) from None

    def type(self, window: str, *keys: str) -> None:
        self("send-keys", "-t", window, *keys)


@contextmanager
def tmux(place: Place) -> Iterator[Tmux]:
    server = Tmux(place)
    shell = "env PS1='ready> ' sh -i"
    try:
        server("new-session", "-d", "-s", "t", "-n", "first", "-x", 80, "-y", 24, shell)
        server("new-window", "-d", "-n", "second", "-t", "t", shell)
        server("resize-window", "-t", "second", "-x", 120, "-y", 40)
        yield server
    finally:
        server("kill-server")


def test_a_run_in_tmux(place: Place, agent: AgentProcess) -> None:
    profile = place.write(VOICE.format(url=agent.url))
    program = f"{sys.executable} -m agenttop"
    with tmux(place) as server:
        server.shows("first", "ready>")
        server.type("first", f"{program} --profile {profile}", "Enter")
        server.shows("first", lambda text: "RUN" in text and "q quit" in text and "voice/turn" in text)
        server.type("first", "]")
        until(lambda: agent.stats()["websocket"]["open"] == 13, "ten more connections")
        server.type("first", "C-z")
        assert "RUN" not in server.shows("first", "Stopped")
        server.type("first", "fg", "Enter")
        server.shows("first", lambda text: "RUN" in text and "Stopped" not in text and " 13" in text)
        server("resize-window", "-t", "first", "-x", 200, "-y", 60)
        server.shows("first", "percentiles")
        server("resize-window", "-t", "first", "-x", 80, "-y", 24)
        server.shows("first", lambda text: "percentiles" not in text and "q quit" in text)
        server.type("first", "d")
        shell = server.shows("first", "agenttop attach")
        assert "voice/turn" not in shell, "what was there before the screen is there again"
        server.shows("second", "ready>")
        server.type("second", f"{program} attach; echo code $?", "Enter")
        server.shows("second", lambda text: "time to first token" in text and "RUN" in text)
        server.type("second", "q")
        server.shows("second", "stop and summarise")
        server.type("second", "s")
        server.shows("second", "code 130")
    place.gone()
    summary = place.summary()
    assert summary["run"]["stop_reason"] == "stopped_by_user"
    assert summary["controls"][0]["command"] == "users +10"
