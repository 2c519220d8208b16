"""Turns the text of a command into what the controller has to do: parsed, applied, described.

Nothing is done here but keeping the record of what was said: :class:`Order` tells the controller what is.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from agenttop.controller.ending import goes_further
from agenttop.controller.manual_changes import EventText, ManualChanges
from agenttop.controller.searching import BUSY
from agenttop.metrics.boxes import LOST, BoxState
from agenttop.metrics.snapshot import Reply
from agenttop.profile.model import Profile
from agenttop.schedule.control import Control
from agenttop.steering.apply import Change, Rejected, steer
from agenttop.steering.command import Command, CommandError, parse_command
from agenttop.steering.plan import Plan
from agenttop.worker.files import most_of_open, short_of_files


@dataclass(frozen=True, slots=True)
class Now:
    """The state of the run, at the moment of a command or when a second is closed."""

    elapsed: float
    """Seconds since it began, rounded as they are written down: who repeats a command must get the same."""
    state: str
    waiting: bool
    """The run is armed, and ``start`` begins it."""
    ending: str
    """The mode in which it is halted, or will be as soon as possible; empty if it is not."""
    searching: bool
    workers: int
    """The number of workers that share the users."""
    control: Control
    plan: Plan
    begun: Collection[int]
    """Indices of the stages that have been under way."""
    sending_ended_s: float | None = None
    """When the sending ended; None as long as it goes on."""
    boxes: tuple[BoxState, ...] = ()
    """The boxes of a fleet."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the controller has to do for a command, and the answer."""

    reply: Reply
    control: Control | None = None
    """The controls from now on, if they change."""
    plan: Plan | None = None
    """The plan from now on, if its stages change."""
    start: bool = False
    halt: str = ""
    """The mode in which to halt the run; empty if not."""
    box: tuple[str, bool] | None = None
    """The box that is to have a part in the load from now on, or none."""
    events: tuple[EventText, ...] = ()
    warning: str = ""
    """A warning to report once, and in the summary."""


class Orders:
    """The commands of one run.

    Args:
        profile: of it.
        file_limit: open files that each of its workers may have; None for those of this machine.
    """

    def __init__(self, profile: Profile, file_limit: int | None = None) -> None:
        self.controls: list[dict[str, Any]] = []
        """The commands done, as the summary has them."""
        self.changes = ManualChanges()
        self._open_users = most_of_open(profile)
        self._file_limit = file_limit
        self._warned_short = False

    def follow(self, text: str, source: str, now: Now) -> Order:
        """Return what to do for a command that a ``source`` (``key``, ``ctl`` …) gave."""
        try:
            command = parse_command(text)
        except CommandError as error:
            return _rejected(str(error))
        if command.op == "status":
            return Order(Reply(0, True, now.state))
        if command.op == "start":
            return self._start(source, now)
        if command.op == "stop":
            return self._stop("stop now" if command.now else "stop", source, now)
        if command.op == "box":
            return self._box(text, command, source, now)
        return self._steer(text, command, source, now)

    def clock(self, t_s: float, before: Control, after: Control, source: str) -> None:
        """Keep the record of a plan's clock that was held or let go on without a command, by a ``source`` of the run
        itself: who repeats the run by its commands must get the same.
        """
        names = {True: "held", False: "running"}
        was, is_ = before.held_at is not None, after.held_at is not None
        if was != is_:
            self._note(t_s, "hold" if is_ else "resume", source, Change(after, "", before=names[was], after=names[is_]))

    # -- apply

    def _start(self, source: str, now: Now) -> Order:
        if now.ending or not now.waiting:
            return _rejected(f"the run {'is coming to its end' if now.ending else 'has begun already'}")
        self._note(0.0, "start", source, Change(now.control, "", before="armed", after="running"))
        return Order(Reply(0, True, "starting"), start=True, events=((0.0, f"{_who(source)}: start"),))

    def _stop(self, text: str, source: str, now: Now) -> Order:
        cut = text == "stop now"
        mode = "cancel" if cut else "drain"
        if now.state == "done" or not goes_further(mode, now.ending):
            return _rejected("the run is coming to its end already")
        self._note(now.elapsed, text, source, Change(now.control, "", before=now.state, after="draining"))
        rested = self.changes.rested(now.elapsed, now=True)
        self.changes.mark(now.elapsed, text)
        said = "stopping: what is in flight is cut" if cut else "stopping: no new requests"
        reply = "stopping now" if cut else "stopping: requests in flight may end"
        return Order(Reply(0, True, reply), halt=mode, events=(*rested, (now.elapsed, said)))

    def _box(self, text: str, command: Command, source: str, now: Now) -> Order:
        name, on = str(command.box), command.word == "on"
        if why := _no_turn(name, now, on=on):
            return _rejected(why)
        said = f"{name} takes part again" if on else f"{name} is left out: its users go to the others"
        self._note(
            now.elapsed, text, source, Change(now.control, said, before="off" if on else "on", after=command.word)
        )
        rested = self.changes.rested(now.elapsed, now=True)
        self.changes.mark(now.elapsed, text)
        event = (now.elapsed, f"{_who(source)}: {said}")
        return Order(Reply(0, True, said), box=(name, on), events=(*rested, event))

    def _steer(self, text: str, command: Command, source: str, now: Now) -> Order:
        if now.ending or now.state == "done":
            return _rejected("the run is coming to its end")
        if now.searching:
            return _rejected(BUSY)
        try:
            change = steer(command, now.control, now.plan, now.elapsed, begun=now.begun)
        except Rejected as error:
            return _rejected(str(error))
        plan = None
        if change.stages is not None:
            layout = msgspec.structs.replace(now.plan.layout, stages=change.stages)
            plan = now.plan.under(change.control, layout)
        self._note(now.elapsed, text, source, change)
        events = tuple(self.changes.add(now.elapsed, _who(source), command, change))
        order = Order(Reply(0, True, change.said), change.control, plan, events=events)
        return self._warned(order, now) if command.op in ("users", "plan", "release") else order

    # -- describe

    def _warned(self, order: Order, now: Now) -> Order:
        """Return the order with a warning if a command raised users beyond what can connect; one event for all."""
        assert order.control is not None
        plan = now.plan if order.plan is None else order.plan
        users = plan.most_to_come(order.control, now.elapsed) + self._open_users
        short = short_of_files(users, now.workers, self._file_limit)
        told, self._warned_short = self._warned_short, bool(short)
        if not short:
            return order
        reply = Reply(0, True, f"{order.reply.message}; {short}")
        return replace(order, reply=reply, warning="" if told else short)

    def _note(self, t_s: float, text: str, source: str, change: Change) -> None:
        what = {"command": text, "pool": change.pool, "from": change.before, "to": change.after}
        self.controls.append({"t_s": round(t_s, 3), **what, "source": source})


def _no_turn(name: str, now: Now, *, on: bool) -> str:
    """Return why a box cannot be turned on or off; empty if it can."""
    boxes = {box.name: box for box in now.boxes}
    if not boxes:
        return "this run is on one machine: it has no boxes"
    if name not in boxes:
        return f"there is no box {name}; there are: {', '.join(boxes)}"
    if now.ending or now.state != "running":
        return "the run is coming to its end" if now.ending or now.state == "done" else "the run has not begun"
    if boxes[name].state == LOST:
        return f"{name} is lost"
    if boxes[name].off is not on:
        return f"{name} is {'on' if on else 'off'} already"
    if not on and all(box.name == name or box.off or box.state == LOST for box in now.boxes):
        return f"{name} is the last box that sends"
    return ""


def _rejected(why: str) -> Order:
    return Order(Reply(0, False, why))


def _who(source: str) -> str:
    return "you" if source == "key" else source
