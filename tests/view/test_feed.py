from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agenttop.metrics.snapshot import KEPT_EVENTS, SENT_EVENTS, Event, Snapshot
from agenttop.view.feed import Events
from tests.metrics.fakes import FakeRun

RUN = FakeRun(seconds=3)
SNAPSHOT = RUN.aggregate().snapshot(RUN.situation(3))


def with_events(events: list[Event]) -> Snapshot:
    return replace(SNAPSHOT, events=tuple(events[-SENT_EVENTS:]))


# Texts repeat: an event may well be told twice in the same tenth of a second.
@given(
    st.lists(st.builds(Event, st.just(1.0), st.just("info"), st.sampled_from("ab")), max_size=200),
    st.integers(0, 200),
    st.lists(st.integers(0, 30), max_size=12),
)
def test_a_viewer_that_comes_late_knows_what_one_knows_that_was_there(
    happened: list[Event], came: int, steps: list[int]
) -> None:
    events = Events(happened[:came])
    at = min(came, len(happened))
    for step in steps:
        at = min(len(happened), at + step)
        known = events.complete(with_events(happened[:at])).events
        if step <= 1:
            assert len(known) >= min(at, SENT_EVENTS)
    distinct = [Event(float(number), "info", "x") for number in range(len(happened))]
    events, at = Events(distinct[:came]), min(came, len(distinct))
    for step in steps:
        at = min(len(distinct), at + step)
        assert list(events.complete(with_events(distinct[:at])).events) == distinct[:at]


def test_a_bounded_number_is_kept_whatever_was_missed() -> None:
    many = [Event(float(number), "info", "x") for number in range(3 * KEPT_EVENTS)]
    events = Events(many[:10])
    assert list(events.complete(with_events(many[: KEPT_EVENTS + 200])).events) == [
        *many[:10],
        *many[KEPT_EVENTS + 150 : KEPT_EVENTS + 200],
    ]
    for at in range(KEPT_EVENTS + 200, len(many) + 1, SENT_EVENTS):
        told = events.complete(with_events(many[:at])).events
    assert list(told) == many[-KEPT_EVENTS:]
