from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from agenttop.worker import files
from agenttop.worker.files import (
    count_open_files,
    file_limit,
    files_warning,
    most_users,
    open_files,
    raise_file_limit,
    short_of_files,
)
from tests.steering.plans import TASK, profile_of

POOL = '[[pools]]\nname = "a"\n' + TASK
ROOT = Path(__file__).resolve().parents[2]
#: What a process of ours finds when it is started with a limit.
LOOK = """
import json, sys
from pathlib import Path
from agenttop.worker.files import count_open_files, file_limit, files_warning
from tests.steering.plans import profile_of
profile = profile_of(Path(sys.argv[1]), sys.argv[2])
print(json.dumps([files_warning(profile, 1), file_limit()]))
"""


def under(soft: int, hard: int, folder: Path, users: int) -> tuple[list[str], int]:
    """(warnings, soft limit then) of a process that may open so many files, for a profile of so many users."""
    command = [sys.executable, "-c", LOOK, str(folder), f'users = {users}\nduration = "1s"\n' + POOL]
    limits = f'ulimit -Sn {soft} && ulimit -Hn {hard} && exec "$@"'
    done = subprocess.run(["sh", "-c", limits, "sh", *command], cwd=ROOT, capture_output=True, text=True, check=True)
    warnings, limit = json.loads(done.stdout)
    return warnings, limit


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


def test_too_few_files_are_said_with_the_remedy(tmp_path: Path) -> None:
    (warning,), limit = under(256, 1_024, tmp_path, 10_000)
    assert warning.startswith("10 000 users need 10 100 files, this shell allows 1 024: ulimit -n 20000")
    assert limit == 1_024


def test_what_a_raised_limit_allows_is_not_worth_a_word(tmp_path: Path) -> None:
    assert under(256, 1_024, tmp_path, 900) == ([], 1_024)


def test_users_that_a_run_is_steered_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "raise_file_limit", lambda: 1_024)
    assert short_of_files(924, 1) == short_of_files(1_848, 2) == ""
    limit = "the limit is 1 024: connections beyond it fail here, not at the target"
    assert short_of_files(925, 1) == f"925 users need 1 025 files, {limit}"
    assert short_of_files(4_000, 2) == f"4 000 users need 2 100 files in each of 2 workers, {limit}"


def test_a_search_for_users_counts(tmp_path: Path) -> None:
    text = '[objectives]\nlatency = "1s"\n[search]\nto = 5000\n' + POOL
    assert most_users(profile_of(tmp_path, text)) == 5000


def test_a_remedy_for_each_who_can_take_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    profile = profile_of(tmp_path, 'users = 1500\nduration = "1s"\n' + POOL)
    monkeypatch.setattr(files, "raise_file_limit", lambda: 1_024)
    monkeypatch.setattr(os, "geteuid", lambda: 1_000)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    said = "1 500 users need 1 600 files, this shell allows 1 024: ulimit -n 2000 (as root: it is the hard limit)"
    assert files_warning(profile, 1) == [f"{said}, or --workers 2"]
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert files_warning(profile, 1) == [said]
    assert files_warning(profile, 2) == []
    monkeypatch.setattr(files, "raise_file_limit", lambda: 300)
    assert files_warning(profile, 2)[0].startswith(
        "1 500 users need 850 files in each of 2 workers, this shell allows 300: ulimit -n 1000"
    )


def test_the_soft_limit_is_raised_to_the_hard_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 4096))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: asked.append(limits))
    assert raise_file_limit() == 4096
    assert asked == [(4096, 4096)]


def test_a_system_that_promises_more_than_it_grants(monkeypatch: pytest.MonkeyPatch) -> None:
    def grant(_: int, limits: tuple[int, int]) -> None:
        if limits[0] > 10_240:
            raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", grant)
    assert raise_file_limit() == 8_192


def test_open_files_are_counted_where_that_is_cheap_or_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    real = count_open_files()
    with open(os.devnull), open(os.devnull):
        assert open_files(real + 2) == real + 2
        monkeypatch.setattr(files, "_SIZED", "/nowhere")  # as before Linux 6.2
        assert open_files(10) == 10
        assert open_files(file_limit()) == real + 2
