from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

from agenttop.cli import fleet as module
from agenttop.cli.fleet import fleet_of, refused
from agenttop.cli.main import main
from agenttop.controller.spec import FleetSpec
from agenttop.exits import UsageError
from agenttop.fleet import check
from agenttop.profile.fleet import parse_hosts
from agenttop.profile.model import Fleet
from tests.steering.plans import STAGES, TASK


def options(**said: object) -> argparse.Namespace:
    return argparse.Namespace(**({"hosts": None, "min_hosts": None, "remote_python": None} | said))


def test_the_command_line_goes_before_the_profile() -> None:
    written = Fleet(hosts=["a", "b"], min_hosts=1, on_loss="stop", python="/p")
    assert fleet_of(None, options()) is None
    assert fleet_of(Fleet(), options()) is None
    assert fleet_of(written, options()) == FleetSpec(parse_hosts(["a", "b"]), "/p", 1, "stop")
    said = options(hosts=parse_hosts(["c", "d"]), min_hosts=2, remote_python="/q")
    assert fleet_of(written, said) == FleetSpec(parse_hosts(["c", "d"]), "/q", 2, "stop")
    assert fleet_of(None, options(hosts=parse_hosts(["c"]))) == FleetSpec(parse_hosts(["c"]))


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"min_hosts": 1}, "--min-hosts and --remote-python go with --hosts"),
        ({"remote_python": "x"}, "--min-hosts and --remote-python go with --hosts"),
        ({"hosts": parse_hosts(["c"]), "min_hosts": 2}, "--min-hosts 2: there are only 1 hosts"),
    ],
)
def test_what_does_not_go_together(said: dict[str, object], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        fleet_of(None, options(**said))


def test_without_the_extra_it_ends_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    assert main(["fleet", "check", "--hosts", "b1"]) == 2
    captured = capsys.readouterr()
    assert captured.err == "agenttop: --hosts needs asyncssh and distributed: pip install 'agenttop[fleet]'\n"
    assert main(["fleet", "check"]) == 2
    assert "which boxes? agenttop fleet check --hosts" in capsys.readouterr().err
    assert main(["fleet", "check", "--hosts", "b1,-x"]) == 2
    assert "expected a box such as" in capsys.readouterr().err


@pytest.mark.parametrize(("said", "workers"), [("3", 3), ("auto", None)])
def test_boxes_are_looked_at_with_the_workers_that_a_run_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], said: str, workers: int | None
) -> None:
    monkeypatch.setenv("AGENTTOP_WORKERS", said)
    file = tmp_path / "p.toml"
    file.write_text(f'target = "http://127.0.0.1:1"\n{STAGES}[[pools]]\nname = "a"\n{TASK}[fleet]\nhosts = ["b1"]\n')
    seen: list[FleetSpec] = []

    def looked(spec: FleetSpec, users: int | None) -> check.Checked:
        seen.append(spec)
        return check.Checked(("b1: ok",), enough=True)

    monkeypatch.setattr(check, "check", looked)
    assert main(["fleet", "check", "--profile", str(file)]) == 0
    assert seen == [FleetSpec(parse_hosts(["b1"]), workers=workers)]
    assert capsys.readouterr().out == "b1: ok\n"


def test_a_run_on_one_machine_imports_nothing_of_a_fleet() -> None:
    code = (
        "import sys, agenttop.cli.run, agenttop.cli.fleet, agenttop.controller.__main__, agenttop.worker.worker\n"
        "print(sorted(name for name in sys.modules if name.split('.')[0] in ('dask', 'distributed', 'asyncssh', "
        "'cryptography') or name.startswith('agenttop.fleet')))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (FleetSpec(parse_hosts(["a"])), "needs its box"),
        (FleetSpec(parse_hosts(["a", "b"])), "needs all 2 boxes"),
        (FleetSpec(parse_hosts(["a", "b", "c"]), min_hosts=2), "needs 2 of 3 boxes"),
    ],
)
def test_what_is_missing_is_said_a_line_each(spec: FleetSpec, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert words in str(refused("a: no\nb: no", spec))
    assert capsys.readouterr().err == "agenttop: a: no\nagenttop: b: no\n"
