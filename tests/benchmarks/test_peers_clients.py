"""How load tools are run and compared: fakes in their place, and agenttop's figures given."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path

import pytest

from tests.benchmarks import peers
from tests.benchmarks.machine import client_cores
from tests.benchmarks.nginx import Missing
from tests.benchmarks.peers import clients, outputs, scripts
from tests.benchmarks.peers.clients import Load, Peer
from tests.benchmarks.peers.meter import Usage
from tests.benchmarks.peers.outputs import Measured
from tests.benchmarks.program import BenchmarkError
from tests.benchmarks.results import Results

URL = "http://127.0.0.1:9"


def fake(program: str, *, report: str | None = None) -> Peer:
    """A tool that is this Python program; its report is a rate and a number of failed requests."""

    def parse(text: str) -> Measured:
        if not text:
            raise BenchmarkError("empty")
        rate, failed = text.split()
        return Measured(float(rate), failed=int(failed))

    def command(load: Load) -> list[str]:
        return [sys.executable, "-c", program, load.url, str(load.users)]

    return Peer("fake", "1.0", command, parse, report, {"FAKE": "yes"})


def test_a_peer_is_given_the_load_and_its_environment() -> None:
    program = "import os, sys; print(sys.argv[2] if os.environ['FAKE'] == 'yes' and sys.argv[1] == %r else 0, 0)"
    assert fake(program % URL).run(URL, 64, 1) == Measured(64.0)


def test_a_peer_has_one_core() -> None:
    if not client_cores():
        pytest.skip("this system does not bind processes to cores")
    assert fake("import os; print(len(os.sched_getaffinity(0)), 0)").run(URL, 64, 1) == Measured(1.0)
    assert client_cores() <= os.sched_getaffinity(0)


def test_a_report_in_a_file_is_read_from_the_folder_of_the_run() -> None:
    assert fake("open('r.txt', 'w').write('7 0')", report="r.txt").run(URL, 1, 1) == Measured(7.0)
    with pytest.raises(BenchmarkError, match="fake ended with code 3: no luck"):
        fake("import sys; print('no luck', file=sys.stderr); sys.exit(3)", report="r.txt").run(URL, 1, 1)


def test_a_code_that_is_not_0_is_a_failure_unless_the_report_names_failed_requests() -> None:
    assert fake("print(5, 2); raise SystemExit(1)").run(URL, 1, 1) == Measured(5.0, failed=2)
    with pytest.raises(BenchmarkError, match="fake ended with code 1"):
        fake("print(5, 0); raise SystemExit(1)").run(URL, 1, 1)


def test_a_report_that_is_not_understood_is_a_failure_with_its_last_words() -> None:
    with pytest.raises(BenchmarkError, match=r"fake ended with code 0.*empty.*out of memory"):
        fake("import sys; print('out of memory', file=sys.stderr)").run(URL, 1, 1)


def test_a_round_compares_rates_and_names_what_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "_agenttop", lambda url, users, seconds: Measured(1000.0, 1.0, 2.0))
    half, broken, refused = (
        Peer(name, "1", fake(program).command, fake(program).parse)
        for name, program in [("half", "print(500, 0)"), ("broken", ""), ("refused", "print(10, 3)")]
    )
    results = Results("peers")
    peers._round(results, [broken, half, None, refused], URL, 64, 1)
    assert results.rows["64 users, half"]["x_agenttop"] == [2.0]
    assert results.rows["64 users, agenttop"]["x_agenttop"] == [1.0]
    assert results.rows["64 users, agenttop"]["p99_ms"] == [2.0]
    assert "64 users, broken" not in results.rows
    first, second = results.problems
    assert first.startswith("64 users, broken: broken ended with code 0")
    assert second == "64 users, refused: 3 requests failed"


def test_who_cannot_be_had_is_skipped_aloud(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Peer:
        raise Missing("k9 is not installed")

    there = fake("")
    monkeypatch.setattr(clients, "ALL", (missing, lambda: there))
    results = Results("peers")
    assert peers._available(results) == [None, there]
    assert results.notes == ["skipped: k9 is not installed", "fake 1.0"]


def test_usage_is_the_median_share_and_the_most_memory() -> None:
    usage = Usage()
    assert usage.cpu_share is None
    usage.add(10.0, {1: 5.0}, 100 * 2**20)
    usage.add(10.5, {1: 5.5}, 120 * 2**20)
    usage.add(11.0, {1: 5.7, 2: 0.2}, 150 * 2**20)
    usage.add(12.0, {2: 0.3}, 50 * 2**20)
    # Shares of 1, 0.8 and 0.1 cores.
    assert usage.cpu_share == pytest.approx(0.8)
    assert usage.rss_mb == 150


@pytest.mark.parametrize("script", [scripts.LOCUST, scripts.LOCUST_SCRIPT])
def test_locustfiles_are_python(script: str) -> None:
    classes = [n for n in ast.parse(script.format(user="HttpUser", seconds=4)).body if isinstance(n, ast.ClassDef)]
    assert len(classes) == 1


def test_locust_is_told_when_to_end_and_not_hurried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "python_peer", lambda name, *requirements: tmp_path)
    command = clients.locust("FastHttpUser").command(Load(URL, 1000, 3, tmp_path))
    assert command[command.index("--spawn-rate") + 1] == "100"
    script = (tmp_path / "locustfile.py").read_text()
    assert "class Load(FastHttpUser):" in script
    assert "spawn_later(4, " in script


def test_artillery_is_given_a_closed_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "node_peer", lambda name, *packages: tmp_path)
    peer = clients.artillery()
    command = peer.command(Load(URL, 64, 3, tmp_path))
    assert "arrivalCount: 64\n" in Path(command[-1]).read_text()
    assert "Date.now() + 4000;" in (tmp_path / "until.cjs").read_text()
    assert command[command.index("--output") + 1] == str(tmp_path / str(peer.report))
    assert peer.parse is outputs.artillery
