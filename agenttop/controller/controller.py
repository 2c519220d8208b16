"""The controller: one process per run, in a session of its own, so that a run outlives the terminal that began it.

Started by ``launch`` as ``python -m agenttop.controller.controller`` with a pickled :class:`RunSpec` on standard input;
it answers ``ready`` on standard output when its control socket is open, and writes what it has to say to its log.

Longer than most files: it is one state machine, read in one piece.

    starting ──workers ready──► running ──end of plan, stop──► draining ──all users gone, or graceful_stop over──► done
        └─────► armed ──start──────┘
"""

from __future__ import annotations

import asyncio
import pickle
import signal
import sys
from time import perf_counter_ns

import uvloop

from agenttop.controller.armed import Trigger
from agenttop.controller.box import BoxAgent, BoxError
from agenttop.controller.ending import STOPPED_BY_USER, End, Halted, failure, gate, nothing_answered
from agenttop.controller.intake import Intake
from agenttop.controller.orders import Now, Orders
from agenttop.controller.preflight import unreachable
from agenttop.controller.records import Records
from agenttop.controller.searching import searching_of
from agenttop.controller.spans import Spans, stage_words
from agenttop.controller.spec import RunSpec
from agenttop.controller.watcher import Watcher
from agenttop.exits import DONE
from agenttop.journal.figures import STEP_S, Closed, Figures
from agenttop.journal.places import socket_path
from agenttop.journal.rules import rules_of
from agenttop.journal.targets import situation
from agenttop.journal.verdicts import told
from agenttop.metrics.run_state import RunState
from agenttop.metrics.saturation import SILENT_S
from agenttop.metrics.snapshot import Ended, Reply, RunInfo, Snapshot
from agenttop.runs.control_socket import ControlSocket
from agenttop.schedule.control import Control
from agenttop.steering.plan import Plan
from agenttop.users.compile import layout_of
from agenttop.worker.lease import LEASE_S
from agenttop.worker.messages import Halt, Steer
from agenttop.worker.priority import step_back

SETTLE_S = 0.06
"""A second is closed so long after its end, when the deltas of its last quarter are here."""
PATIENCE_S = SILENT_S
"""… and at most so long after it, where a worker has not told of it yet."""
STILL_S = 1.0
"""A controller that has not looked at the clock for so long was stopped, or starved of its core."""
CANCEL_S = 5.0
"""What workers get to end after they were told to cut everything."""


class Controller:
    """Owns one run."""

    def __init__(self, spec: RunSpec) -> None:
        layout = layout_of(spec.profile)
        self.spec = spec
        self.plan = Plan(spec.profile, layout)
        self.control = Control()
        self.spans = Spans(len(layout.stages))
        self.figures = Figures(layout, rules_of(spec.profile, spec.masked))
        self.search = searching_of(spec.profile, layout)
        self.orders = Orders(spec.profile)
        self.trigger = Trigger(armed=spec.armed)
        self.watcher = Watcher()
        self.box = BoxAgent()
        self.records = Records(spec, self.plan, self.figures)
        self.intake = Intake(spec, self.figures, self.records, self.search, self.watcher, self.box)
        self.state = "starting"
        self.end = End()
        """As things stand."""
        self.halted: Halted | None = None
        self._asked = ""
        """How somebody wants it to be halted."""
        self._epoch_ns = 0
        self._seq = 0
        self._ack = 0
        self._seconds = 0
        self._looked_s = 0.0
        self._attentive_s = 0.0
        self._socket = ControlSocket(socket_path(spec.run_id), self.handle, self._describe)

    # -- the run

    async def run(self) -> int:
        """The whole run; returns its exit code. The summary is written whatever happens."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signalled)
        # The controller is in a session of its own; no terminal's end is its end.
        loop.add_signal_handler(signal.SIGHUP, lambda: None)
        await self._socket.open()
        print("ready", flush=True)
        self.records.open()
        self._socket.announce()
        try:
            await self._run()
        except BoxError as error:
            self._fail(str(error))
        except Exception as error:
            self._fail(f"{type(error).__name__}: {error}")
            self._finish()
            raise
        self._finish()
        if not self._epoch_ns:
            self._command(Halt("cancel"))  # there may be workers that never began
        await self.box.stop(CANCEL_S)
        await self._socket.close()
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
        problem = await unreachable(self.spec.profile) if not self._asked else None
        if problem is not None:
            self._fail(problem, "target_unreachable")
            return
        if self._asked:
            self.end = STOPPED_BY_USER
            return
        if not self.spec.armed:
            await self._start_workers()
        self.records.begin_anew()
        self._epoch_ns = perf_counter_ns() + 20_000_000
        self.box.go(self._epoch_ns)
        if self.control != Control():
            self._send_control()
        self.state = "running"
        while self.box.alive or self.box.pending(self._ack):
            for item in await self.box.poll(self._ack, STEP_S):
                self._ack = item.seq
                self.intake.take(item, self.elapsed(), ending=self.halted is not None)
                self._close_seconds()
            self._look()
        self._drain_clock()
        if self.end.stop_reason != "error" and (
            self.halted is None or (self.intake.lost and self.intake.lost == self.spec.workers)
        ):
            self._fail("every worker died")

    async def _start_workers(self) -> None:
        # Workers know the plan as it is written; what was edited meanwhile they are told as any other change.
        spec, layout = self.spec, layout_of(self.spec.profile)
        count, limit_s = spec.workers, spec.limit_s
        await self.box.start(spec.run_id, spec.profile, spec.secrets, layout, 0, count, count, limit_s)
        step_back()  # the workers, which are there by now, must not inherit it

    def _pulse(self) -> None:
        """Nothing has been sent, and nothing is lost."""
        if len(self.box.alive) < self.spec.workers:
            raise BoxError("a worker died while the run was armed")
        self._socket.publish(self._snapshot(self._situation(0.0)))

    # -- what the clock says

    def _look(self) -> None:
        """Stages, the end, seconds."""
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
        self._close_seconds(patient=elapsed < self._attentive_s + PATIENCE_S)

    def _close_seconds(self, *, patient: bool = True) -> None:
        """Close the seconds of which every worker has told, and those that it was waited for long enough."""
        while (elapsed := self.elapsed()) >= self._seconds + 1 + SETTLE_S:
            if self.intake.behind(self._seconds + 1.0, self.box.alive):
                if patient or elapsed < self._seconds + 1 + PATIENCE_S:
                    return
                self.intake.give_up(self._seconds + 1.0, self.box.alive)
            self._seconds += 1
            self._close_second(float(self._seconds))

    def _stood_still(self, elapsed: float) -> None:
        """Tell of a while in which this process did not run; one longer than the workers' lease has ended the run."""
        before, self._looked_s = self._looked_s, elapsed
        still_s = elapsed - before
        if still_s >= STILL_S / 2:
            self._attentive_s = elapsed  # what workers said meanwhile is still to be read
        if still_s < STILL_S:
            return
        text = (
            f"the controller stood still for {still_s:.0f} s from {before:.0f} s on (stopped, or starved of its core)"
        )
        self.figures.aggregate.workers.warn(text)
        if still_s < LEASE_S or self.halted is not None:
            self.watcher.say(elapsed, text, "error")
            return
        self._fail(f"{text}: its workers stopped by themselves after {LEASE_S:g} s")
        self.halt("drain", before + LEASE_S)

    def _look_for_end(self, elapsed: float) -> None:
        limit = self.spec.limit_s
        over = self.control.held_at is None and self.control.plan_time(elapsed) >= self.plan.duration_s
        if self._asked:
            self._stopped()
        elif over or (limit is not None and elapsed >= limit):
            self.halt("finish")
        elif self.intake.budget.used_up:
            self.end = End("budget")
            self.halt("drain")
        elif self.intake.data.over:
            self.watcher.say(elapsed, "all data has been used: nothing is left to do")
            self.halt("finish")
        elif self.search is not None:
            self._search(elapsed)

    def _search(self, elapsed: float) -> None:
        """Let the search look at the clock, and follow it."""
        assert self.search is not None
        users, in_flight = self.figures.aggregate.workers.by_pool()
        doubtful = self.search.doubts(self.figures.aggregate.saturation.current)
        move = self.search.look(elapsed, self.control, users, in_flight, saturated=doubtful)
        for text in move.said:
            self.watcher.say(elapsed, text)
        if move.control != self.control:
            self.control = move.control
            self._send_control()
        if move.over:
            self.end = self.search.outcome
            self.halt("drain")

    def _drain_clock(self) -> None:
        """Close what is left: whole seconds, and the piece after the last."""
        elapsed = self.elapsed()
        while elapsed >= self._seconds + 1:
            self._seconds += 1
            self._close_second(float(self._seconds))
        self.state = "done"
        self._close_second(max(elapsed, self._seconds + 0.001))

    def elapsed(self) -> float:
        """Seconds since the run began; 0 before."""
        return (perf_counter_ns() - self._epoch_ns) / 1e9 if self._epoch_ns else 0.0

    # -- seconds

    def _close_second(self, t_s: float) -> None:
        for event in self.orders.changes.rested(t_s, now=self.state == "done"):
            self.watcher.say(*event)
        now = self._situation(t_s)
        news = self.search.news() if self.search is not None else None
        closed = self.figures.second(now, self.spans.all, sending_ended_s=self._sending_ended_s, search=news)
        self.watcher.silent(t_s, self.figures.aggregate.saturation.silent)
        self._judge(t_s, closed)
        for text in self.intake.budget.news():
            self.watcher.say(t_s, text, "warn")
        snapshot = self._snapshot(now)
        self.watcher.look(snapshot)
        if self.watcher.events and self.watcher.events[-1] not in now.events:
            snapshot = self._snapshot(self._situation(t_s))
        if self.search is not None:
            news = self.search.news() or news
        why = self.records.second(
            now,
            controls=self.orders.controls,
            events=self.watcher.take(),
            search=news,
            spans=self.spans.take(),
            sending_ended_s=self._sending_ended_s,
        )
        if why:  # a full disk must not end a run that goes well; the summary may yet find room
            self.watcher.say(t_s, f"journal: {why}", "error")
        self._socket.publish(snapshot)

    @property
    def _sending_ended_s(self) -> float | None:
        return self.halted.sending_ended_s if self.halted is not None else None

    def _judge(self, t_s: float, closed: Closed) -> None:
        """Thresholds and the circuit breaker may end the run."""
        for verdict in closed.failed:
            if not verdict.aborted_run:
                self.watcher.say(t_s, f"threshold failed: {told(verdict)}", "warn")
        if closed.aborting is not None:
            self._abort(t_s, "threshold_abort", f"a threshold ended the run: {told(closed.aborting)}")
        elif closed.opens and self.search is not None:
            # Less load may be all that the target needs: the level fails, and the next one is lower.
            self.watcher.say(t_s, self.search.fail(t_s), "warn")
        elif closed.opens:
            self._abort(t_s, "circuit_breaker", f"the circuit breaker ended the run: {self.figures.breaker.told()}")

    def _situation(self, t_s: float) -> RunState:
        return situation(
            t_s,
            self.plan,
            self.control,
            state=self.state,
            ending=self.halted is not None,
            warmup_s=self.spec.profile.warmup,
            events=self.watcher.events,
            workers=self.spec.workers,
            alive=self.spec.workers - self.intake.lost,
            searching=self.search is not None,
            marks=self.orders.changes.newest,
        )

    def _snapshot(self, now: RunState) -> Snapshot:
        return self.figures.snapshot(now, self.search.state() if self.search is not None else None)

    def _describe(self) -> RunInfo | None:
        """What a viewer is told first."""
        return self.records.describe(self.watcher.events, self.orders.changes.all)

    # -- commands

    def handle(self, text: str, source: str) -> Reply:
        """Follow a command from a viewer or a script."""
        order = self.orders.follow(text, source, self._now())
        if order.control is not None:
            self.control = order.control
            if order.plan is not None:
                self._replan(order.plan)
            if self._epoch_ns:
                self._send_control()
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
        """What a command finds."""
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
        )

    def _replan(self, plan: Plan) -> None:
        """The plan was edited."""
        self.plan = plan
        self.spans.grow(len(plan.layout.stages))
        self.figures.replan(self.records.replan(plan))

    def _send_control(self) -> None:
        self._command(Steer(max(self.elapsed(), 0.0), self.control))

    def _command(self, message: Steer | Halt) -> None:
        self._seq += 1
        self.box.command(self._seq, message)

    def _signalled(self) -> None:
        self.handle("stop now" if self._asked else "stop", "signal")

    # -- the end

    def halt(self, mode: str, sending_ended_s: float | None = None) -> None:
        """End the run, or end it sooner: one of :data:`~agenttop.controller.ending.MODES`; the sending ends now, or has
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
        """Somebody asked for the end; a run that has not begun comes to it by itself."""
        if self.state == "running":
            self.end = STOPPED_BY_USER
        if self.state in ("running", "draining"):
            self.halt(self._asked)

    def _abort(self, t_s: float, reason: str, message: str) -> None:
        """A gate ends the run; a target that has fallen over may never answer, so what is in flight is cut."""
        self.end = gate(reason, message)
        self.watcher.say(t_s, message, "error")
        self.halt("cancel")

    def _fail(self, message: str, reason: str = "error") -> None:
        self.end = failure(message, reason)
        self.watcher.say(max(self.elapsed(), 0.0), message, "error")

    def _end_search(self, elapsed: float) -> None:
        """The run ends before its search does: whoever looks on is told what is known."""
        for text in self.search.end(elapsed, self.end.stop_reason) if self.search is not None else ():
            self.watcher.say(elapsed, text)

    def _finish(self) -> None:
        """Write the summary and say goodbye to the viewers."""
        if self.end.exit_code == DONE and nothing_answered(self.figures.aggregate):
            self._fail("no connection to the target was ever made", "target_unreachable")
        self.end = self.end.judged(self.figures.aggregate, self.figures.judge.verdicts)
        elapsed = max(self.elapsed(), 0.0)
        self._end_search(elapsed)
        path, message = self.records.finish(
            duration_s=elapsed,
            sending_ended_s=self.halted.sending_ended_s if self.halted is not None else elapsed,
            end=self.end,
            stage_spans=self.spans.all,
            controls=self.orders.controls,
            search=self.search.summary() if self.search is not None else None,
        )
        self._socket.publish(Ended(self.end.exit_code, self.end.stop_reason, path, message))


def main() -> int:
    """Run what standard input says."""
    spec: RunSpec = pickle.load(sys.stdin.buffer)
    return uvloop.run(Controller(spec).run())


if __name__ == "__main__":
    sys.exit(main())
