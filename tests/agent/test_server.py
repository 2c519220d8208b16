"""Tests of agenttop.agent.server, agenttop.agent.process.

Starting and stopping the agent as a process.
"""

import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from agenttop.agent.process import AgentProcess, AgentProcessError
from agenttop.agent.server import main

SERVER = [sys.executable, "-m", "agenttop.agent.server"]


def gone(pid: int, timeout_s: float = 20) -> bool:
    """Whether a process that need not be our child ends within the time."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], timeout_s)[0])
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_a_signal_ends_it_well(number: signal.Signals) -> None:
    with subprocess.Popen(SERVER, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        assert line.startswith("agenttop agent listening on http://127.0.0.1:")
        with socket.create_connection(("127.0.0.1", int(line.rsplit(":", 1)[1]))):
            server.send_signal(number)
            said, complained = server.communicate(timeout=30)
        assert (server.returncode, said, complained) == (0, "", "")


def test_a_flag_that_may_stand_alone_says_what_it_means_then(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "--degrade [VALUE]" in text
    assert "(default 0.0; without a value 40%)" in text
    assert "--wrong VALUE" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--slots", "-1"], "command line: slots: input should be greater than or equal to 0"),
        (["--slotz", "1"], "unrecognized arguments: --slotz"),
        (["--port", "x"], "argument --port: invalid int value: 'x'"),
        (["--port", "70000"], "--port: should be between 0 and 65535"),
        (["--config", "missing.toml"], "missing.toml: No such file or directory"),
        (["--preset", "loud"], "preset: should be one of demo, quiet"),
        (["--degrade", "--slots", "0"], "degrade: without slots none is ever taken"),
    ],
)
def test_a_mistake_of_the_user_is_one_line(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("agenttop agent: ")
    assert said in captured.err
    assert captured.err.count("\n") == 1


def test_a_port_in_use_is_named_with_the_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 2
    assert capsys.readouterr().err == (
        f"agenttop agent: cannot listen on 127.0.0.1 port {port}: address already in use; "
        "choose another --port, 0 for any\n"
    )


def test_help_lists_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "--requests-per-minute" in capsys.readouterr().out


def test_a_child_has_a_session_of_its_own_and_ends_with_stop(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text('preset = "quiet"\n')
    agent = AgentProcess({"slots": 3}, config_file=file)
    with agent:
        pid = agent.pid
        assert os.getsid(pid) == pid
        assert agent.stats()["in_flight"] == 0
    assert gone(pid)
    assert agent.pid == 0
    agent.stop()


def test_a_child_that_cannot_start_says_why() -> None:
    with pytest.raises(AgentProcessError, match="slots: input should be"), AgentProcess({"slots": -1}):
        pass


def test_a_child_ends_when_its_parent_dies() -> None:
    program = (
        "import sys, time\n"
        "from agenttop.agent.process import AgentProcess\n"
        "agent = AgentProcess({'preset': 'quiet'})\n"
        "agent.start()\n"
        "print(agent.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    assert gone(pid)
