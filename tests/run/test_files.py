from __future__ import annotations

import resource
from pathlib import Path

import pytest

from agenttop.run.files import files_warning, most_users, raise_file_limit
from tests.run.plans import TASK, profile_of

POOL = '[[pools]]\nname = "a"\n' + TASK


def test_users_are_those_of_the_highest_stage_and_of_every_pool_of_its_own(tmp_path: Path) -> None:
    text = (
        'stages = [ { duration = "1s", users = 7 }, { duration = "1s", users = 3 } ]\n'
        + POOL
        + '[[pools]]\nname = "b"\nstages = [ { duration = "1s", users = 5 } ]\n'
        + TASK
        + '[[pools]]\nname = "c"\nmax_users = 11\nstages = [ { duration = "1s", rate = 5 } ]\n'
        + TASK
    )
    assert most_users(profile_of(tmp_path, text)) == 7 + 5 + 11


def test_too_few_files_are_said_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    profile = profile_of(tmp_path, 'users = 10000\nduration = "1s"\n' + POOL)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 1024))
    (warning,) = files_warning(profile, 1)
    assert warning.startswith("10000 users need 10100 open files, this shell allows 1024: ulimit -n 10100")
    assert files_warning(profile, 20) == []


def test_the_soft_limit_is_raised_to_the_hard_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 4096))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: asked.append(limits))
    raise_file_limit()
    assert asked == [(4096, 4096)]
