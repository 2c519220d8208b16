"""The table of commands: each row is whole, and a new command is a row and its effect."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agenttop.cli.main import main
from agenttop.schedule.control import Control
from agenttop.steering.apply import Rejected, steer
from agenttop.steering.command import CommandError, parse_command, split_run
from agenttop.steering.commands import COMMANDS, Form
from agenttop.steering.effects import Change, Moment
from agenttop.steering.grammar import completions, hint
from agenttop.steering.reading import Command, read_pool
from tests.steering.plans import MIXED, plan_of


def test_help_fits_a_terminal() -> None:
    for word, form in COMMANDS.items():
        assert word == form.word
        assert form.help
        assert len(form.help) <= 40


def test_what_has_no_effect_on_the_controls(tmp_path: Path) -> None:
    assert [word for word, form in COMMANDS.items() if form.effect is None] == ["box", "start", "stop", "status"]
    with pytest.raises(Rejected, match="stop does nothing to the controls"):
        steer(Command("stop"), Control(), plan_of(tmp_path, MIXED), 0.0)


def freeze(command: Command, now: Moment) -> Change:
    """Hold the plan's clock and pause."""
    return Change(now.control.hold(now.elapsed).pause(True), f"frozen at {now.plan_time:g} s", command.pool)


def test_a_new_command_is_a_row_and_its_effect(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match="unknown command 'freeze'"):
        parse_command("freeze")
    monkeypatch.setitem(COMMANDS, "freeze", Form("freeze", "[POOL]", "hold and pause", read_pool, freeze))

    command = parse_command("freeze chat")
    assert command == Command("freeze", pool="chat")
    change = steer(command, Control(), plan_of(tmp_path, MIXED), 7.0)
    assert (change.control.held_at, change.control.paused, change.said) == (7.0, True, "frozen at 7 s")
    with pytest.raises(CommandError, match=r"say: freeze \[POOL\]"):
        parse_command("freeze a b")
    with pytest.raises(CommandError, match=r"there are: .*, freeze"):
        parse_command("nonsense")
    assert split_run(["peak", "freeze"]) == ("peak", "freeze")
    assert completions("fr", ["chat"]) == ["freeze"]
    assert completions("freeze ", ["chat"]) == ["freeze chat"]
    assert hint("freeze ") == "freeze [POOL]: hold and pause"
    with pytest.raises(SystemExit):
        main(["ctl", "--help"])
    assert re.search(r"\n  freeze \[POOL\] +hold and pause", capsys.readouterr().out)
