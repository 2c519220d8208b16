"""A run that is steered from outside: every command is answered, the server sees the last, and nobody is in the way."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time

from agenttop.agent.process import AgentProcess
from tests.e2e.harness import PATIENCE_S, Place, until
from tests.e2e.profiles import VOICE
from tests.e2e.terminal import Terminal


def connected(agent: AgentProcess) -> int:
    """Users, as the server counts them."""
    return int(agent.stats()["websocket"]["open"])


def ctl(place: Place, *words: object) -> tuple[int, dict[str, object]]:
    """Exit code and answer of ``agenttop ctl WORDS``."""
    run = place.finish("ctl", *words)
    return run.wait(), json.loads(run.out.text())


def test_users_from_a_script_are_at_the_server(place: Place, agent: AgentProcess) -> None:
    with place.start("--profile", place.write(VOICE.format(url=agent.url)), "--headless") as run:
        viewer = run.viewer()
        viewer.wait(lambda s: s["users"] == 3)
        sent = time.monotonic()
        assert viewer.command("users +50")["applied"]
        until(lambda: connected(agent) == 53, "fifty more connections")
        # A second on a machine with nothing else to do; this only tells it from a change that never comes.
        assert time.monotonic() - sent < 10
        assert ctl(place, "p", "users", "-13") == (0, {"applied": True, "message": "users 53 → 40"})
        until(lambda: connected(agent) == 40, "thirteen less")
        code, answer = ctl(place, "hold")
        assert (code, answer["applied"]) == (0, True)
        code, answer = ctl(place, "hold")
        assert (code, answer) == (1, {"applied": False, "message": "the plan's clock is held already"})
        code, answer = ctl(place, "release", "nobody")
        assert (code, answer["applied"]) == (1, False)
        assert "there is no pool nobody" in str(answer["message"])
        code, status = ctl(place, "status")
        assert (code, status["held"], status["target_users"]) == (0, True, 40)
        assert ctl(place, "stop")[0] == 0
        assert run.wait() == 130
    assert [control["to"] for control in place.summary()["controls"]] == [53, 40, "held", "draining"]
    assert [control["source"] for control in place.summary()["controls"]] == ["api", "ctl", "ctl", "ctl"]


def test_keys_pressed_fast_are_one_mark_and_one_event_and_each_a_control(place: Place, agent: AgentProcess) -> None:
    with place.start("--profile", place.write(VOICE.format(url=agent.url)), "--headless") as run:
        viewer = run.viewer()
        viewer.wait(lambda s: s["users"] == 3)
        for _ in range(10):
            viewer.command("users +1")
        told = viewer.wait(lambda s: any("users 3 → 13" in event["text"] for event in s["events"]))
        assert [mark["text"] for mark in told["by_hand"]] == ["users 3 → 13"]
        assert [event["text"] for event in told["events"] if event["text"].startswith("api")] == ["api: users 3 → 13"]
        # Who comes later is told as well.
        assert [mark["text"] for mark in run.viewer().info["by_hand"]] == ["users 3 → 13"]
        viewer.command("stop")
        run.wait()
    assert [control["to"] for control in place.summary()["controls"][:10]] == list(range(4, 14))


def test_a_hundred_commands_at_once_and_the_last_wins(place: Place, agent: AgentProcess) -> None:
    with place.start("--profile", place.write(VOICE.format(url=agent.url)), "--headless", "--workers", 2) as run:
        viewer = run.viewer()
        viewer.wait(lambda s: s["users"] == 3)
        wanted = [(n * 37) % 60 for n in range(100)]
        for number, users in enumerate(wanted, 1):
            viewer._socket.sendall(json.dumps({"id": number, "command": f"users {users}"}).encode() + b"\n")
        replies: list[dict[str, object]] = []
        while len(replies) < 100:
            message = viewer.read()
            assert message is not None
            if message["type"] == "reply":
                replies.append(message)
        assert [reply["id"] for reply in replies] == list(range(1, 101))
        assert all(reply["applied"] for reply in replies)
        viewer.wait(lambda s: s["users"] == s["target_users"] == wanted[-1])
        until(lambda: connected(agent) == wanted[-1], "the last of them")
        viewer.command("stop")
        assert run.wait() == 130
    assert [control["to"] for control in place.summary()["controls"]] == [*wanted, "draining"]


def test_who_attaches_late_sees_the_run_from_its_beginning(place: Place, agent: AgentProcess) -> None:
    with place.start("--profile", place.write(VOICE.format(url=agent.url)), "--headless") as run:
        viewer = run.viewer()
        viewer.wait(lambda s: s["users"] == 3)
        for users in range(4, 64):
            assert viewer.command(f"users {users}")["applied"]
        before = viewer.wait(lambda s: s["users"] == 63)["t_s"]
        viewer.command("release")
        viewer.wait(lambda s: s["users"] == 3)
        with Terminal(place, "attach", "p", rows=40, columns=120) as terminal:
            late = terminal.viewer()
            history = late.info["history"]
            assert [tick["t_s"] for tick in history[:2]] == [1.0, 2.0]
            assert next(tick for tick in history if tick["t_s"] == before)["manual"]
            assert not history[0]["manual"]
            assert not history[-1]["manual"]
            terminal.send("6")  # the small pane has three events, and the newest may be of anything
            terminal.wait_for("api: the plan's targets again")
            terminal.wait_for("api: users 40 → 41")
            terminal.send("\x1b[6~\x1b[6~")
            # Sixty commands ago: no snapshot has it any more.
            terminal.wait_for("stage 1 ")
            terminal.send("d")
            assert terminal.wait() == 0
        viewer.command("stop")
        assert run.wait() == 130


def test_viewers_that_stall_or_talk_nonsense_are_in_nobodys_way(place: Place, agent: AgentProcess) -> None:
    with place.start("--profile", place.write(VOICE.format(url=agent.url)), "--headless") as run:
        viewer = run.viewer()
        viewer.wait(lambda s: s["users"] == 3)
        (path,) = place.sockets()
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
        nonsense = socket.socket(socket.AF_UNIX)
        stalled = subprocess.Popen(
            [sys.executable, "-m", "agenttop", "attach", "--headless"],
            env=place.env(), cwd=place.root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            assert stalled.stdout is not None
            stalled.stdout.readline()
            os.kill(stalled.pid, signal.SIGSTOP)
            nonsense.connect(str(path))
            nonsense.setblocking(False)
            sent = 0
            while True:
                try:
                    sent += nonsense.send(os.urandom(4000) + b"\n")
                except BlockingIOError:
                    break
            first = viewer.wait(lambda s: True)
            last = viewer.wait(lambda s: s["t_s"] >= first["t_s"] + 3)
            # Not one second is missing, late or without its requests.
            between = [s for s in viewer.snapshots if first["t_s"] <= s["t_s"] <= last["t_s"]]
            assert [s["t_s"] - first["t_s"] for s in between] == [0.0, 1.0, 2.0, 3.0]
            assert all(s["tick"]["rps"] > 0 for s in between)
            assert viewer.command("users 8")["applied"]
            until(lambda: connected(agent) == 8, "eight users")
            viewer.command("stop")
            assert run.wait() == 130
        finally:
            nonsense.close()
            os.kill(stalled.pid, signal.SIGCONT)
            assert stalled.wait(PATIENCE_S) == 130
            assert stalled.stdout is not None
            stalled.stdout.close()
    assert place.summary()["totals"]["failed"] == 0
    place.gone()


def test_a_thousand_callers_leave_nothing_behind(place: Place, agent: AgentProcess) -> None:
    with place.start("--profile", place.write(VOICE.format(url=agent.url)), "--headless") as run:
        viewer = run.viewer()
        viewer.wait(lambda s: s["users"] == 3)
        controller, (path,) = place.controller(), place.sockets()
        files = controller.num_fds()
        for number in range(1000):
            with socket.socket(socket.AF_UNIX) as caller:
                caller.connect(str(path))
                if number % 2:
                    caller.sendall(b'{"id": 1, "comm' if number % 3 else os.urandom(500))
        until(lambda: controller.num_fds() <= files, "every connection closed again")
        assert viewer.command("users 5")["applied"]
        until(lambda: connected(agent) == 5, "five users")
        viewer.command("stop")
        assert run.wait() == 130
    assert place.summary()["totals"]["failed"] == 0
    assert (place.directory() / "controller.log").read_text() == ""
    place.gone()
