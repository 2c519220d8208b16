"""Load tools for token streams beside agenttop: AIPerf and GuideLLM, against the server that knows the truth.

Each is driven as its documentation says: the chat endpoint, streaming, so many requests at once. Both count tokens with
a tokenizer; they get one of single bytes, written on the spot, so that no model is downloaded.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.machine import client_cores, started_on, tool_version
from tests.benchmarks.nginx import Missing
from tests.benchmarks.options import Options
from tests.benchmarks.peers.install import python_peer
from tests.benchmarks.peers.stream_reports import Measured, agenttop_report, aiperf_report, guidellm_report
from tests.benchmarks.program import BenchmarkError, ask, run_program
from tests.benchmarks.results import Results
from tests.benchmarks.stream_server import compiled, serving_streams

FIRST_MS = 200.0
AIPERF = "aiperf==0.13.0"
#: It brings PyTorch with it: 5 GB.
GUIDELLM = "guidellm==0.8.1"
#: What a peer may take beyond its load: it starts, makes prompts, and sums up.
_PATIENCE_S = 180.0
_PROFILE = """
name = "benchmark-streams"
target = "http://127.0.0.1:{port}"
graceful_stop = "60s"
timeout = "60s"
dialect = "openai.chat"
{stages}
[[pools]]
name = "load"
protocol = "sse"
"""
_TASK = """
  [[pools.tasks]]
  name = "{name}"
  post = "/v1/chat/completions?tokens={tokens}&rate={rate}"
  [pools.tasks.json]
  model = "benchmark"
  stream = true
  stream_options = {{ include_usage = true }}
  messages = [ {{ role = "user", content = "Hello, I am user {{user}}" }} ]
"""
_STAGE = '[[stages]]\nduration = "{seconds}s"\nusers = {users}\nramp = "{ramp}"\n'


@dataclass(frozen=True, slots=True)
class Load:
    """Streams at once, each opened anew when it ends."""

    streams: int
    each: int
    """How many one after the other."""
    tokens: int = 80
    rate: int = 40
    """Tokens a second, after the first."""
    ramp_s: float = 0.0
    """Over which the first ones are spread; 0: all at once."""

    @property
    def requests(self) -> int:
        """How many streams that makes."""
        return self.streams * self.each

    @property
    def stream_s(self) -> float:
        """How long one of them takes."""
        return FIRST_MS / 1000 + (self.tokens - 1) / self.rate

    @property
    def lasts_s(self) -> float:
        """How long all of it takes who keeps up."""
        return self.ramp_s + self.each * self.stream_s


Peer = Callable[[int, Load], Measured]


def rows(options: Options, results: Results) -> None:
    """Add how many events a second each takes, and what it makes of the time to first token then.

    Raises:
        Missing: the server cannot be compiled; the one in Python would be measured in their place.
        BenchmarkError: agenttop itself did not end as it should.
    """
    compiled()
    loads = {
        "100 x 100/s": Load(100, 2, 200, 100, 1.0),
        "1000 x 100/s": Load(1000, 1 if options.quick else 2, 200, 100, 1.0),
    }
    tools: dict[str, Peer] = {"agenttop": _agenttop} | peers(results)
    for _ in range(options.rounds):
        for case, load in loads.items():
            for name, tool in tools.items():
                with serving_streams(results, tokens=load.tokens, rate=load.rate, spread_ms=1000.0 / load.rate) as port:
                    try:
                        measured = tool(port, load)
                    except BenchmarkError as error:
                        if tool is _agenttop:
                            raise
                        results.note(f"{case}, {name}: {error}")
                        continue
                    server = ask(port, "/stats")
                failed = tool is _agenttop and measured.failed
                results.expect(not failed, f"{case}: {failed} streams failed")
                results.add(
                    f"{case}, {name}",
                    events_per_s=measured.events_per_s,
                    requests_per_s=measured.events_per_s / load.tokens,
                    ttft_p50_ms=measured.ttft["p50"],
                    true_p50_ms=server["ttft_ms"]["p50"],
                    ttft_p99_ms=measured.ttft["p99"],
                    true_p99_ms=server["ttft_ms"]["p99"],
                    gap_p99_ms=measured.gap["p99"],
                    true_gap_p99_ms=server["gap_ms"]["p99"],
                    failed=measured.failed,
                    server_cpu_percent=server["cpu_percent"],
                )


def peers(results: Results) -> dict[str, Peer]:
    """The peers that can be had, by name; why another cannot is noted, and so are their versions."""
    found: dict[str, Peer] = {}
    tools = {"AIPerf": ("aiperf", AIPERF, _run_aiperf), "GuideLLM": ("guidellm", GUIDELLM, _run_guidellm)}
    for name, (command, requirement, run) in tools.items():
        try:
            program = python_peer(command, requirement) / command
        except Missing as missing:
            results.note(f"{name} skipped: {missing}")
            continue
        found[name] = _bound(run, program)
        results.note(f"{name}: {tool_version([str(program), '--version']) or requirement}")
    if found:
        results.note(
            "AIPerf counts connecting into the time to first token; GuideLLM's gap is the mean of each stream's"
        )
    return found


def _bound(run: Callable[[Path, int, Load], Measured], program: Path) -> Peer:
    return lambda port, load: run(program, port, load)


def run_agenttop(port: int, load: Load) -> dict[str, Any]:
    """The summary of agenttop's run under this load: one pool, two tasks alike."""
    stages = [(load.ramp_s, "linear")] if load.ramp_s else []
    # It ends within the last stream of each user; the graceful stop waits for that.
    stages.append((load.each * load.stream_s - load.stream_s / 2, "step"))
    profile = _PROFILE.format(
        port=port,
        stages="".join(_STAGE.format(seconds=f"{s:.3f}", users=load.streams, ramp=ramp) for s, ramp in stages),
    )
    profile += "".join(_TASK.format(name=name, tokens=load.tokens, rate=load.rate) for name in ("one", "other"))
    return run_program(profile, lasts_s=load.lasts_s + load.stream_s)


def _agenttop(port: int, load: Load) -> Measured:
    return agenttop_report(run_agenttop(port, load))


def _run_aiperf(program: Path, port: int, load: Load) -> Measured:
    with tempfile.TemporaryDirectory(prefix="agenttop-aiperf-") as name:
        folder = Path(name)
        command = [str(program), "profile", "--model", "benchmark", "--url", f"http://127.0.0.1:{port}"]
        command += ["--endpoint-type", "chat", "--streaming", "--concurrency", str(load.streams)]
        command += ["--request-count", str(load.requests), "--isl", "8", "--osl", str(load.tokens)]
        command += ["--tokenizer", str(_tokenizer(folder)), "--use-server-token-count"]
        command += ["--artifact-dir", name, "--ui", "none", "--export-level", "summary"]
        command += ["--no-gpu-telemetry", "--no-server-metrics"]
        if load.ramp_s:
            command += ["--concurrency-ramp-duration", str(load.ramp_s)]
        _run(command, folder, load)
        return aiperf_report(_report(folder / "profile_export_aiperf.json"))


def _run_guidellm(program: Path, port: int, load: Load) -> Measured:
    with tempfile.TemporaryDirectory(prefix="agenttop-guidellm-") as name:
        folder = Path(name)
        out = folder / "report.json"
        ramp = f",rampup_duration={load.ramp_s}" if load.ramp_s else ""
        command = [str(program), "run", "--disable-console"]
        command += ["--backend", f"kind=openai_http,target=http://127.0.0.1:{port},model=benchmark"]
        command += ["--profile", f"kind=concurrent,streams={load.streams}{ramp}"]
        command += ["--constraint", f"kind=max_requests,count={load.requests}"]
        command += ["--tokenizer", f"kind=hf_auto,model={_tokenizer(folder)}"]
        command += ["--data", f"kind=synthetic_text,prompt_tokens=8,output_tokens={load.tokens}"]
        command += ["--output", f"kind=json,path={out}"]
        _run(command, folder, load)
        return guidellm_report(_report(out))


def _tokenizer(folder: Path) -> Path:
    """Write a tokenizer for which every byte is a token, in the format of Hugging Face; its folder."""
    folder = folder / "tokenizer"
    folder.mkdir()
    # The characters by which byte-level tokenizers write the 256 bytes: printable ones as they are.
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    characters = [chr(byte) for byte in printable] + [chr(256 + i) for i in range(256 - len(printable))]
    step = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    whole = {
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": step,
        "decoder": step,
        "model": {"type": "BPE", "vocab": {c: i for i, c in enumerate(characters)}, "merges": []},
    }
    (folder / "tokenizer.json").write_text(json.dumps(whole), encoding="utf-8")
    settings = {"tokenizer_class": "PreTrainedTokenizerFast"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def _run(command: list[str], folder: Path, load: Load) -> None:
    """Run a peer on the client's cores, with nothing of the user's in it.

    Raises:
        BenchmarkError: it failed, or took too long.
    """
    environment = os.environ | {"HF_HOME": str(folder), "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}
    # Of the hub's own switches: AIPerf then looks in the hub's cache even for what is a path.
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        environment.pop(name, None)
    patience_s = 4 * load.lasts_s + _PATIENCE_S
    log = folder / "output.txt"
    with started_on(client_cores()), log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        code = process.wait(timeout=patience_s)
    except subprocess.TimeoutExpired:
        raise BenchmarkError(f"not done within {patience_s:.0f} s") from None
    finally:
        # All of its processes, whichever of them is left: the session is theirs alone.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if code:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise BenchmarkError(f"it ended with code {code}: {' / '.join(lines[-3:])}")


def _report(path: Path) -> dict[str, Any]:
    try:
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BenchmarkError(f"it left no report: {error}") from None
    return report
