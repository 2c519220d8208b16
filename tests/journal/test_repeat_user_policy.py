from __future__ import annotations

from pathlib import Path
from typing import Any

from agenttop.journal.repeat import Left, driven, rewritten
from agenttop.journal.repeat_user_policy import with_user_policy
from agenttop.profile.load import load_profile
from agenttop.profile.toml import dumps
from tests.journal.test_repeat import header_of
from tests.steering.plans import STAGES, TASK

POOLS = f'[[pools]]\nname = "chat"\nthink_time = "1s"\n{TASK}[[pools]]\nname = "tools"\npacing = "2s"\n{TASK}'
VOICE = '[[pools]]\nname = "voice"\nprotocol = "ws"\n  [[pools.tasks]]\n  steps = [{ connect = "/" }]\n'
HEAD = 'target = "http://127.0.0.1:1"\non_429 = "retry"\nmax_retries = 2\n'


def again(folder: Path, *commands: tuple[float, str], text: str = HEAD + STAGES + POOLS) -> tuple[Any, list[str]]:
    """The profile of a run that got these commands, loaded, and what is said of it."""
    header = header_of(folder, text)
    given = [{"t_s": t_s, "command": command, "to": ""} for t_s, command in commands]
    left = Left(header, given, 30.0, completed=True)
    found, end_s = driven(left)
    table, notes = rewritten(header, found, end_s)
    notes += with_user_policy(table, left, end_s)
    (folder / "again.toml").write_text(dumps(table))
    return load_profile(folder / "again.toml", env={}).profile, notes


def test_what_held_from_the_first_moment_on_is_written_as_it_was(tmp_path: Path) -> None:
    profile, notes = again(tmp_path, (0.0, "think 250ms..3s"), (0.0, "on_429 count"))
    assert notes == []
    assert profile.on_429 == "count"
    assert [(pool.think_time, pool.pacing) for pool in profile.pools] == [((0.25, 3.0), None)] * 2


def test_of_several_what_lasted_longest_is_written_and_told(tmp_path: Path) -> None:
    profile, notes = again(tmp_path, (5.0, "pacing 4s chat"), (28.0, "think 9s tools"), (29.0, "on_429 honor"))
    assert [(pool.think_time, pool.pacing) for pool in profile.pools] == [((0.0, 0.0), 4.0), ((0.0, 0.0), 2.0)]
    assert profile.on_429 == "retry"
    assert notes == [
        "The pauses of chat were changed: those that lasted longest are written down.",
        "The pauses of tools were changed: those that lasted longest are written down.",
        'on_429 was changed, or differed by pool: "retry" is written down for all of the run.',
    ]


def test_a_profile_with_a_websocket_cannot_retry(tmp_path: Path) -> None:
    text = HEAD.split("on_429")[0] + STAGES + POOLS + VOICE
    profile, notes = again(tmp_path, (0.0, "on_429 retry chat"), (0.0, "on_429 retry tools"), text=text)
    assert profile.on_429 == "count"
    assert len(notes) == 1


def test_nothing_was_changed(tmp_path: Path) -> None:
    profile, notes = again(tmp_path)
    assert notes == []
    assert (profile.on_429, profile.max_retries, profile.pools[0].think_time) == ("retry", 2, (1.0, 1.0))


def test_what_pools_and_requests_say_themselves_is_left_as_it_is(tmp_path: Path) -> None:
    text = HEAD + STAGES + POOLS.replace('think_time = "1s"', 'think_time = "1s"\non_429 = "honor"')
    profile, notes = again(tmp_path, text=text)
    assert notes == []
    assert [pool.on_429 for pool in profile.pools] == ["honor", None]
    profile, notes = again(tmp_path, (0.0, "on_429 count"), text=text)
    assert notes == []
    assert (profile.on_429, [pool.on_429 for pool in profile.pools]) == ("count", [None, None])
