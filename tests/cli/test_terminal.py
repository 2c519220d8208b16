"""Tests of agenttop.cli.terminal, agenttop.cli.shipped: what is chosen by the terminal, and a job of `timeout`."""

from __future__ import annotations

import contextlib
import os
import pty
import shutil
import sys

import pytest

from agenttop.cli.terminal import wants_ascii


@pytest.mark.parametrize(
    ("environment", "ascii"),
    [
        ({}, False),
        ({"LANG": "C.UTF-8"}, False),
        ({"LANG": "de_DE.utf8@euro"}, False),
        ({"LC_ALL": "C"}, True),
        ({"LC_ALL": "POSIX", "LANG": "en_US.UTF-8"}, True),
        ({"LC_ALL": "", "LC_CTYPE": "en_US.ISO-8859-1", "LANG": "en_US.UTF-8"}, True),
        ({"LC_ALL": "en_US.UTF-8", "LANG": "C"}, False),
        ({"TERM": "linux", "LANG": "en_US.UTF-8"}, True),
        ({"TERM": "xterm-256color"}, False),
    ],
)
def test_ascii_is_chosen_where_the_terminal_has_no_more(
    environment: dict[str, str], ascii: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_CTYPE", "LANG", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert wants_ascii(False) is ascii
    assert wants_ascii(True)


@pytest.mark.skipif(shutil.which("timeout") is None, reason="there is no timeout")
@pytest.mark.parametrize(("how", "found"), [("timeout 20", b"True False"), ("timeout --foreground 20", b"False True")])
def test_a_job_that_no_shell_can_bring_to_the_front_is_not_on_its_terminal(how: str, found: bytes) -> None:
    asks = "from agenttop.cli import terminal as t; print('found', t.stranded(), t.on_terminal(), flush=True)"
    pid, master = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        # Not the last command of the shell, which would make way for it.
        os.execv("/bin/sh", ["sh", "-c", f'{how} {sys.executable} -c "{asks}"; true'])
    output = b""
    with contextlib.suppress(OSError):
        while data := os.read(master, 4096):
            output += data
    os.waitpid(pid, 0)
    os.close(master)
    assert b"found " + found in output
