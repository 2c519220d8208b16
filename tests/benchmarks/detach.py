"""What a lost viewer does to the load, and how soon a command is there: both as the server sees it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from agenttop.journal.places import LOG
from tests.benchmarks.count_server import SLICE_S
from tests.benchmarks.machine import client_cores, started_on
from tests.benchmarks.options import Options, begin
from tests.benchmarks.program import BenchmarkError, ask, serving
from tests.benchmarks.results import Results
from tests.benchmarks.targets import judge
from tests.e2e.harness import Place, until
from tests.e2e.harness import place as made_place
from tests.e2e.terminal import Terminal

PROFILE = """
target = "http://127.0.0.1:{port}"
name = "detach"
users = 40
duration = "10m"
graceful_stop = "2s"
[[pools]]
name = "chat"
think_time = "20ms"
  [[pools.tasks]]
  name = "get"
  get = "/"
"""
#: What the program gets to start and to draw.
START_S = 4.0
MORE = 50

#: What happens to the viewer in the middle; "nothing" is the noise.
EVENTS: dict[str, Callable[[Terminal], None]] = {
    "nothing": lambda terminal: None,
    "viewer killed": lambda terminal: terminal.process.kill(),
    "terminal dropped": Terminal.drop,
    "terminal not read": Terminal.stall,
}


def detach(options: Options) -> Results:
    """Requests a second before, at and after what befalls a viewer; and how soon a command is at the server."""
    results = begin("detach: about 1 800 requests/s of 40 users, 80x24, by the server's own counts")
    results.note("'nothing' is the same windows without an event: what differs there is the machine's noise")
    results.note("pauses are the longest between two requests at the server, the second of the event among those after")
    seconds = 4 if options.quick else 8
    for _ in range(options.rounds):
        for name, event in EVENTS.items():
            with _running() as (terminal, port, _):
                time.sleep(START_S + seconds)
                at_s = time.monotonic()
                event(terminal)
                time.sleep(seconds + 1)
                _compare(results, name, ask(port, "/counts"), at_s, seconds)
        with _running() as (_, port, place):
            time.sleep(START_S)
            for _ in range(2 if options.quick else 5):
                _command(results, port, place)
    for name in EVENTS:
        judge(results, name, "after_to_before", at_least=0.95)
    judge(results, f"ctl users +{MORE}", "seconds_to_the_server", at_most=1.0)
    return results


@contextlib.contextmanager
def _running() -> Iterator[tuple[Terminal, int, Place]]:
    """A run on a terminal of its own, the port of its server, and where it lives."""
    with serving("count_server") as port, made_place() as place:
        profile = place.write(PROFILE.format(port=port))
        with started_on(client_cores()):
            terminal = Terminal(place, "--profile", profile, "--workers", 1)
        with terminal:
            yield terminal, port, place
            if not place.sockets():
                raise BenchmarkError(f"the run is over: {(place.directory() / LOG).read_text()[-2000:]}")
            place.viewer().command("stop now")
            place.gone()


def _compare(results: Results, name: str, counts: dict[str, Any], at_s: float, seconds: int) -> None:
    slices = {int(number): found for number, found in counts["slices"].items()}
    event = int(at_s / SLICE_S)

    def window(first_s: float, last_s: float) -> list[list[float]]:
        numbers = range(event + round(first_s / SLICE_S), event + round(last_s / SLICE_S))
        return [slices.get(number, [0, 0.0]) for number in numbers]

    def rate(found: list[list[float]]) -> float:
        return sum(requests for requests, _ in found) / (len(found) * SLICE_S)

    before, during, after = window(-seconds, 0), window(0, 1), window(1, seconds)
    results.add(
        name,
        after_to_before=rate(after) / rate(before),
        during_to_before=rate(during) / rate(before),
        before_per_s=rate(before),
        during_per_s=rate(during),
        after_per_s=rate(after),
        pause_before_ms=max(pause for _, pause in before),
        pause_after_ms=max(pause for _, pause in during + after),
    )


def _command(results: Results, port: int, place: Place) -> None:
    """``ctl RUN users +50``: from the start of the command, and from a viewer's message, to the last connection."""
    viewer = place.viewer()

    def opened(at_s: float) -> list[float]:
        return sorted(found for found in ask(port, "/counts")["opened"] if found >= at_s)

    def sent(send: Callable[[], object]) -> float:
        at_s = time.monotonic()
        send()
        until(lambda: len(opened(at_s)) >= MORE, f"{MORE} connections")
        return opened(at_s)[MORE - 1] - at_s

    whole_s = sent(lambda: place.finish("ctl", "detach", "users", f"+{MORE}"))
    viewer.command(f"users -{MORE}")
    viewer.wait(lambda s: s["users"] == 40)
    results.add(f"ctl users +{MORE}", seconds_to_the_server=whole_s)
    message_s = sent(lambda: viewer.command(f"users +{MORE}"))
    viewer.command(f"users -{MORE}")
    viewer.wait(lambda s: s["users"] == 40)
    results.add("the same by a message to the socket", seconds_to_the_server=message_s)
    viewer.close()
