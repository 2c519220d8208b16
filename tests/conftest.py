"""What holds for every test."""

from __future__ import annotations

import gc
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

# The gate tries the same examples every time, so that it fails for a change and not by chance. Neither an example nor
# the making of examples is timed: the machine may be busy. HYPOTHESIS=search looks for new ones, many more of them.
untimed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("gate", untimed, derandomize=True)
settings.register_profile("search", untimed, max_examples=2000)
# python -m tests fast: a few examples of each property, the gate tries them all (tests.examples for dear ones).
settings.register_profile("fast", untimed, derandomize=True, max_examples=20, stateful_step_count=20)
# Mutation testing runs every test once for each mutant: few examples, and that one fails is enough to know.
settings.register_profile(
    "mutation",
    untimed,
    derandomize=True,
    database=None,
    max_examples=15,
    stateful_step_count=20,
    phases=(Phase.explicit, Phase.generate),
)
settings.load_profile(os.environ.get("HYPOTHESIS", "gate"))

#: What tests send to themselves and to programs they start.
SIGNALS = (
    signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGCHLD,
    signal.SIGTSTP, signal.SIGCONT, signal.SIGTTIN, signal.SIGTTOU,
)  # fmt: skip


def hear_signals() -> None:
    """Signals that whoever started the tests had ignored or blocked (``nohup``, a job in the background, a CI runner)
    are ignored here as before, but no longer by the programs that tests start: a handler that does nothing is no
    handler after an exec, where an ignored signal stays ignored and a blocked one blocked.
    """
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    for number in SIGNALS:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


hear_signals()


def pytest_collection_finish() -> None:
    """Let the collector of garbage look no more at what stays to the end: the modules and ten thousand tests. It took
    half a second each time that it looked through them.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _signals_as_they_were() -> Iterator[None]:
    before = [(number, signal.getsignal(number)) for number in SIGNALS]
    yield
    for number, handler in before:
        if signal.getsignal(number) is not handler:
            signal.signal(number, handler)


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place without runs. pytest's ``tmp_path`` is too long: the path of a Unix socket holds 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="att-") as name:
        (Path(name) / "r").mkdir()
        monkeypatch.setenv("XDG_STATE_HOME", f"{name}/s")
        monkeypatch.setenv("XDG_RUNTIME_DIR", f"{name}/r")
        yield Path(name)
