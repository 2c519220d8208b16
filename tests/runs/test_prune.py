"""Tests of agenttop.runs.prune: only what is a run, is over, and is one's own goes."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from agenttop.exits import UsageError
from agenttop.journal.places import LOG, SUMMARY, hold, runs_directory, socket_path
from agenttop.runs import prune
from agenttop.runs.prune import SILENT_S, Choice, choose, remove
from agenttop.runs.register import all_runs
from tests.runs.test_register import finish

NOW = 1_800_000_000.0
DAY = 86_400.0
pytestmark = pytest.mark.usefixtures("home")


def run(day: int, name: str = "peak", exit_code: int = 99) -> str:
    """Leave behind a run of a day of January, which was over as many days before NOW as are left of 31."""
    run_id = f"202601{day:02}-120000-{name}-0a0b"
    directory = finish(run_id, exit_code=exit_code)
    (directory / LOG).touch()
    age(directory, (31 - day) * DAY)
    return run_id


def age(directory: Path, seconds: float) -> None:
    for path in (*directory.rglob("*"), directory):
        os.utime(path, (NOW - seconds, NOW - seconds), follow_symlinks=False)


def gone(choice: Choice) -> list[str]:
    return [over.run for over in choice.remove]


def test_all_but_the_newest() -> None:
    runs = [run(day) for day in (1, 2, 3, 4)]
    assert gone(choose(NOW, keep=2)) == [runs[1], runs[0]], "the newest first"
    assert gone(choose(NOW, keep=4)) == []
    assert gone(choose(NOW, keep=0)) == runs[::-1]


def test_those_that_are_over_for_longer() -> None:
    runs = [run(day) for day in (1, 2, 3)]
    assert gone(choose(NOW, older_s=29 * DAY)) == [runs[0]], "29 days are not longer than 29 days"
    assert gone(choose(NOW, older_s=29 * DAY - 1)) == [runs[1], runs[0]]
    # What counts is when it ended, not when it began: a run may go on for days.
    (runs_directory() / runs[0] / SUMMARY).touch()
    os.utime(runs_directory() / runs[0] / SUMMARY, (NOW - DAY, NOW - DAY))
    assert gone(choose(NOW, older_s=10 * DAY)) == [runs[2], runs[1]]


def test_the_newest_of_each_profile_that_passed_stays() -> None:
    old, passed, failed = run(1, exit_code=0), run(2, exit_code=0), run(3)
    other = run(1, "smoke", exit_code=0)
    choice = choose(NOW, keep=0)
    assert (gone(choice), choice.bases) == ([failed, old], [passed, other])
    assert choose(NOW, keep=2).bases == [other], "of those that would go"
    choice = choose(NOW, keep=0, also_last_passed=True)
    assert (gone(choice), choice.bases) == ([failed, passed, other, old], [])


def test_what_a_run_takes_on_the_disk() -> None:
    directory = runs_directory() / run(1)
    (directory / "answers.jsonl").write_bytes(bytes(100_000))
    age(directory, DAY)
    (over,) = choose(NOW).remove
    assert 100_000 <= over.bytes < 1_000_000
    assert over.written_s == NOW - DAY


@pytest.mark.parametrize("left", [(), (LOG,), (LOG, "journal.bin"), ("journal.bin", "summary.json")])
def test_one_that_is_half_written_or_damaged_goes_as_others_do(left: tuple[str, ...]) -> None:
    directory = runs_directory() / "20260101-120000-peak-0a0b"
    directory.mkdir(parents=True)
    for name in left:
        (directory / name).write_bytes(b"\x00 half")
    (directory / ".summary.json.12.tmp").write_bytes(b"{")
    (directory / "a folder").mkdir()
    os.mkfifo(directory / "answers.jsonl")
    age(directory, DAY)
    (over,) = choose(NOW).remove
    remove(over)
    assert all_runs() == []


def test_a_pipe_for_a_log_is_not_waited_for() -> None:
    directory = runs_directory() / "20260101-120000-peak-0a0b"
    directory.mkdir(parents=True)
    os.mkfifo(directory / LOG)
    age(directory, DAY)
    assert gone(choose(NOW)) == [directory.name]


def test_what_goes_on_stays() -> None:
    listening, held, over = run(3), run(2), run(1)
    with socket.socket(socket.AF_UNIX) as controller, (runs_directory() / held / LOG).open("wb") as log:
        controller.bind(str(socket_path(listening)))
        controller.listen(8)
        hold(log)
        age(runs_directory() / held, DAY)
        assert gone(choose(NOW)) == [over], "one listens, the other has processes though nobody finds its socket"
        # Neither counts among those that are kept.
        assert gone(choose(NOW, keep=1)) == []
    assert gone(choose(NOW)) == [listening, held, over]


def test_one_that_was_only_now_begun_stays() -> None:
    directory = runs_directory() / "20260101-120000-peak-0a0b"
    directory.mkdir(parents=True)
    age(directory, 1.0)
    assert gone(choose(NOW)) == []
    assert gone(choose(NOW + 10.0)) == [directory.name]


def test_where_nobody_can_tell_what_is_still_written_to_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    directory = runs_directory() / run(1)
    monkeypatch.setattr(prune, "is_held", lambda directory: None)  # a file system without locks
    age(directory, SILENT_S - 1)
    assert gone(choose(NOW)) == []
    age(directory, SILENT_S)
    assert gone(choose(NOW)) == [directory.name]


def test_links_are_neither_followed_nor_counted(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_bytes(bytes(1_000_000))
    directory = runs_directory() / run(1)
    (directory / "mine").symlink_to(mine)
    (directory / "answers.jsonl").symlink_to(mine / "thesis.txt")
    age(directory, DAY)
    (runs_directory() / "20260102-120000-peak-0a0b").symlink_to(mine)
    (over,) = choose(NOW).remove
    assert (over.run, over.bytes < 1_000_000, over.written_s) == (directory.name, True, NOW - DAY)
    remove(over)
    assert not directory.exists()
    assert (mine / "thesis.txt").exists()
    assert (runs_directory() / "20260102-120000-peak-0a0b").is_symlink()


def test_a_link_that_took_the_place_of_a_run_meanwhile_is_left_alone(tmp_path: Path) -> None:
    directory = runs_directory() / run(1)
    (over,) = choose(NOW).remove
    directory.rename(tmp_path / "moved")
    directory.symlink_to(tmp_path / "moved")
    with pytest.raises(OSError, match="symbolic link"):
        remove(over)
    assert (tmp_path / "moved" / SUMMARY).exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("whose", [".", "summary.json", "folder/file"])
def test_what_is_somebody_elses_is_left_alone(whose: str) -> None:
    directory, mine = runs_directory() / run(2), run(1)
    (directory / "folder").mkdir()
    (directory / "folder" / "file").touch()
    os.chown(directory / whose, 12345, 12345)
    age(directory, DAY)
    choice = choose(NOW)
    assert gone(choice) == [mine]
    assert list(choice.left) == [directory.name]
    assert choice.left[directory.name].endswith("somebody else's")


def test_what_is_no_run_is_left_alone() -> None:
    for name in ("notes", "20260101-120000-peak-0a0b.bak", "20260101-120000-peak", ".hidden"):
        (runs_directory() / name).mkdir(parents=True)
        age(runs_directory() / name, DAY)
    (runs_directory() / "20260101-120000-peak-0a0b").write_text("a file")
    assert choose(NOW) == Choice()


def test_a_directory_that_cannot_be_read_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    closed, over = run(2), run(1)

    def scandir(path: os.PathLike[str]) -> object:
        if Path(path).name == closed:
            raise PermissionError(13, "Permission denied")
        return real(path)

    real = os.scandir
    with monkeypatch.context() as patched:
        patched.setattr(os, "scandir", scandir)
        choice = choose(NOW)
    assert (gone(choice), choice.left) == ([over], {closed: "Permission denied"})


def test_places_that_are_not_there_or_cannot_be_read() -> None:
    assert choose(NOW) == Choice()
    runs_directory().parent.mkdir(parents=True)
    runs_directory().write_text("a file")
    with pytest.raises(UsageError, match=r"/runs: Not a directory; XDG_STATE_HOME says where runs are kept$"):
        choose(NOW)
