"""The tools: where each comes from, how it is started as its documentation says, what reads its report."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.machine import client_cores, started_on, tool_version
from tests.benchmarks.nginx import Missing
from tests.benchmarks.peers import outputs, scripts
from tests.benchmarks.peers.install import node_peer, python_peer
from tests.benchmarks.peers.outputs import Measured
from tests.benchmarks.program import BenchmarkError

LOCUST, AUTOCANNON, ARTILLERY = "2.47.0", "9.0.0", "2.0.34"
#: Users a second. Locust warns of more.
_LOCUST_SPAWNS = 100
#: Start, end, and summary.
_PATIENCE_S = 60


@dataclass(frozen=True, slots=True)
class Load:
    """What a tool shall do: GETs of a URL over so many keep-alive connections, in a folder it may fill."""

    url: str
    users: int
    seconds: int
    folder: Path


@dataclass(frozen=True, slots=True)
class Peer:
    """One tool."""

    name: str
    version: str
    command: Callable[[Load], list[str]]
    """How to start it; writes into the load's folder what it needs there."""
    parse: Callable[[str], Measured]
    report: str | None = None
    """The file of its report, where that is not its standard output."""
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, url: str, users: int, seconds: int) -> Measured:
        """Load the URL from one core.

        Raises:
            BenchmarkError: it failed, or what it reported is not understood.
        """
        with tempfile.TemporaryDirectory(prefix=f"agenttop-{self.name.split()[0]}-") as name:
            folder = Path(name)
            command = self.command(Load(url, users, seconds, folder))
            patience_s = seconds + users / _LOCUST_SPAWNS + _PATIENCE_S
            with started_on(frozenset(sorted(client_cores())[:1])):
                process = subprocess.Popen(
                    command,
                    cwd=folder,
                    env=os.environ | self.environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            try:
                text, errors = process.communicate(timeout=patience_s)
            except subprocess.TimeoutExpired:
                raise BenchmarkError(f"{self.name} took longer than {patience_s:g} s") from None
            finally:
                if process.poll() is None:
                    process.kill()
                    process.communicate()
            return self._read(process.returncode, text, errors, folder)

    def _read(self, code: int, text: str, errors: str, folder: Path) -> Measured:
        last_words = (errors.strip() or text.strip())[-300:]
        if self.report is not None:
            file = folder / self.report
            if not file.exists():
                raise BenchmarkError(f"{self.name} ended with code {code}: {last_words}")
            text = file.read_text(encoding="utf-8")
        try:
            measured = self.parse(text)
        except (BenchmarkError, KeyError, TypeError) as error:
            raise BenchmarkError(f"{self.name} ended with code {code}: {error!r} {last_words}") from None
        # With failed requests some end with a code of their own; the report says more.
        if code and not measured.failed:
            raise BenchmarkError(f"{self.name} ended with code {code}: {last_words}")
        return measured


def wrk() -> Peer:
    """wrk, one thread. Raises :class:`Missing`, as all of these do, where it cannot be had."""
    binary = _on_path("wrk", "apt install wrk")
    version = tool_version([binary, "-v"]).split(" [")[0].removeprefix("wrk ")

    def command(load: Load) -> list[str]:
        return [binary, "-t1", f"-c{load.users}", f"-d{load.seconds}s", "--latency", f"{load.url}/"]

    return Peer("wrk", version, command, outputs.wrk)


def hey() -> Peer:
    """hey, which does not tell its version: Debian's package does."""
    binary = _on_path("hey", "apt install hey")

    def command(load: Load) -> list[str]:
        return [binary, "-c", str(load.users), "-z", f"{load.seconds}s", f"{load.url}/"]

    return Peer("hey", _debian_version("hey"), command, outputs.hey, environment={"GOMAXPROCS": "1"})


def ab() -> Peer:
    """ApacheBench with keep-alive."""
    binary = _on_path("ab", "apt install apache2-utils")
    version = tool_version([binary, "-V"]).partition("Version ")[2].split(" ")[0]

    def command(load: Load) -> list[str]:
        # -t alone means no more than 50 000 requests; -n after it lifts that, for memory's sake not without bound.
        most = ["-n", str(load.seconds * 200_000)]
        return [binary, "-k", "-q", "-c", str(load.users), "-t", str(load.seconds), *most, f"{load.url}/"]

    return Peer("ab", version, command, outputs.ab)


def locust(user: str, script: str = scripts.LOCUST) -> Peer:
    """Locust, one process.

    Args:
        user: its class of users, ``HttpUser`` or ``FastHttpUser``.
        script: the locustfile, with ``{user}`` and ``{seconds}`` for :meth:`str.format`.
    """
    binary = python_peer("locust", f"locust=={LOCUST}") / "locust"

    def command(load: Load) -> list[str]:
        file = load.folder / "locustfile.py"
        # One second more: of the first and of the last one only parts are measured.
        file.write_text(script.format(user=user, seconds=load.seconds + 1), encoding="utf-8")
        arguments = ["--headless", "--host", load.url, "--users", str(load.users), "--json", "--only-summary"]
        return [str(binary), "-f", str(file), *arguments, "--spawn-rate", str(min(load.users, _LOCUST_SPAWNS))]

    return Peer(f"Locust {user}", LOCUST, command, outputs.locust)


def autocannon() -> Peer:
    """autocannon, in its main thread."""
    binary = node_peer("autocannon", f"autocannon@{AUTOCANNON}") / "autocannon"

    def command(load: Load) -> list[str]:
        return [str(binary), "-c", str(load.users), "-d", str(load.seconds), "--json", f"{load.url}/"]

    return Peer("autocannon", AUTOCANNON, command, outputs.autocannon)


def artillery() -> Peer:
    """Artillery: users that all arrive in the first second and stay."""
    binary = node_peer("artillery", f"artillery@{ARTILLERY}") / "artillery"

    def command(load: Load) -> list[str]:
        script, until = load.folder / "script.yml", load.folder / "until.cjs"
        script.write_text(scripts.ARTILLERY.format(url=load.url, users=load.users), encoding="utf-8")
        until.write_text(scripts.ARTILLERY_UNTIL.format(milliseconds=(load.seconds + 1) * 1000), encoding="utf-8")
        return [str(binary), "run", "--quiet", "--output", str(load.folder / "report.json"), str(script)]

    environment = {"WORKERS": "1", "ARTILLERY_DISABLE_TELEMETRY": "true"}
    return Peer("Artillery", ARTILLERY, command, outputs.artillery, "report.json", environment)


def k6(script: str = scripts.K6) -> Peer:
    """k6, constant virtual users.

    Args:
        script: with ``{url}``, ``{users}`` and ``{seconds}`` for :meth:`str.format`.
    """
    binary = _on_path("k6", "see k6.io")

    def command(load: Load) -> list[str]:
        file = load.folder / "script.js"
        file.write_text(script.format(url=load.url, users=load.users, seconds=load.seconds), encoding="utf-8")
        return [binary, "run", "--quiet", str(file)]

    environment = {"GOMAXPROCS": "1", "K6_NO_USAGE_REPORT": "true"}
    return Peer("k6", tool_version([binary, "version"]).removeprefix("k6 "), command, outputs.k6, None, environment)


def oha() -> Peer:
    """oha, without its screen."""
    binary = _on_path("oha", "cargo install oha")

    def command(load: Load) -> list[str]:
        arguments = ["--no-tui", "--output-format", "json", "-z", f"{load.seconds}s", "-c", str(load.users)]
        return [binary, *arguments, f"{load.url}/"]

    environment = {"TOKIO_WORKER_THREADS": "1"}
    version = tool_version([binary, "--version"]).removeprefix("oha ")
    return Peer("oha", version, command, outputs.oha, environment=environment)


def vegeta() -> Peer:
    """vegeta as a fixed number of users; its results are read after the attack, not beside it."""
    binary = _on_path("vegeta", "see github.com/tsenart/vegeta")

    def command(load: Load) -> list[str]:
        targets, results = load.folder / "targets.txt", load.folder / "results.bin"
        targets.write_text(f"GET {load.url}/\n", encoding="utf-8")
        workers = f"-workers={load.users} -max-workers={load.users} -connections={load.users}"
        attack = f"-targets={targets} -rate=0 {workers} -duration={load.seconds}s -output={results}"
        return ["sh", "-c", f"'{binary}' attack {attack} && '{binary}' report -type=json {results}"]

    version = tool_version([binary, "-version"]).removeprefix("Version: ")
    return Peer("vegeta", version, command, outputs.vegeta, environment={"GOMAXPROCS": "1"})


#: In the order of the table.
ALL: tuple[Callable[[], Peer], ...] = (
    wrk,
    ab,
    hey,
    oha,
    vegeta,
    k6,
    autocannon,
    lambda: locust("FastHttpUser"),
    lambda: locust("HttpUser"),
    artillery,
)


def _on_path(tool: str, how: str) -> str:
    found = shutil.which(tool)
    if found is None:
        raise Missing(f"{tool} is not installed ({how})")
    return found


def _debian_version(package: str) -> str:
    """The version of an installed package; says so where there is none to ask."""
    if shutil.which("dpkg-query") is None:
        return "of unknown version"
    command = ["dpkg-query", "--show", "--showformat", "${Version}", package]
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    return done.stdout.strip() or "of unknown version"
