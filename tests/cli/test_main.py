"""Tests of agenttop.cli.main, agenttop.cli.parsers, agenttop.cli.arguments, agenttop.cli.init, agenttop.cli.schema,
agenttop.cli.validate, agenttop.cli.run_path, agenttop.cli.report, agenttop.cli.output.
"""

from __future__ import annotations

import asyncio
import errno
import io
import json
import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jsonschema
import pytest

import agenttop
from agenttop.cli import report
from agenttop.cli.main import main
from agenttop.journal.journal import JournalWriter
from agenttop.journal.places import new_run, runs_directory, socket_path
from agenttop.journal.summarize import build_summary, run_header
from agenttop.metrics.snapshot import Reply, RunInfo
from agenttop.report.summary import write_summary
from agenttop.runs.control_socket import ControlSocket
from agenttop.steering.commands import COMMANDS
from tests.metrics.fakes import FakeRun

PROFILES = Path(__file__).resolve().parents[2] / "profiles"
PROFILE = """
target = "http://127.0.0.1:1"
users = 1
duration = "1s"
[[pools]]
name = "a"
  [[pools.tasks]]
  name = "t"
  get = "/"
"""


@pytest.fixture(autouse=True)
def stand(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command stands in a place without runs, with a profile."""
    monkeypatch.chdir(home)
    (home / "p.toml").write_text(PROFILE)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line a command that cannot be followed says."""
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1, said.err
    assert "Traceback" not in said.err
    return said.err.removesuffix("\n")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("--headless", "agenttop: say what to run: agenttop --profile FILE, or agenttop demo"),
        ("--nonsense", "agenttop: unrecognized arguments: --nonsense (see agenttop --help)"),
        ("p.toml", "agenttop: to run a profile say: agenttop --profile p.toml"),
        ("missing.toml", "agenttop: to run a profile say: agenttop --profile missing.toml"),
        ("repot", "agenttop: there is no command 'repot'; did you mean report?"),
        ("xyzzy", "agenttop: there is no command 'xyzzy' (see agenttop --help)"),
        ("--profile p.toml --for soon", "agenttop: argument --for: "),
        ("--profile p.toml --for 0s", "agenttop: argument --for: must be longer than 0s (see agenttop --help)"),
        ("--profile p.toml --users x", "agenttop: argument --users: expected a whole number, not 'x'"),
        ("--profile p.toml --users -1", "agenttop: argument --users: must be 0 to 1 000 000"),
        ("--profile p.toml --users 1 --spawn-rate 0", "agenttop: argument --spawn-rate: must be above 0"),
        ("--profile p.toml --users 1 --spawn-rate nan", "agenttop: argument --spawn-rate: must be above 0"),
        ("--profile p.toml --workers 0", "agenttop: argument --workers: must be auto or 1 to 256"),
        ("--profile p.toml --workers many", "agenttop: argument --workers: expected a whole number"),
        (f"--profile p.toml --users {'9' * 5000}", "agenttop: argument --users: must be 0 to 1 000 000"),
        (f"--profile p.toml --users {'9' * 400}", "agenttop: argument --users: must be 0 to 1 000 000"),
        (f"--profile p.toml --for {'9' * 400}s", "agenttop: argument --for: expected a duration"),
        (
            "--profile p.toml --for 9999999h",
            "agenttop: argument --for: the duration '9999999h' is too long",
        ),
        ("--profile p.toml --users 1 --spawn-rate 1e999", "agenttop: argument --spawn-rate: must be above 0"),
        (
            "--profile p.toml --users 1 --spawn-rate 1e-320",
            "command line: --spawn-rate: so many users would take",
        ),
        (f"--profile p.toml --workers {'9' * 400}", "agenttop: argument --workers: must be 0 to 1 000 000"),
        (
            f"--profile p.toml --set pools.0.weight=1{'0' * 309}",
            "command line: --set pools.0.weight: this number",
        ),
        (f"--profile p.toml --set seed={'9' * 5000}", "command line: --set seed: holds a number that is too large"),
        (f"hit http://h -z {'9' * 400}h", "agenttop: argument -z: expected a duration"),
        (f"hit http://h -q {'9' * 400}", "agenttop: argument -q: must be above 0 and at most 1 000 000"),
        (f"hit http://h -n {'9' * 400}", "agenttop: argument -n: must be 0 to 1 000 000"),
        (f"agent --seed {'9' * 400}", "agenttop agent: command line: seed: "),
        (f"agent --requests-per-minute {'9' * 400}", "agenttop agent: command line: requests_per_minute: "),
        (f"agent --tokens-per-minute {'9' * 5000}", "agenttop agent: command line: tokens_per_minute: "),
        ("agent --first-token 1e999", "agenttop agent: command line: first_token: "),
        ("--profile p.toml --on-hangup cry", "agenttop: argument --on-hangup: invalid choice"),
        ("--profile p.toml --spawn-rate 2", "agenttop: --spawn-rate goes with --users"),
        ("--profile p.toml --out .", "agenttop: --out . is a directory; name a file"),
        ("--profile p.toml --out no/such/x.json", "agenttop: --out no/such/x.json: there is no directory "),
        (f"--profile p.toml --out {'x' * 300}", f"agenttop: --out {'x' * 300}: File name too long"),
        ("--profile missing.toml", "missing.toml: there is no such file; agenttop init writes one to start from"),
        ("--profile p.toml --set nonsense", "command line: --set nonsense: "),
        ("--profile p.toml --target nowhere", "command line: --target: "),
        ("demo --target http://127.0.0.1:1", "agenttop: demo brings its own target"),
        ("demo --nonsense", "agenttop: unrecognized arguments: --nonsense (see agenttop demo --help)"),
        ("validate", "agenttop: the following arguments are required: FILE (see agenttop validate --help)"),
        ("schema everything", "agenttop: argument what: invalid choice: 'everything'"),
        ("report", "agenttop: there is no run on this machine yet"),
        ("report missing", "agenttop: there is no run on this machine yet"),
        ("report no/such/summary.json", "agenttop: no/such/summary.json: No such file or directory"),
        ("report p.toml", "agenttop: "),
        (f"report {'x' * 300}", f"agenttop: {'x' * 300}: File name too long"),
        ("report .", "agenttop: .: no run's directory: it has neither summary.json nor journal.bin"),
        ("attach", "agenttop: there is no live run on this machine; those that are over: agenttop ps"),
        ("ctl peak hold", "agenttop: there is no live run on this machine"),
        ("ctl", "agenttop: there is no live run on this machine"),
        ("prune", "agenttop: one of the arguments --keep --older is required (see agenttop prune --help)"),
        ("prune --keep 3", "agenttop: it asks before it removes, and there is no terminal to ask on; say --yes"),
        ("replay", "agenttop: there is no run on this machine yet"),
        ("replay .", "agenttop: .: no journal to replay: No such file or directory"),
        ("replay --speed 0", "agenttop: argument --speed: must be above 0"),
        ("hit", "agenttop: the following arguments are required: URL (see agenttop hit --help)"),
        ("hit localhost:80", "agenttop: localhost:80: expected a URL that begins with http://"),
        ("hit http://h -c 0", "agenttop: argument -c: must be 1 to 1 000 000"),
        ("hit http://h -n 0", "agenttop: argument -n: must be 1 to 1 000 000"),
        ("hit http://h -d @no/such", "agenttop: -d @no/such: No such file or directory"),
        ("hit http://h --dialect nope", "agenttop hit: --dialect: expected one of json, "),
        ("hit http://h -H x:${NO_SUCH}", "agenttop hit: headers.x: the environment variable NO_SUCH is not set"),
        ("hit http://h --write no/such.toml", "agenttop: no/such.toml: No such file or directory"),
        ("hit http://h --write p.toml", "agenttop: p.toml is there already"),
        ("profile-of", "agenttop: there is no run on this machine yet"),
        ("profile-of .", "agenttop: .: no journal: No such file or directory"),
        ("agent --port many", "agenttop agent: "),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(capsys: pytest.CaptureFixture[str], arguments: str, line: str) -> None:
    assert refused(capsys, *arguments.split()).startswith(line)


def test_nothing_to_do_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    said = capsys.readouterr()
    assert "demo" in said.out
    assert said.err.startswith("agenttop: say what to run")


@pytest.mark.parametrize(
    "command",
    [
        *(
            "-",
            "agent",
            "attach",
            "capacity",
            "cases",
            "compare",
            "completion",
            "ctl",
            "demo",
            "hit",
            "init",
            "profile-of",
            "prune",
            "ps",
            "replay",
            "report",
        ),
        *("schema", "serve", "validate"),
    ],
)
def test_every_command_has_help(capsys: pytest.CaptureFixture[str], command: str) -> None:
    with pytest.raises(SystemExit) as stop:
        sys.exit(main([*command.strip("-").split(), "--help"]))
    assert stop.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith("usage: agenttop")
    assert max(map(len, shown.splitlines())) <= 80


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"agenttop {agenttop.__version__}\n"


def test_validate(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    good = [str(path) for path in sorted(PROFILES.glob("*.toml"))]
    assert main(["validate", *good]) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line for line in told if not line.startswith("  ")] == [f"{name}: ok" for name in good]
    assert any("200 cases in" in line for line in told), "and what there is to grade"
    (home / "bad.toml").write_text(PROFILE.replace("users = 1", "user = 1"))
    assert main(["validate", "p.toml", "bad.toml"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "bad.toml" in said.err
    assert "users" in said.err, "the nearest known key"


def test_init_writes_a_profile_that_validates_and_overwrites_nothing(
    capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    assert main(["init"]) == 0
    assert main(["validate", "agenttop.toml"]) == 0
    capsys.readouterr()
    written = (home / "agenttop.toml").read_bytes()
    assert "is there already" in refused(capsys, "init")
    assert (home / "agenttop.toml").read_bytes() == written
    assert refused(capsys, "init", "no/such/file.toml") == "agenttop: no/such/file.toml: No such file or directory"


@pytest.mark.parametrize("what", ["", "profile", "summary"])
def test_schema(capsys: pytest.CaptureFixture[str], what: str) -> None:
    assert main(["schema", *what.split()]) == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(capsys.readouterr().out))


def test_an_unreachable_target_is_a_failed_run(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    assert main(["--profile", "p.toml", "--headless", "--out", "out.json"]) == 1
    said = capsys.readouterr()
    assert said.err.startswith("agenttop: cannot connect to 127.0.0.1:1: ")
    assert said.err.count("\n") == 1
    assert json.loads((home / "out.json").read_text())["run"]["stop_reason"] == "target_unreachable"


# -- reports


def make_summary(directory: Path) -> Path:
    run = FakeRun(seconds=5)
    header = run_header(run.info(), run.layout, {"name": "peak"}, "0" * 64)
    summary = build_summary(
        run.aggregate(), header, duration_s=5.0, sending_ended_s=5.0, stop_reason="completed", exit_code=0
    )
    write_summary(directory / "summary.json", summary)
    return directory / "summary.json"


def test_report_by_file_directory_and_id(capsys: pytest.CaptureFixture[str]) -> None:
    run_id, directory = new_run("peak")
    path = make_summary(directory)
    shown = []
    for where in ([str(path)], [str(directory)], [run_id], [run_id[:20]], ["peak"], []):
        assert main(["report", *where]) == 0
        shown.append(capsys.readouterr().out)
    assert "peak" in shown[0]
    assert len(set(shown)) == 1


def test_a_folder_that_is_called_as_the_run_is_does_not_hide_it(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    (home / "peak").mkdir()
    assert refused(capsys, "report", "peak").startswith("agenttop: peak: no run's directory: ")
    make_summary(new_run("peak")[1])
    assert main(["report", "peak"]) == 0
    assert "peak" in capsys.readouterr().out


def test_report_as_json(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    path = make_summary(home)
    assert main(["report", str(path), "-o", "-"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(path.read_text())
    assert main(["report", str(path), "-o", "copy.json"]) == 0
    assert json.loads((home / "copy.json").read_text()) == json.loads(path.read_text())


def test_report_rebuilds_a_run_that_was_cut_off(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    run = FakeRun(seconds=3)
    with JournalWriter(home, run_header(run.info(), run.layout, {"name": "peak"}, "0" * 64)) as journal:
        for second in (1, 2):
            journal.second(run.situation(second), run.deltas(second))
    assert main(["report", "."]) == 0
    assert "peak" in capsys.readouterr().out
    summary = json.loads((home / "summary.json").read_text())
    assert (summary["run"]["incomplete"], summary["run"]["duration_s"]) == (True, 2.0)


def test_report_of_something_else(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    for text in ("", "[]", "{}", '{"schema": "agenttop.summary/9"}', "\x00\xff"):
        (home / "x.json").write_text(text)
        assert "x.json" in refused(capsys, "report", "x.json")


def test_a_report_that_cannot_be_kept_is_shown_all_the_same(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, directory = new_run("peak")
    run = FakeRun(seconds=3)
    with JournalWriter(directory, run_header(run.info(), run.layout, {"name": "peak"}, "0" * 64)) as journal:
        journal.second(run.situation(1), run.deltas(1))

    def refuse(path: Path, summary: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    def refuse_all(path: str, *_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", path)

    monkeypatch.setattr(report, "write_summary", refuse)
    monkeypatch.setattr(report, "write_run", refuse_all)
    assert main(["report"]) == 0
    said = capsys.readouterr()
    assert "INCOMPLETE" in said.out
    assert said.err.startswith("agenttop: the summary is shown and not kept: ")
    assert main(["report", run_id, "-o", "x.json"]) == 2
    assert capsys.readouterr().err.endswith("/x.json: Read-only file system\n")


def test_a_report_of_the_newest_that_left_nothing_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    run_id, _ = new_run("peak")
    assert refused(capsys, "report").startswith(f"agenttop: {run_id}: no run's directory: ")


# -- live runs


@contextmanager
def live(*names: str) -> Iterator[list[str]]:
    """Runs that answer on their sockets, in a thread: the commands have event loops of their own."""
    ids = [new_run(name)[0] for name in names]
    loop = asyncio.new_event_loop()
    run = FakeRun(seconds=3)
    aggregate = run.aggregate()
    servers: list[ControlSocket] = []

    def info() -> RunInfo:
        return run.info()

    def handle(text: str, source: str) -> Reply:
        return Reply(0, text != "bad", f"{source}: {text}")

    async def serve() -> None:
        for run_id in ids:
            servers.append(ControlSocket(socket_path(run_id), handle, info))
            await servers[-1].open()
            servers[-1].publish(aggregate.snapshot(run.situation(3)))

    async def close() -> None:
        for server in servers:
            await server.close()

    loop.run_until_complete(serve())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield ids
    finally:
        asyncio.run_coroutine_threadsafe(close(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_ps(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ps"]) == 0
    assert capsys.readouterr().out == "no runs on this machine\n"
    assert main(["ps", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    _, directory = new_run("over")
    make_summary(directory)
    with live("one", "two") as ids:
        assert main(["ps"]) == 0
        head, *rows = capsys.readouterr().out.splitlines()
        assert head.split()[:2] == ["RUN", "STATE"]
        assert {row.split()[0] for row in rows} == {*ids, directory.name}
        assert sum("00:03/00:03" in row for row in rows) == 2, rows
        assert main(["ps", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert {run["run"] for run in found} == {*ids, directory.name}
        assert {run["run"] for run in found if run["live"]} == set(ids)
        assert all(run["directory"] for run in found)


def test_ps_of_many(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(22):
        new_run("over")
    assert main(["ps"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 22
    assert lines[-1] == "and 2 older: agenttop ps --all"
    assert main(["ps", "--all"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 23


def test_ctl(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with live("peak") as (run_id,):
        for name in (run_id, run_id[:20], "peak"):
            assert main(["ctl", name, "users", "+5", "chat"]) == 0
            assert json.loads(capsys.readouterr().out) == {"applied": True, "message": "ctl: users +5 chat"}
        assert main(["ctl", "peak", "users", "-5"]) == 0
        assert "users -5" in capsys.readouterr().out
        assert main(["ctl", "peak", "bad"]) == 1
        assert json.loads(capsys.readouterr().out)["applied"] is False
        assert main(["ctl", "peak", "status"]) == 0
        assert json.loads(capsys.readouterr().out)["t_s"] == 3.0
        assert refused(capsys, "ctl", "peak").startswith("agenttop: say a command: users, rate")
        assert refused(capsys, "ctl", "other", "hold").startswith("agenttop: no live run is called other; there is: ")
        assert main(["ctl", "users", "+5"]) == 0, "the only run need not be named"
        assert json.loads(capsys.readouterr().out)["message"] == "ctl: users +5"
        assert refused(capsys, "report", "peak").endswith(f" goes on; look at it: agenttop attach {run_id}")
        monkeypatch.chdir(runs_directory() / run_id)
        for where in (".", f"../{run_id}"):
            assert "goes on; look at it" in refused(capsys, "report", where)
        assert not Path("summary.json").exists()


def test_ctl_of_more_than_one(capsys: pytest.CaptureFixture[str]) -> None:
    with live("same", "same") as ids:
        line = refused(capsys, "ctl", "same", "hold")
        assert line.startswith("agenttop: which one? ")
        assert all(run_id in line for run_id in ids)
        assert main(["attach"]) == 2
        assert "agenttop: 2 runs are live; say which: agenttop attach " in capsys.readouterr().err
        assert main(["ctl", ids[1], "hold"]) == 0


def test_help_of_ctl_says_what_every_command_does(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["ctl", "--help"])
    shown = capsys.readouterr().out
    for name in COMMANDS:
        assert re.search(rf"\n  {name}\b.*  \w", shown), name


def test_a_terminal_without_the_characters_is_no_reason_to_end(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    path = make_summary(home)
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, encoding="ascii"))
    assert main(["report", str(path), "--full"]) == 0
    assert b"? latency ?" in shown.getvalue()


def test_ps_of_what_is_not_ours(capsys: pytest.CaptureFixture[str]) -> None:
    _, directory = new_run("over")
    make_summary(directory)
    other = os.fsencode(runs_directory()) + b"/\xff\x1b[31m" + b"x" * 200
    os.mkdir(other)
    os.utime(other, (1.0, 1.0))  # one made just now may yet begin
    assert main(["ps"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if directory.name in line]
    assert "broken  ! neither summary.json nor journal.bin" in lines[-1]
    assert all(line.isprintable() and len(line) < 200 for line in lines)
    assert main(["ps", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 2
