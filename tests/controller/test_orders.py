"""Commands in the states of a run; what they do to a plan is in tests/steering and test_controller."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agenttop.controller.orders import Now, Orders
from agenttop.journal.replayed_plan import followed
from agenttop.metrics.boxes import BoxState
from agenttop.schedule.control import Control
from agenttop.steering.plan import Plan
from agenttop.users.compile import layout_of
from tests.steering.plans import MIXED, profile_of


@pytest.fixture
def orders(tmp_path: Path) -> Orders:
    return Orders(profile_of(tmp_path, MIXED))


@pytest.fixture
def now(tmp_path: Path) -> Now:
    """A run that goes on."""
    profile = profile_of(tmp_path, MIXED)
    plan = Plan(profile, layout_of(profile))
    return Now(3.0, "running", False, "", False, 1, Control(), plan, {0})


@pytest.mark.parametrize(
    ("text", "how", "answer"),
    [
        ("nonsense", {}, "unknown command 'nonsense'; there are: "),
        ("start", {}, "the run has begun already"),
        ("start", {"state": "armed", "waiting": True, "ending": "drain"}, "the run is coming to its end"),
        ("stop", {"ending": "drain"}, "the run is coming to its end already"),
        ("stop", {"ending": "cancel"}, "the run is coming to its end already"),
        ("stop now", {"ending": "cancel"}, "the run is coming to its end already"),
        ("stop", {"state": "done"}, "the run is coming to its end already"),
        ("users 3", {"ending": "finish"}, "the run is coming to its end"),
        ("users 3", {"state": "done"}, "the run is coming to its end"),
        ("users 3", {"searching": True}, "a search for capacity sets the load itself; stop ends it"),
        ("users 3 nobody", {}, "there is no pool nobody; there are: chat, tools, own, open"),
    ],
)
def test_what_is_not_followed_changes_nothing(
    orders: Orders, now: Now, text: str, how: dict[str, Any], answer: str
) -> None:
    order = orders.follow(text, "ctl", replace(now, **how))
    assert not order.reply.applied
    assert order.reply.message.startswith(answer)
    assert (order.control, order.plan, order.start, order.halt, order.events) == (None, None, False, "", ())
    assert orders.controls == []
    assert orders.changes.all == ()


def test_what_is_followed_is_written_down(orders: Orders, now: Now) -> None:
    assert orders.follow("status", "ctl", now).reply.message == "running"
    armed = replace(now, elapsed=0.0, state="armed", waiting=True)
    start = orders.follow("start", "key", armed)
    assert (start.start, start.halt, start.events) == (True, "", ((0.0, "you: start"),))
    held = orders.follow("hold", "key", now)
    assert held.control is not None
    assert (held.control.held_at, held.events) == (3.0, ((3.0, "you: plan held at 00:03"),))
    edited = orders.follow("plan 1m 5", "ctl", now)
    assert edited.control is not None
    assert edited.plan is not None
    assert [stage.end_s for stage in edited.plan.layout.stages][-1] == edited.plan.duration_s == 63.0
    orders.follow("users +1", "ctl", now)
    stop = orders.follow("stop", "signal", now)
    assert (stop.halt, stop.start) == ("drain", False)
    assert stop.events[0][1].startswith("ctl: users "), "what rests is told before"
    assert stop.events[1:] == ((3.0, "stopping: no new requests"),)
    assert orders.follow("stop now", "signal", replace(now, state="draining", ending="drain")).halt == "cancel"
    told = [(each["t_s"], each["command"], each["from"], each["to"], each["source"]) for each in orders.controls]
    assert told[:2] == [(0.0, "start", "armed", "running", "key"), (3.0, "hold", "running", "held", "key")]
    assert told[-2:] == [
        (3.0, "stop", "running", "draining", "signal"),
        (3.0, "stop now", "draining", "draining", "signal"),
    ]


def test_a_plan_that_a_gate_held_is_repeated_by_its_commands(orders: Orders, now: Now, tmp_path: Path) -> None:
    before, held = Control(), Control().hold(8.0)
    orders.clock(7.0, before, before, "gate")
    orders.clock(8.0, before, held, "gate")
    orders.clock(9.0, held, held, "gate")
    assert orders.follow("resume", "ctl", replace(now, control=held, elapsed=20.0)).reply.applied
    orders.clock(30.0, held, held.resume(30.0), "gate")
    found = [(row["t_s"], row["command"], row["from"], row["to"], row["source"]) for row in orders.controls]
    assert found == [
        (8.0, "hold", "running", "held", "gate"),
        (20.0, "resume", "held", "running", "ctl"),
        (30.0, "resume", "held", "running", "gate"),
    ]
    plan = Plan(profile_of(tmp_path, MIXED), layout_of(profile_of(tmp_path, MIXED)))
    driven = followed(plan, orders.controls[:2])[0]
    assert driven[-1] == (20.0, held.resume(20.0))


def test_a_box_is_left_out_and_comes_back(orders: Orders, now: Now) -> None:
    up = replace(now, boxes=(BoxState("b1", "up"), BoxState("b2", "silent"), BoxState("b3", "lost")))
    order = orders.follow("box b2 off", "key", up)
    assert (order.box, order.reply.message) == (("b2", False), "b2 is left out: its users go to the others")
    assert [text for _, text in order.events] == ["you: b2 is left out: its users go to the others"]
    off = replace(up, boxes=(BoxState("b1", "up"), BoxState("b2", "off", off=True), BoxState("b3", "lost")))
    mute = replace(off, boxes=(BoxState("b1", "up"), BoxState("b2", "silent", off=True), BoxState("b3", "lost")))
    assert orders.follow("box b2 on", "ctl", off).box == ("b2", True)
    assert [(entry["command"], entry["from"], entry["to"]) for entry in orders.controls] == [
        ("box b2 off", "on", "off"),
        ("box b2 on", "off", "on"),
    ]
    assert followed(now.plan, orders.controls)[0] == [(0.0, Control())], "who repeats the run has boxes of his own"
    for text, state, why in (
        ("box b1 off", now, "this run is on one machine: it has no boxes"),
        ("box b4 off", up, "there is no box b4; there are: b1, b2, b3"),
        ("box b3 off", up, "b3 is lost"),
        ("box b2 off", off, "b2 is off already"),
        ("box b2 off", mute, "b2 is off already"),
        ("box b1 on", off, "b1 is on already"),
        ("box b1 off", off, "b1 is the last box that sends"),
        ("box b1 off", mute, "b1 is the last box that sends"),
        ("box b1 off", replace(up, ending="drain"), "the run is coming to its end"),
        ("box b1 off", replace(up, state="armed"), "the run has not begun"),
        ("box b1", up, "say: box NAME off|on"),
        ("box b1 out", up, "say: box NAME off|on"),
    ):
        refused = orders.follow(text, "ctl", state)
        assert (refused.reply.applied, refused.reply.message, refused.box) == (False, why, None)
    assert len(orders.controls) == 2


def test_the_open_files_are_those_of_the_boxes(tmp_path: Path, now: Now) -> None:
    orders = Orders(profile_of(tmp_path, MIXED), file_limit=1150)
    told = orders.follow("users 100", "key", now)
    assert "files, the limit is 1 150: connections beyond it fail here" in told.reply.message
    assert "files" not in orders.follow("users 5", "key", now).reply.message
