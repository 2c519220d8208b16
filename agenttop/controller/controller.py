"""The controller: one process per run, in a session of its own, so that a run outlives the terminal that began it.

It says ``ready`` on standard output when its control socket is open, and what else it has to say to its log.
Longer than most files: it is one state machine, read in one piece.

    starting ──workers ready──► running ──end of plan, stop──► draining ──all users gone, or graceful_stop over──► done
        └─────► armed ──start──────┘
"""

from __future__ import annotations

import asyncio
import signal
from time import perf_counter_ns

from agenttop.controller.answers import Answers
from agenttop.controller.armed import Trigger
from agenttop.controller.box import Box, BoxAgent, BoxError
from agenttop.controller.closing import Closing
from agenttop.controller.ending import STOPPED_BY_USER, End, Halted, abandoned, failure, gated, nothing_answered
from agenttop.controller.grading import GradingError, golden_of, grading_of
from agenttop.controller.intake import Intake
from agenttop.controller.items import Item
from agenttop.controller.launch import NO_ROOM
from agenttop.controller.move import Move
from agenttop.controller.orders import Now, Orders
from agenttop.controller.records import Records
from agenttop.controller.scraped import Scraped
from agenttop.controller.searching import searching_of
from agenttop.controller.seconds import PATIENCE_S, Seconds
from agenttop.controller.spans import Spans, stage_words
from agenttop.controller.spec import RunSpec
from agenttop.controller.standstill import Standstill
from agenttop.controller.until_decided import UntilDecided
from agenttop.controller.watcher import Watcher
from agenttop.exits import DONE, FAILED
from agenttop.journal.figures import STEP_S, Closed, Figures
from agenttop.journal.places import socket_path
from agenttop.journal.rules import rules_of
from agenttop.journal.unmatched import unmatched
from agenttop.metrics.safe_text import SafeText
from agenttop.metrics.snapshot import Ended, Reply, RunInfo, Snapshot
from agenttop.runs.control_socket import ControlSocket
from agenttop.schedule.control import Control
from agenttop.schedule.shares import Members
from agenttop.steering.plan import Plan, levels_of
from agenttop.users.compile import layout_of
from agenttop.worker.messages import Dealt, Halt, Steer
from agenttop.worker.priority import step_back

TURN_AHEAD_S = 1.0
"""Seconds until arrivals are dealt anew when a box is left out or comes back: by then every worker has heard of it."""
CANCEL_S = 5.0
"""Seconds that workers get to end after they were told to cut everything."""


class Controller:
    """Owns one run."""

    def __init__(self, spec: RunSpec, box: Box | None = None) -> None:
        layout = layout_of(spec.profile)
        self.spec = spec
        self.plan = Plan(spec.profile, layout)
        self.control = Control()
        self.spans = Spans(len(layout.stages))
        levels = levels_of(self.plan)
        rules = rules_of(spec.profile, spec.masked)
        self.figures = Figures(layout, rules, golden=golden_of(spec.profile, levels), boxes=spec.boxes)
        self.search = searching_of(spec.profile, layout)
        self.orders = Orders(spec.profile, min((box.file_limit for box in spec.boxes), default=None))
        self.trigger = Trigger(armed=spec.armed)
        self.safe = SafeText(spec.secrets)
        """The door for what a target says to this process."""
        self.watcher = Watcher(self.safe)
        self.box: Box = BoxAgent() if box is None else box
        self.records = Records(spec, self.plan, self.figures)
        self.answers = Answers(spec.profile, levels, self.records)
        """Takes graded answers; who grades them is among its sinks."""
        self.grading = grading_of(spec, self.answers, self._warn)
        self.intake = Intake(spec, self.figures, self.records, self.search, self.watcher, self.box, self.answers)
        self.state = "starting"
        self.end = End()
        """The end as things stand."""
        self.halted: Halted | None = None
        self.standstill = Standstill()
        self._shrunk: set[int] = set()
        """Lost workers whose users are not given to others."""
        self._asked = ""
        """The mode in which the user wants it halted; empty if not asked."""
        self._epoch_ns = 0
        self._over_s: float | None = None
        self._seq = 0
        self._ack = 0
        self._seconds = Seconds()
        shared = (spec, self.figures, self.records, self.watcher, self.intake, self.orders, self.spans, self.search)
        self._closing = Closing(*shared, self.grading)
        self.until = None if spec.until_s is None else UntilDecided(spec.until_s, self._closing.begin_look)
        self._scraped = Scraped(spec.prometheus, self.figures.aggregate, self.records.info)
        self._socket = ControlSocket(socket_path(spec.run_id), self.handle, self._describe)

    # -- the run

    async def run(self) -> int:
        """Run the whole run and return its exit code. The summary is written whatever happens."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signalled)
        loop.add_signal_handler(signal.SIGHUP, lambda: None)  # no terminal's end is its end
        await self._socket.open()
        try:
            self.records.open()
        except OSError as error:
            print(f"{NO_ROOM}{error.strerror}", flush=True)
            await self._socket.close(0)
            return FAILED
        print("ready", flush=True)
        self._socket.announce()
        for text, tone in await self._scraped.open():
            self.watcher.say(0.0, text, tone)
        try:
            await self._run()
        except (BoxError, GradingError) as error:
            self._fail(str(error))
        except Exception as error:
            self._fail(f"{type(error).__name__}: {error}")
            self._finish()
            raise
        self._finish()
        if not self._epoch_ns:
            self._command(Halt("cancel"))  # there may be workers that never began
        await self.box.stop(CANCEL_S)
        if self.grading is not None:
            await self.grading.stop()
        await self._socket.close()
        await self._scraped.close()
        return self.end.exit_code

    async def _run(self) -> None:
        for warning in self.spec.warnings:
            self.watcher.say(0.0, warning, "warn")
        if self.spec.armed:
            await self._start_workers()
            self.state = "armed"
            await self.trigger.wait(self._pulse)
            self.state = "starting"
        # An armed run has connected to nothing until now.
        problem = await self.box.unreachable(self.spec.profile) if not self._asked else None
        if problem is not None:
            self._fail(problem, "target_unreachable")
            return
        if self._asked:
            self.end = STOPPED_BY_USER
            return
        if not self.spec.armed:
            await self._start_workers()
        try:
            self.records.begin_anew()
        except OSError as error:
            self._fail(f"the journal cannot be written, and nothing was sent: {error.strerror}")
            return
        self._epoch_ns = perf_counter_ns() + self.box.lead_ns
        self.box.go(self._epoch_ns)
        if self.control != Control():
            self._send_control()
        self.state = "running"
        while self.box.alive or self.box.pending(self._ack):
            for item in await self.box.poll(self._ack, STEP_S):
                self._ack = item.seq
                self.intake.take(item, self.elapsed(), ending=self.halted is not None)
                if item.exit:
                    self._lost(item)
                self._close_seconds()
            self._look()
        self._nobody_left()
        if self.grading is not None:
            self._over_s = elapsed = self.elapsed()
            await self._closing.rest(elapsed, lambda: self._show(elapsed), lambda: self._asked)
        self._drain_clock()

    def _nobody_left(self) -> None:
        """Fail if the end of the last worker is not how the run was to end."""
        intake = self.intake
        why = abandoned(self.spec.workers, intake.lost, intake.stopped_s, ending=self.halted is not None)
        if why and self.end.exit_code != FAILED:
            self._fail(why)
            if self.halted is None and len(intake.stopped_s) == self.spec.workers:
                self.halt("drain", max(intake.stopped_s))

    async def _start_workers(self) -> None:
        # Workers know the plan as it is written; what was edited meanwhile they are told as any other change.
        spec, layout = self.spec, layout_of(self.spec.profile)
        await self.box.start(
            spec.run_id, spec.profile, spec.secrets, layout, 0, spec.workers, spec.workers, limit_s=spec.limit_s
        )
        step_back()  # the workers, which are there by now, must not inherit it
        if self.grading is not None:
            await self.grading.start()

    def _pulse(self) -> None:
        """Publish that the run is still armed: nothing has been sent, and no worker is lost."""
        if len(self.box.alive) < self.spec.workers:
            raise BoxError("a worker died while the run was armed")
        self._show(0.0)

    def _lost(self, item: Item) -> None:
        """Do about lost workers what is to be done."""
        if item.lost and self.spec.on_loss == "shrink":
            self._shrunk.update(item.lost)  # nobody takes their part over
            return
        if item.lost and self.spec.on_loss == "stop" and self.halted is None:
            self._fail(f'{item.exit}: the run ends ([fleet] on_loss = "stop")')
            self.halt("drain")
        self._deal()

    def _deal(self, ahead_s: float | None = None) -> None:
        """Deal users and arrivals to the workers of all boxes that are left: what lost ones had, or where ``ahead_s``
        is given everything, from so many seconds on.
        """
        alive = set(self.box.alive)
        if not alive - set(self.box.off):
            for state in self.box.states():
                self.box.turn(state.name, on=True)  # nobody else is left
        if members := (alive | self._shrunk) - set(self.box.off):
            anew = ahead_s is not None
            self._command(Dealt(Members(max(self.elapsed(), 0.0) + (ahead_s or 0.0), tuple(sorted(members)), anew)))

    # -- what the clock says

    def _look(self) -> None:
        """Look at the clock: note stages, end the run, close seconds."""
        elapsed = self.elapsed()
        if elapsed < 0:
            return
        self._stood_still(elapsed)
        if self.halted is None:
            for index in self.spans.look(elapsed, self.plan, self.control):
                self.watcher.say(elapsed, stage_words(index, self.plan.layout.stages))
            self._look_for_end(elapsed)
        elif self.halted.mode != "cancel" and elapsed >= self.halted.deadline_s:
            self.watcher.say(elapsed, "graceful_stop is over: what is in flight is cut", "warn")
            self.halt("cancel")
        elif self.halted.mode == "cancel" and elapsed >= self.halted.deadline_s + CANCEL_S:
            self.box.kill()
        self._close_seconds(patient=elapsed < self.standstill.over_s + PATIENCE_S)

    def _close_seconds(self, *, patient: bool = True) -> None:
        """Close the seconds that are over and told."""
        while (end_s := self._seconds.due(self.elapsed(), self.intake, self.box.alive, patient=patient)) is not None:
            self._close_second(end_s)

    def _stood_still(self, elapsed: float) -> None:
        """Report a while in which this process did not run; one longer than the workers' lease has ended the run."""
        text = self.standstill.look(elapsed, self.plan.end_s(self.control, self.spec.limit_s))
        if not text:
            return
        self.intake.warn(elapsed, text, "error")
        if self.halted is None and self.standstill.lost:
            self.end = failure(text)
            self.halt("drain", self.standstill.sending_ended_s)

    def _look_for_end(self, elapsed: float) -> None:
        if self._asked:
            self._stopped()
        elif elapsed >= self.plan.end_s(self.control, self.spec.limit_s):
            self.halt("finish", self.standstill.sending_ended_s)
        elif self.intake.budget.used_up:
            self.end = End("budget")
            self.halt("drain")
        elif self.intake.data.over:
            self.watcher.say(elapsed, "all data has been used: nothing is left to do")
            self.halt("finish")
        elif self.search is not None:
            if self._follow(self.search.look_at(elapsed, self.control, self.figures.aggregate), elapsed):
                self.end = self.search.outcome
                self.halt("drain")
        elif self.until is not None:
            end_s, t_s = self.plan.end_s(self.control, self.spec.limit_s), self._now().elapsed
            move = self.until.look_at(t_s, self.control, end_s)
            self.orders.clock(t_s, self.control, move.control, "gate")
            self._follow(move, elapsed)

    def _follow(self, move: Move, elapsed: float) -> bool:
        """Set the controls that a search, or a gate that is not decided, has moved on to; return whether it is over."""
        for text in move.said:
            self.watcher.say(elapsed, text, move.level)
        if move.control != self.control:
            self.control = move.control
            self._send_control()
        return move.over

    def _drain_clock(self) -> None:
        """Close the whole seconds that are left, and the piece after the last."""
        whole, last = self._seconds.rest(self.elapsed())
        for end_s in whole:
            self._close_second(end_s)
        self.state = "done"
        for text in unmatched(self.figures.aggregate, self.spec.masked):
            self.watcher.say(last, text, "warn")
        self._close_second(last)

    def elapsed(self) -> float:
        """Return the seconds since the run began; 0 before, and no more once its last request has ended."""
        if self._over_s is not None:
            return self._over_s
        return (perf_counter_ns() - self._epoch_ns) / 1e9 if self._epoch_ns else 0.0

    # -- seconds

    def _close_second(self, t_s: float) -> None:
        self._publish(self._closing.second(t_s, self._now, self._judge))

    def _show(self, t_s: float) -> None:
        self._publish(self._closing.snapshot(t_s, self._now()))

    def _publish(self, snapshot: Snapshot) -> None:
        self._scraped.snapshot = snapshot
        self._socket.publish(snapshot)

    def _judge(self, t_s: float, closed: Closed) -> None:
        """End the run if a threshold or the circuit breaker asks for it."""
        if closed.opens and closed.aborting is None and self.search is not None:
            # Less load may be all that the target needs: the level fails, and the next one is lower.
            self.watcher.say(t_s, self.search.fail(t_s), "warn")
        elif (end := gated(closed, self.figures.breaker)) is not None:
            self.end = end
            self.watcher.say(t_s, end.message, "error")
            self.halt("cancel")  # a target that has fallen over may never answer

    def _describe(self) -> RunInfo | None:
        """Return the first message to a viewer; None before there is one."""
        return self.records.describe(self.watcher.events, self.orders.changes.all)

    # -- commands

    def handle(self, text: str, source: str) -> Reply:
        """Follow a command from a viewer or a script, and return the answer."""
        order = self.orders.follow(text, source, self._now())
        if order.control is not None:
            self.control = order.control
            if order.plan is not None:
                self._replan(order.plan)
            if self._epoch_ns:
                self._send_control()
        if order.box is not None:
            name, on = order.box
            self.box.turn(name, on=on)
            self._deal(TURN_AHEAD_S)
        for event in order.events:
            self.watcher.say(*event)
        if order.warning:
            self.intake.warn(max(self.elapsed(), 0.0), order.warning, "warn")
        if order.halt:
            self._asked = order.halt
            self._stopped()
        if order.halt or order.start:
            self.trigger.pull()
        return order.reply

    def _now(self) -> Now:
        return Now(
            elapsed=round(max(self.elapsed(), 0.0), 3),
            state=self.state,
            waiting=self.trigger.waiting,
            ending=self.halted.mode if self.halted is not None else self._asked,
            searching=self.search is not None,
            workers=len(self.box.alive) or self.spec.workers,
            control=self.control,
            plan=self.plan,
            begun=self.spans.begun,
            sending_ended_s=self.halted.sending_ended_s if self.halted is not None else None,
            boxes=self.box.states(),
        )

    def _replan(self, plan: Plan) -> None:
        """Take the edited plan."""
        self.plan = plan
        self.spans.grow(len(plan.layout.stages))
        self.figures.replan(self.records.replan(plan))

    def _send_control(self) -> None:
        self._command(Steer(max(self.elapsed(), 0.0), self.control))

    def _command(self, message: Steer | Dealt | Halt) -> None:
        self._seq += 1
        self.box.command(self._seq, message)

    def _signalled(self) -> None:
        self.handle("stop now" if self._asked else "stop", "signal")

    def _warn(self, text: str) -> None:
        self.intake.warn(max(self.elapsed(), 0.0), text, "warn")

    # -- the end

    def halt(self, mode: str, sending_ended_s: float | None = None) -> None:
        """End the run, or end it sooner: one of :data:`~agenttop.controller.ending.MODES`. The sending ends now, or has
        ended before.
        """
        elapsed = max(self.elapsed(), 0.0)
        if self.halted is None:
            ended_s = elapsed if sending_ended_s is None else sending_ended_s
            self.halted = Halted(mode, ended_s, elapsed + self.spec.profile.graceful_stop)
            self.state = "draining"
            self._end_search(elapsed)
        self.halted = self.halted.by(mode, elapsed)
        self._command(Halt(mode))

    def _stopped(self) -> None:
        """Halt as the user asked; a run that has not begun ends by itself."""
        if self.state == "running":
            self.end = STOPPED_BY_USER
        if self.state in ("running", "draining"):
            self.halt(self._asked)

    def _fail(self, message: str, reason: str = "error") -> None:
        self.end = failure(self.safe(message, 1000), reason)
        self.watcher.say(max(self.elapsed(), 0.0), message, "error")

    def _end_search(self, elapsed: float) -> None:
        """End the search with the run, if it has not ended, and report what is known."""
        for text in self.search.end(elapsed, self.end.stop_reason) if self.search is not None else ():
            self.watcher.say(elapsed, text)

    def _finish(self) -> None:
        """Write the summary and send the end to the viewers."""
        if self.end.exit_code == DONE and nothing_answered(self.figures.aggregate):
            self._fail("no connection to the target was ever made", "target_unreachable")
        self.end = self.end.judged(self.figures.aggregate, self.figures.judge.verdicts)
        elapsed = max(self.elapsed(), 0.0)
        self._end_search(elapsed)
        ungraded = self.figures.quality.ungraded if self.figures.quality is not None else ""
        for text in (*self.answers.lacks(), *filter(None, [ungraded])):
            self.intake.warn(elapsed, text, "warn")
        ended_s = self.halted.sending_ended_s if self.halted is not None else elapsed
        path, self.end = self.records.finish(self._closing.summary(elapsed, self.end, ended_s), self.end)
        self._socket.publish(Ended(self.end.exit_code, self.end.stop_reason, path, self.end.message))
