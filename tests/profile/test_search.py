"""What a search makes of a profile, and ``agenttop capacity`` of one without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agenttop.profile.load import Loaded
from agenttop.profile.problems import ProfileError
from agenttop.profile.search import Capacity
from tests.profile.writing import POOL, load

HEAD = 'target = "http://127.0.0.1:8000"\n'
GOOD = '[objectives]\nlatency = "1s"\n'
STAGES = '[[stages]]\nduration = "1m"\nusers = 40\n[[stages]]\nduration = "1m"\nusers = 0\n'
OWN = POOL.replace(
    "[[pools.tasks]]", 'stages = [{ duration = "1m", rate = 5 }, { duration = "1m", rate = 25 }]\n[[pools.tasks]]'
)


def capacity(folder: Path, text: str, most: float | None = None, pool: str | None = None, **options: Any) -> Loaded:
    return load(folder, HEAD + text, capacity=Capacity(most, pool), **options)


def refused(folder: Path, text: str, **options: Any) -> list[str]:
    with pytest.raises(ProfileError) as error:
        capacity(folder, text, **options)
    return [str(problem) for problem in error.value.problems]


def test_what_is_not_said_has_a_default(tmp_path: Path) -> None:
    profile = load(tmp_path, HEAD + "search = { to = 50 }\n" + GOOD + POOL).profile
    search = profile.search
    assert search is not None
    assert (search.from_, search.to, search.unit, search.pool) == (1.0, 50.0, "users", None)
    assert (search.good, search.confidence, search.resolution) == (0.95, 0.95, "5%")
    assert (search.settle, search.measure, search.max_measure) == (5.0, 15.0, 60.0)
    (stage,) = profile.stages
    assert (stage.name, stage.users, stage.ramp, stage.duration) == ("search", 0, "step", 86_400.0)


def test_a_rate_begins_low_and_makes_its_pool_open(tmp_path: Path) -> None:
    text = 'search = { to = 4, unit = "rate" }\n' + GOOD
    text += POOL.replace("[[pools.tasks]]", 'arrivals = "poisson"\nmax_users = 7\n[[pools.tasks]]')
    profile = load(tmp_path, HEAD + text).profile
    assert profile.search is not None
    assert (profile.search.from_, profile.search.pool) == (0.5, "chat")
    assert profile.stages == []
    assert profile.pools[0].open
    assert profile.pools[0].stages[0].rate == 0.0


def test_what_is_beside_a_searched_pool_is_held_at_its_highest(tmp_path: Path) -> None:
    beside = OWN.replace('"chat"', '"voice"')
    profile = load(tmp_path, HEAD + 'search = { to = 9, pool = "chat" }\n' + GOOD + POOL + beside).profile
    chat, voice = profile.pools
    assert [(stage.name, stage.users, stage.rate) for stage in chat.stages] == [("search", 0, None)]
    assert [(stage.name, stage.users, stage.rate) for stage in voice.stages] == [("background", None, 25.0)]


def test_the_highest_stage_is_the_most(tmp_path: Path) -> None:
    loaded = capacity(tmp_path, 'thresholds = ["rps > 1"]\n' + STAGES + GOOD + POOL)
    search = loaded.profile.search
    assert search is not None
    assert (search.to, search.unit, search.pool) == (40.0, "users", None)
    assert loaded.masked["search"] == {"to": 40}
    assert "stages" not in loaded.masked
    assert "thresholds" not in loaded.masked
    assert loaded.profile.thresholds == []
    assert loaded.warnings == ("thresholds are not judged in a search; what must be good is in [objectives]",)


def test_the_command_line_says_more(tmp_path: Path) -> None:
    search = capacity(tmp_path, 'users = 5\nduration = "1s"\n' + GOOD + POOL, most=200).profile.search
    assert search is not None
    assert search.to == 200.0
    search = capacity(tmp_path, "search = { from = 3, to = 50 }\n" + GOOD + POOL, most=20).profile.search
    assert search is not None
    assert (search.from_, search.to) == (3.0, 20.0)
    text = 'users = 5\nduration = "1s"\n' + GOOD + POOL
    search = capacity(tmp_path, text, overrides=["search.settle=1s"]).profile.search
    assert search is not None
    assert (search.to, search.settle) == (5.0, 1.0)
    search = capacity(tmp_path, GOOD + POOL, most=20).profile.search
    assert search is not None
    assert search.to == 20.0


def test_an_open_pool_is_searched_by_its_rate(tmp_path: Path) -> None:
    profile = capacity(tmp_path, GOOD + OWN).profile
    assert profile.search is not None
    assert (profile.search.unit, profile.search.to, profile.search.pool) == ("rate", 25.0, "chat")
    two = GOOD + OWN + OWN.replace('"chat"', '"voice"')
    assert refused(tmp_path, two) == [
        "command line: --pool: is needed: every pool of this profile has stages of its own"
    ]
    profile = capacity(tmp_path, two, pool="voice").profile
    assert [pool.stages[0].name for pool in profile.pools] == ["background", "search"]
    assert refused(tmp_path, two, pool="vioce")[0] == (
        "command line: --pool: no pool is called vioce; there are: chat, voice"
    )


def test_what_cannot_be_searched_is_said(tmp_path: Path) -> None:
    assert refused(tmp_path, STAGES + POOL)[0].startswith(
        str(tmp_path / "peak.toml") + ": search: needs [objectives]: what a good request is"
    )
    assert refused(tmp_path, GOOD + POOL)[0].endswith("needs to: the most users, or iterations per second, to try")
    with pytest.raises(ProfileError, match=r"command line: --users: goes without \[search\]"):
        load(tmp_path, HEAD + "search = { to = 5 }\n" + GOOD + POOL, users=9)


def test_a_secret_number_stays_one(tmp_path: Path) -> None:
    text = 'users = "${PEAK}"\nduration = "1s"\n' + GOOD + POOL
    loaded = capacity(tmp_path, text, env={"PEAK": "4711"})
    assert loaded.profile.search is not None
    assert loaded.profile.search.to == 4711.0
    assert "4711" not in str(loaded.masked)
