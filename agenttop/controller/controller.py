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
from typing import Any

import uvloop
from msgspec.structs import replace

from agenttop.controller.armed import Trigger
from agenttop.controller.box import BoxAgent, BoxError
from agenttop.controller.budget import BudgetController, used_up
from agenttop.controller.data_exhaustion import DataExhaustion
from agenttop.controller.launch import NO_ROOM
from agenttop.controller.manual_changes import EventText, ManualChanges
from agenttop.controller.preflight import unreachable
from agenttop.controller.records import Records
from agenttop.controller.searching import BUSY, searching_of
from agenttop.controller.spans import Spans
from agenttop.controller.spec import RunSpec
from agenttop.controller.watcher import Watcher
from agenttop.exits import DONE, FAILED, THRESHOLD
from agenttop.journal.places import socket_path
from agenttop.journal.targets import situation
from agenttop.journal.verdicts import STEP_S, breaker_of, measured, rules_of, still_sent, summed, told
from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.delta import Delta, PoolState
from agenttop.metrics.outcome import Outcome
from agenttop.metrics.run_state import RunState
from agenttop.metrics.safe_text import SafeStream, SafeText
from agenttop.metrics.snapshot import Edited, Ended, Reply, RunInfo, Snapshot, StageInfo
from agenttop.runs.control_socket import ControlSocket
from agenttop.schedule.control import Control
from agenttop.steering.apply import Rejected, steer
from agenttop.steering.command import CommandError, parse_command
from agenttop.steering.plan import Plan
from agenttop.steering.replan import before
from agenttop.thresholds.judge import Judge
from agenttop.users.compile import layout_of
from agenttop.users.terms import terms_of
from agenttop.worker.files import most_of_open, short_of_files
from agenttop.worker.lease import LEASE_S
from agenttop.worker.messages import Halt, Steer
from agenttop.worker.priority import step_back

SETTLE_S = 0.06
"""A second is closed so long after its end, when the deltas of its last quarter are here."""
STILL_S = 1.0
"""A controller that has not looked at the clock for so long was stopped, or starved of its core."""
CANCEL_S = 5.0
"""What workers get to end after they were told to cut everything."""


class Controller:
    """Owns one run."""

    def __init__(self, spec: RunSpec) -> None:
        self.spec = spec
        self.profile = spec.profile
        self.layout = layout_of(spec.profile)
        self.plan = Plan(spec.profile, self.layout)
        self.trigger = Trigger(armed=spec.armed)
        self.aggregate = Aggregate(self.layout)
        self.judge = Judge(rules_of(spec.profile, spec.masked), self.layout)
        self.breaker = breaker_of(spec.profile)
        self.search = searching_of(spec.profile, self.layout)
        self.control = Control()
        self.safe = SafeText(spec.secrets)
        """The door for what a target says to this process."""
        self.watcher = Watcher(self.safe)
        self.hand = ManualChanges()
        self.budget = BudgetController(terms_of(spec.profile), spec.workers, self.layout, self.aggregate.spending)
        self.data = DataExhaustion([pool.name for pool in spec.profile.pools], spec.workers)
        self.box = BoxAgent()
        self.state = "starting"
        self.stop_reason = "completed"
        self.exit_code = 0
        self.message = ""
        self.controls: list[dict[str, Any]] = []
        self._epoch_ns = 0
        self._seq = 0
        self._ack = 0
        self._halted = ""
        self._halt_asked = ""
        self._deadline_s = 0.0
        self._sending_ended_s = 0.0
        self._seconds = 0
        self._deltas: list[Delta] = []
        self._gone: list[int] = []
        self._lost = 0
        self._looked_s = 0.0
        self._told_short = False
        self._unwritten = ""
        """Why the last second is not in the journal."""
        self.spans = Spans(len(self.layout.stages))
        self._records: Records | None = None
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
        try:
            self._records = Records(self.spec, self.plan, self.aggregate)
        except OSError as error:
            print(f"{NO_ROOM}{error.strerror}", flush=True)
            await self._socket.close(0)
            return FAILED
        print("ready", flush=True)
        self._socket.announce()
        try:
            await self._run()
        except BoxError as error:
            self._fail("error", str(error))
        except Exception as error:
            self._fail("error", f"{type(error).__name__}: {error}")
            self._finish()
            raise
        self._finish()
        if not self._epoch_ns:
            self._seq += 1
            self.box.command(self._seq, Halt("cancel"))  # there may be workers that never began
        await self.box.stop(CANCEL_S)
        await self._socket.close()
        return self.exit_code

    async def _run(self) -> None:
        for warning in self.spec.warnings:
            self.watcher.say(0.0, warning, "warn")
        if self.spec.armed:
            await self._start_workers()
            self.state = "armed"
            await self.trigger.wait(self._pulse)
            self.state = "starting"
        # An armed run has connected to nothing until now.
        problem = await unreachable(self.profile) if not self._halt_asked else None
        if problem is not None:
            self._fail("target_unreachable", problem)
            return
        if self._halt_asked:
            self._stopped()
            return
        if self.spec.armed:
            assert self._records is not None
            try:
                self._records.begin_anew()
            except OSError as error:
                self._fail("error", f"the journal cannot be written, and nothing was sent: {error.strerror}")
                return
        else:
            await self._start_workers()
        self._epoch_ns = perf_counter_ns() + 20_000_000
        self.box.go(self._epoch_ns)
        if self.control != Control():
            self._send_control()
        self.state = "running"
        while self.box.alive or self.box.pending(self._ack):
            await self._poll()
            self._look()
        self._drain_clock()
        if self.stop_reason != "error" and (not self._halted or (self._lost and self._lost == self.spec.workers)):
            self._fail("error", "every worker died")

    async def _start_workers(self) -> None:
        # Workers know the plan as it is written; what was edited meanwhile they are told as any other change.
        layout, count = layout_of(self.profile), self.spec.workers
        await self.box.start(
            self.spec.run_id, self.profile, self.spec.secrets, layout, 0, count, count, self.spec.limit_s
        )
        step_back()  # the workers, which are there by now, must not inherit it

    def _pulse(self) -> None:
        """Nothing has been sent, and nothing is lost."""
        if len(self.box.alive) < self.spec.workers:
            raise BoxError("a worker died while the run was armed")
        self._socket.publish(self._snapshot(self._situation(0.0)))

    async def _poll(self) -> None:
        for item in await self.box.poll(self._ack, STEP_S):
            self._ack = item.seq
            if item.draw is not None:
                self.box.grant(item.worker, self.budget.draw(item.worker, item.draw, self.elapsed()))
            elif item.delta is not None:
                self.aggregate.fold(item.delta)
                self.judge.fold(item.delta)
                self.breaker.fold(item.delta)
                if self.search is not None:
                    self.search.fold(item.delta)
                self._deltas.append(item.delta)
                self.watcher.exceptions(item.delta.errors)
                self._used_up(self.data.fold(item.worker, item.delta.states))
                self._tell(item.delta.states)
            elif item.ended:
                self.aggregate.worker_gone(item.worker)
                if self.search is not None:
                    self.search.forget(item.worker)
                self._gone.append(item.worker)
                self._used_up(self.data.forget(item.worker))
                self.budget.gone(item.worker)
                if item.exit:
                    self._lost += 1
                    left = len(self.box.alive)
                    where = f"its users go to the other {left}" if left else "none is left"
                    text = f"worker {item.worker} {item.exit}: {where}"
                    self.watcher.say(self.elapsed(), text, "error")
                    self.aggregate.workers.warn(f"{text} (at {self.elapsed():.0f} s)")

    def _tell(self, states: list[PoolState]) -> None:
        """What workers want told of their users; each tells it again and again."""
        for state in states:
            for note in state.notes:
                text = f"{self.spec.profile.pools[state.pool].name}: {note}"
                if text not in self.aggregate.workers.warnings:
                    self.watcher.say(self.elapsed(), text, "warn")
                    self.aggregate.workers.warn(text)

    def _used_up(self, news: list[str]) -> None:
        """Pools whose data is used up do less from here on than the plan wants."""
        for text in news if not self._halted else ():
            self.watcher.say(self.elapsed(), text)
            self.aggregate.workers.warn(f"{text} (at {self.elapsed():.0f} s)")

    def _look(self) -> None:
        """What the clock says: stages, seconds, the end."""
        elapsed = self.elapsed()
        if elapsed < 0:
            return
        self._stood_still(elapsed)
        plan_time = self.control.plan_time(elapsed)
        if not self._halted:
            self._tell_stages(elapsed)
            limit = self.spec.limit_s
            if self._halt_asked:
                self._stopped()
            elif (limit is not None and elapsed >= limit) or (
                plan_time >= self.plan.duration_s and self.control.held_at is None
            ):
                self.halt("finish")
            elif self.budget.used_up(elapsed):
                self.stop_reason = "budget"
                self.halt("drain")
            elif self.data.over:
                self.watcher.say(elapsed, "all data has been used: nothing is left to do")
                self.halt("finish")
            elif self.search is not None:
                self._search(elapsed)
        elif self._halted != "cancel" and elapsed >= self._deadline_s:
            self.watcher.say(elapsed, "graceful_stop is over: what is in flight is cut", "warn")
            self.halt("cancel")
        elif self._halted == "cancel" and elapsed >= self._deadline_s + CANCEL_S:
            self.box.kill()
        while elapsed >= self._seconds + 1 + SETTLE_S:
            self._seconds += 1
            self._close_second(float(self._seconds))

    def _stood_still(self, elapsed: float) -> None:
        """Tell of a while in which this process did not run; one longer than the workers' lease has ended the run."""
        before, self._looked_s = self._looked_s, elapsed
        still_s = elapsed - before
        if still_s < STILL_S:
            return
        text = (
            f"the controller stood still for {still_s:.0f} s from {before:.0f} s on (stopped, or starved of its core)"
        )
        self.aggregate.workers.warn(text)
        if still_s < LEASE_S or self._halted:
            self.watcher.say(elapsed, text, "error")
            return
        self._fail("error", f"{text}: its workers stopped by themselves after {LEASE_S:g} s")
        self.halt("drain")
        self._sending_ended_s = before + LEASE_S

    def _search(self, elapsed: float) -> None:
        """Let the search look at the clock, and follow it."""
        assert self.search is not None
        users, in_flight = self.aggregate.workers.by_pool()
        doubtful = self.search.doubts(self.aggregate.saturation.current)
        move = self.search.look(elapsed, self.control, users, in_flight, saturated=doubtful)
        if move.failed:
            self.breaker.reset(elapsed)  # how that level failed is nothing against the one that follows
        for text in move.said:
            self.watcher.say(elapsed, text)
        if move.control != self.control:
            self.control = move.control
            self._send_control()
        if move.over:
            self.stop_reason, self.exit_code, self.message = self.search.outcome
            self.halt("drain")

    def _end_search(self, elapsed: float) -> None:
        """The run ends before its search does: whoever looks on is told what is known."""
        if self.search is not None and not self.search.stopped:
            self.search.end(elapsed, {"completed": "time"}.get(self.stop_reason, self.stop_reason))
            self.watcher.say(elapsed, self.search.words)

    def halt(self, mode: str) -> None:
        """End the run: ``finish`` (tasks under way go on), ``drain`` (requests in flight do), ``cancel`` (nothing
        does).
        """
        elapsed = max(self.elapsed(), 0.0)
        if not self._halted:
            self._sending_ended_s = elapsed
            self._deadline_s = elapsed + self.profile.graceful_stop
            self.state = "draining"
            self._end_search(elapsed)
        self._halted = mode
        if mode == "cancel":
            self._deadline_s = elapsed
        self._seq += 1
        self.box.command(self._seq, Halt(mode))

    def _stopped(self) -> None:
        """Somebody asked for the end."""
        self.stop_reason, self.exit_code = "stopped_by_user", 130
        if self.state == "running":
            self.halt(self._halt_asked)

    def _fail(self, reason: str, message: str) -> None:
        self.stop_reason, self.exit_code, self.message = reason, 1, self.safe(message, 1000)
        self.watcher.say(max(self.elapsed(), 0.0), message, "error")

    def elapsed(self) -> float:
        """Seconds since the run began; 0 before."""
        return (perf_counter_ns() - self._epoch_ns) / 1e9 if self._epoch_ns else 0.0

    # -- seconds

    def _close_second(self, t_s: float) -> None:
        self._report(self.hand.rested(t_s, now=self.state == "done"))
        situation = self._situation(t_s)
        self.aggregate.second(situation)
        self.watcher.silent(t_s, self.aggregate.saturation.silent)
        self._judge(t_s)
        for text in self.budget.news():
            self.watcher.say(t_s, text, "warn")
        snapshot = self._snapshot(situation)
        self.watcher.look(snapshot)
        if self.watcher.events and self.watcher.events[-1] not in situation.events:
            snapshot = self._snapshot(self._situation(t_s))
        self._write_second(situation)
        self._socket.publish(snapshot)

    def _snapshot(self, situation: RunState) -> Snapshot:
        snapshot = self.aggregate.snapshot(situation)
        search = self.search.state() if self.search is not None else None
        return replace(snapshot, thresholds=self.judge.verdicts, breaker=self.breaker.state, search=search)

    def _judge(self, t_s: float) -> None:
        """Judge the thresholds and the circuit breaker on the second that has closed; they may end the run."""
        running = self.state == "running" and not self._halted and bool(self.box.alive)
        end_s = self._sending_ended_s if self._halted else t_s
        seconds = measured(end_s, self.profile.warmup, self.spans.all)
        for verdict in self.judge.second(t_s, seconds, sending=still_sent(t_s, end_s), running=running):
            if not verdict.aborted_run:
                self.watcher.say(t_s, f"threshold failed: {told(verdict)}", "warn")
        aborting = self.judge.aborting
        if running and aborting is not None:
            self._abort(t_s, "threshold_abort", f"a threshold ended the run: {told(aborting)}")
        elif running and self.breaker.second(t_s):
            if self.search is not None:
                # Less load may be all that the target needs: the level fails, and the next one is lower.
                self.watcher.say(t_s, self.search.fail(t_s), "warn")
                self.breaker.reset(t_s)
                return
            self._abort(t_s, "circuit_breaker", f"the circuit breaker ended the run: {self.breaker.told()}")

    def _abort(self, t_s: float, reason: str, message: str) -> None:
        """A gate ends the run; a target that has fallen over may never answer, so what is in flight is cut."""
        self.stop_reason, self.exit_code, self.message = reason, THRESHOLD, message
        self.watcher.say(t_s, message, "error")
        self.halt("cancel")

    def _write_second(self, situation: RunState) -> None:
        assert self._records is not None
        deltas, self._deltas = self._deltas, []
        gone, self._gone = self._gone, []
        try:
            self._records.second(
                situation,
                deltas,
                controls=self.controls,
                events=self.watcher.take(),
                gone=gone,
                search=self.search.news() if self.search is not None else None,
                spans=self.spans.take(),
                sending_ended_s=self._sending_ended_s if self._halted else None,
            )
            self._unwritten = ""
        except OSError as error:
            # A full disk must not end a run that goes well; the summary may yet find room.
            if error.strerror != self._unwritten:
                self.watcher.say(situation.t_s, f"journal: {error.strerror}", "error")
            self._unwritten = error.strerror or ""

    def _situation(self, t_s: float) -> RunState:
        return situation(
            t_s,
            self.plan,
            self.control,
            state=self.state,
            ending=bool(self._halted),
            warmup_s=self.profile.warmup,
            events=self.watcher.events,
            workers=self.spec.workers,
            alive=self.spec.workers - self._lost,
            searching=self.search is not None,
            marks=self.hand.newest,
        )

    def _tell_stages(self, elapsed: float) -> None:
        """Note which stages are under way, and tell of those that begin."""
        for index in self.spans.look(elapsed, self.plan, self.control):
            info = self.layout.stages[index]
            unit = "users" if info.unit == "users" else "iterations/s"
            goal = f"{info.target_start:g} → {info.target_end:g} {unit}"
            number = 1 + sum(before(other, info) for other in self.layout.stages)
            self.watcher.say(elapsed, f"stage {number} {info.name}: {goal}")

    def _drain_clock(self) -> None:
        """Close what is left: whole seconds, and the piece after the last."""
        elapsed = self.elapsed()
        while elapsed >= self._seconds + 1:
            self._seconds += 1
            self._close_second(float(self._seconds))
        self.state = "done"
        self._close_second(max(elapsed, self._seconds + 0.001))

    # -- commands

    def handle(self, text: str, source: str) -> Reply:
        """Follow a command from a viewer or a script."""
        try:
            command = parse_command(text)
        except CommandError as error:
            return Reply(0, False, str(error))
        elapsed = round(max(self.elapsed(), 0.0), 3)  # as it is written down: whoever repeats it must get the same
        if command.op == "status":
            return Reply(0, True, self.state)
        if command.op == "start":
            return self._handle_start(source)
        if command.op == "stop":
            return self._handle_stop(now=command.now, source=source)
        if self._halted or self.state == "done":
            return Reply(0, False, "the run is coming to its end")
        if self.search is not None:
            return Reply(0, False, BUSY)
        try:
            change = steer(command, self.control, self.plan, elapsed, begun=self.spans.begun)
        except Rejected as error:
            return Reply(0, False, str(error))
        self.control = change.control
        if change.stages is not None:
            self._replan(change.stages)
        if self._epoch_ns:
            self._send_control()
        self._note(elapsed, text, change.pool, change.before, change.after, source)
        self._report(self.hand.add(elapsed, "you" if source == "key" else source, command, change))
        short = self._short_of_files(elapsed) if command.op in ("users", "plan", "release") else ""
        return Reply(0, True, f"{change.said}; {short}" if short else change.said)

    def _short_of_files(self, elapsed: float) -> str:
        """What is to be said of users that a command has raised beyond what can connect; told once as an event."""
        users = self.plan.most_to_come(self.control, elapsed) + most_of_open(self.profile)
        short = short_of_files(users, len(self.box.alive) or self.spec.workers)
        if short and not self._told_short:
            self.watcher.say(elapsed, short, "warn")
            self.aggregate.workers.warn(f"{short} (at {elapsed:.0f} s)")
        self._told_short = bool(short)
        return short

    def _replan(self, stages: tuple[StageInfo, ...]) -> None:
        """The plan was edited."""
        self.layout = replace(self.layout, stages=stages)
        self.plan = self.plan.under(self.control, self.layout)
        self.spans.grow(len(stages))
        limit = self.spec.limit_s
        edited = Edited(stages, self.plan.duration_s if limit is None else min(limit, self.plan.duration_s))
        self.aggregate.replan(edited)
        self.judge.grow(self.layout)
        if self._records is not None:
            self._records.replan(edited)

    def _handle_start(self, source: str) -> Reply:
        if self._halt_asked or not self.trigger.pull():
            why = "is coming to its end" if self._halt_asked or self._halted else "has begun already"
            return Reply(0, False, f"the run {why}")
        self._note(0.0, "start", None, "armed", "running", source)
        self.watcher.say(0.0, f"{'you' if source == 'key' else source}: start")
        return Reply(0, True, "starting")

    def _handle_stop(self, *, now: bool, source: str) -> Reply:
        mode = "cancel" if now else "drain"
        if self._halted == "cancel" or (self._halted == mode):
            return Reply(0, False, "the run is coming to its end already")
        elapsed = max(self.elapsed(), 0.0)
        self._note(elapsed, "stop now" if now else "stop", None, self.state, "draining", source)
        self._report(self.hand.rested(elapsed, now=True))
        self.hand.mark(elapsed, "stop now" if now else "stop")
        self.watcher.say(elapsed, "stopping: what is in flight is cut" if now else "stopping: no new requests")
        self._halt_asked = mode
        self.trigger.pull()
        if self.state == "running":
            self._stopped()
        elif self.state == "draining":
            self.halt(mode)
        return Reply(0, True, "stopping now" if now else "stopping: requests in flight may end")

    def _send_control(self) -> None:
        self._seq += 1
        self.box.command(self._seq, Steer(max(self.elapsed(), 0.0), self.control))

    def _note(self, t_s: float, command: str, pool: str | None, before: Any, after: Any, source: str) -> None:
        self.controls.append(
            {"t_s": round(t_s, 3), "command": command, "pool": pool, "from": before, "to": after, "source": source}
        )

    def _report(self, told: list[EventText]) -> None:
        for t_s, text in told:
            self.watcher.say(t_s, text)

    def _signalled(self) -> None:
        self._handle_stop(now=bool(self._halt_asked), source="signal")

    # -- what is written

    def _describe(self) -> RunInfo | None:
        return self._records.describe(self.watcher.events, self.hand.all) if self._records is not None else None

    def _finish(self) -> None:
        """Write the summary and say goodbye to the viewers."""
        assert self._records is not None
        self._judge_target()
        if self.stop_reason == "budget":
            refused = self.aggregate.total().outcomes[Outcome.BUDGET_REFUSED]
            self.message = used_up(self.aggregate.spending.lines(), refused)
        failed = self.judge.failed
        if failed and self.exit_code == DONE:
            self.exit_code = THRESHOLD
            self.message = f"{failed} of {len(self.judge.verdicts)} thresholds failed"
        elapsed = max(self.elapsed(), 0.0)
        self._end_search(elapsed)
        path, self.message, self.exit_code = self._records.finish(
            duration_s=elapsed,
            sending_ended_s=self._sending_ended_s if self._halted else elapsed,
            stop_reason=self.stop_reason,
            exit_code=self.exit_code,
            stage_spans=self.spans.all,
            controls=self.controls,
            thresholds=summed(self.judge.verdicts),
            search=self.search.summary() if self.search is not None else None,
            message=self.message,
        )
        self._socket.publish(Ended(self.exit_code, self.stop_reason, path, self.message))

    def _judge_target(self) -> None:
        """A run in which nothing ever answered has failed."""
        total = self.aggregate.total()
        failed = {outcome: count for outcome, count in total.outcomes.items() if count}
        if self.exit_code == 0 and failed and set(failed) <= {Outcome.CONNECT_ERROR.value}:
            self._fail("target_unreachable", "no connection to the target was ever made")


def main() -> int:
    """Run what standard input says."""
    spec: RunSpec = pickle.load(sys.stdin.buffer)
    sys.stderr = SafeStream(sys.stderr, SafeText(spec.secrets))
    return uvloop.run(Controller(spec).run())


if __name__ == "__main__":
    sys.exit(main())
