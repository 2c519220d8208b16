"""Finds events for the events pane by comparing one second with the next."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from agenttop.metrics.boxes import CLOCK_ERROR_MS, OFF, SILENT, UP, BoxRow
from agenttop.metrics.delta import ErrorDelta
from agenttop.metrics.outcome import USER_ERROR
from agenttop.metrics.repairs import repairs
from agenttop.metrics.saturation import SILENT_S
from agenttop.metrics.scope import clean_text
from agenttop.metrics.snapshot import KEPT_EVENTS, SATURATED_EVENT, TRUSTED_EVENT, Event, Snapshot
from agenttop.metrics.streams import burst_words, is_bursty, silence_words
from agenttop.metrics.trust import SATURATED

HANG_S = 5.0
"""Seconds without an answer, with requests in flight, that count as a hang."""
SHARES = (0.01, 0.02, 0.05, 0.1, 0.25, 0.5)
"""Shares of refused and of failed requests whose crossing is an event."""

MAX_PLACES = 20
"""Places in users' own code that make an event; what is raised at others is only among the errors."""

_NAMES = {
    "client_error": "client error (4xx)",
    "server_error": "server error (5xx)",
    "connect_error": "failed connection",
    "protocol_error": "malformed answer",
    "stream_error": "error within a stream",
    "truncated": "truncated answer",
    "check_failed": "failed check",
    "timeout": "timeout",
}


class Watcher:
    """Keeps the newest :data:`~agenttop.metrics.snapshot.KEPT_EVENTS` events."""

    def __init__(self, safe: Callable[..., str] = clean_text) -> None:
        """``safe`` makes texts safe to be shown: of a text, and of the characters that it may have."""
        self.safe = safe
        self.events: deque[Event] = deque(maxlen=KEPT_EVENTS)
        self._seen: set[str] = set()
        self._limited = 0.0
        self._failed = 0.0
        self._answered_s = 0.0
        self._answered = 0
        self._hanging = False
        self._saturated_s: float | None = None
        """When the generator was found saturated, while it is."""
        self._new: list[Event] = []
        self._silent: set[int] = set()
        self._places: set[str] = set()
        self._boxes: dict[str, str] = {}

    def say(self, t_s: float, text: str, level: str = "info") -> None:
        """Add an event."""
        event = Event(round(t_s, 1), level, self.safe(text))
        self.events.append(event)
        self._new.append(event)

    def take(self) -> list[Event]:
        """Return the events since the last call."""
        new, self._new = self._new, []
        return new

    def exceptions(self, errors: Iterable[ErrorDelta]) -> None:
        """Report exceptions in users' own code, each place once."""
        for error in errors:
            if error.outcome != USER_ERROR:
                continue
            # What is raised may say something else every time; where that was is at the end.
            place = error.message.rpartition(" (")[2]
            if place not in self._places and len(self._places) < MAX_PLACES:
                self._places.add(place)
                self.say(error.first_s, error.message, "error")

    def silent(self, t_s: float, workers: Sequence[int], name: Callable[[int], str] = "worker {}".format) -> None:
        """Report workers that have fallen silent, and those that are heard again; ``name`` is what they are called."""
        for worker in sorted(set(workers) - self._silent):
            self.say(t_s, f"{name(worker)} has said nothing for {SILENT_S:g} s (stopped, or starved)", "error")
        for worker in sorted(self._silent - set(workers)):
            self.say(t_s, f"{name(worker)} is heard again, or gone")
        self._silent = set(workers)

    def look(self, snapshot: Snapshot) -> None:
        """Report what is new in a snapshot."""
        t_s = snapshot.t_s
        for cause in snapshot.causes:
            if cause.outcome not in self._seen and cause.outcome in _NAMES:
                self._seen.add(cause.outcome)
                self.say(cause.first_s, f"first {_NAMES[cause.outcome]}: {cause.example}", "warn")
        if snapshot.rate_limited and "429" not in self._seen:
            self._seen.add("429")
            wait = f", retry after {snapshot.retry_after_s:.2g}s" if snapshot.retry_after_s is not None else ""
            self.say(t_s, f"first refusal (429){wait}", "warn")
        for row in snapshot.table:
            name = f"{row.pool}/{row.name}"
            if is_bursty(row.streamed, row.one_burst) and f"burst {name}" not in self._seen:
                self._seen.add(f"burst {name}")
                self.say(t_s, f"{name}: {burst_words(row.streamed, row.one_burst)}", "warn")
        for kind, count in (("sent_again", snapshot.sent_again), ("sessions_lost", snapshot.sessions_lost)):
            if count and kind not in self._seen:
                self._seen.add(kind)
                self.say(t_s, repairs({kind: count})[0], "warn")
        if snapshot.said_nothing and "said_nothing" not in self._seen:
            self._seen.add("said_nothing")
            self.say(t_s, silence_words(snapshot.said_nothing), "warn")
        done = max(snapshot.requests, 1)
        self._limited = self._crossed(t_s, self._limited, snapshot.rate_limited / done, "refused (429)", done)
        errors = (snapshot.failed - snapshot.rate_limited) / done
        self._failed = self._crossed(t_s, self._failed, errors, "failed otherwise", done)
        self._hang(snapshot)
        for box in snapshot.boxes:
            self._box(t_s, box)
        self._generator(snapshot)

    def _box(self, t_s: float, box: BoxRow) -> None:
        """Report a box that falls silent or is heard again, and a clock that is not known well enough."""
        before, self._boxes[box.name] = self._boxes.get(box.name, UP), box.state
        if box.state == SILENT != before:
            self.say(t_s, f"{box.name} does not answer", "warn")
        elif before == SILENT and box.state in (UP, OFF):
            self.say(t_s, f"{box.name} answers again")
        error_ms = box.clock_error_ms or 0.0
        if error_ms > CLOCK_ERROR_MS and f"clock {box.name}" not in self._seen:
            self._seen.add(f"clock {box.name}")
            text = "what it measures may stand in the second before or after"
            self.say(t_s, f"the clock of {box.name} is known to {error_ms:.1f} ms only: {text}", "warn")

    def _crossed(self, t_s: float, before: float, share: float, what: str, done: int) -> float:
        passed = max((limit for limit in SHARES if share >= limit), default=0.0)
        if passed > before and done >= 50:
            self.say(t_s, f"{passed:.0%} of the requests {what}", "warn")
            return passed
        return before

    def _generator(self, snapshot: Snapshot) -> None:
        """Report a saturated generator when an episode begins, and when it is over."""
        saturated = snapshot.generator.grade == SATURATED
        if saturated and self._saturated_s is None:
            self.say(snapshot.t_s, f"{SATURATED_EVENT}{snapshot.generator.words}", "error")
            self._saturated_s = snapshot.t_s
        elif not saturated and self._saturated_s is not None:
            self.say(snapshot.t_s, f"{TRUSTED_EVENT} after {snapshot.t_s - self._saturated_s:.0f}s")
            self._saturated_s = None

    def _hang(self, snapshot: Snapshot) -> None:
        finished = snapshot.requests + snapshot.cancelled
        if finished != self._answered or not snapshot.in_flight:
            if self._hanging:
                self.say(snapshot.t_s, f"answers again after {snapshot.t_s - self._answered_s:.0f}s")
            self._answered, self._answered_s, self._hanging = finished, snapshot.t_s, False
        elif not self._hanging and snapshot.t_s - self._answered_s >= HANG_S and snapshot.oldest_s >= HANG_S:
            self._hanging = True
            self.say(snapshot.t_s, f"no answer for {snapshot.t_s - self._answered_s:.0f}s", "error")
