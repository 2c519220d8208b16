"""Records the result of a request: its outcome, its times, what the dialect read."""

from __future__ import annotations

from http import HTTPStatus
from time import perf_counter_ns
from typing import Protocol

from agenttop.dialects.base import DONE, ERROR, RATE_LIMITED
from agenttop.dialects.server_timing import MAX_TEXT, parse_server_timing
from agenttop.dialects.usage import doubt
from agenttop.metrics.delta import SlowRequest
from agenttop.metrics.outcome import Outcome, outcome_of_status
from agenttop.metrics.recorder import Leaf
from agenttop.profile.checks import INVALID
from agenttop.users.answer import MAX_BODY, MAX_STEPS, Answer
from agenttop.users.base import UserBase
from agenttop.users.compiled import CompiledStep
from agenttop.users.refusals import Refusal, hint_of
from agenttop.users.saving import TOO_LONG, save, unsaved
from agenttop.users.sessions import is_forgotten
from agenttop.users.spending import settle
from agenttop.users.streams import UNTERMINATED, count_broken_stream, count_stream, said_nothing
from agenttop.users.tokens import count_tokens
from agenttop.users.trace import TRACEPARENT, trace_id
from agenttop.wire.http1 import MAX_HEADER_TEXT, MAX_HEADERS
from agenttop.wire.room import LARGE
from agenttop.wire.transport import Connection
from agenttop.wire.turns import TURNS

#: What a target tells is data: of what a recorder cannot hold, the most that it can is kept.
MAX_NS = 1 << 62
UNTYPED = (
    "streams come without the type text/event-stream (which browsers and SDKs insist on); they were read as streams. "
    "stream = true in a step says that this is meant"
)


class Exchange(Protocol):
    """What HTTP connections and WebSockets have in common: the times of one exchange, in ``perf_counter_ns``."""

    sent_ns: int
    first_ns: int
    end_ns: int
    received: int
    failure: tuple[Outcome, str] | None

    @property
    def interim_ns(self) -> int:
        """Return when the first byte of an interim answer came; 0 if there was none."""

    @property
    def left_out(self) -> int:
        """Return how many header lines were not read."""


def record_times(leaf: Leaf, connection: Connection, latency: int, sent: int) -> None:
    """Record an ok answer on a kept connection of which only the times matter."""
    leaf.latency.append(latency)
    leaf.ttfb.append(connection.first_ns - connection.sent_ns)
    status = connection.status
    leaf.status[status] = leaf.status.get(status, 0) + 1
    leaf.bytes_sent += sent
    leaf.bytes_received += connection.received
    leaf.connections_reused += 1
    leaf.attempts += 1


def record_answer(
    user: UserBase, step: CompiledStep, leaf: Leaf, exchange: Exchange, sent: int, opened_ns: int
) -> bool:
    """Record one finished exchange, as :func:`_record`.

    A large body is decoded in one piece, for a decoder keeps the interpreter to itself in any thread: what that takes
    of a turn of the loop is told as its pool's.
    """
    if user.answer.size <= LARGE:
        return _record(user, step, leaf, exchange, sent, opened_ns)
    began = perf_counter_ns()
    try:
        return _record(user, step, leaf, exchange, sent, opened_ns)
    finally:
        TURNS.took(user.pool.compiled.name, perf_counter_ns() - began)


def _record(user: UserBase, step: CompiledStep, leaf: Leaf, exchange: Exchange, sent: int, opened_ns: int) -> bool:
    """Record one finished exchange; return whether the user can go on with the answer.

    Args:
        user: whose request it was; saved variables go to it.
        step: the request.
        leaf: where it is counted: that of the moment it was sent.
        exchange: its times and failure.
        sent: bytes of the request.
        opened_ns: what connecting for it took, 0 on a kept connection.
    """
    answer = user.answer
    if exchange.failure is not None and exchange.failure[0] is Outcome.CANCELLED:
        leaf.outcomes["cancelled"] = leaf.outcomes.get("cancelled", 0) + 1
        answer.outcome = exchange.failure
        user.scheduled_ns = 0
        if user.held is not None:
            settle(user, step)
        return False
    leaf.attempts += 1
    leaf.bytes_sent += sent
    leaf.bytes_received += exchange.received
    if exchange.interim_ns:
        leaf.interim.append(exchange.interim_ns - exchange.sent_ns)
    if opened_ns:
        leaf.connections_opened += 1
        leaf.connect.append(opened_ns)
    else:
        leaf.connections_reused += 1
    sent_ns = exchange.sent_ns
    latency = exchange.end_ns - sent_ns
    answer.latency_ns = latency
    answer.end_ns = exchange.end_ns
    answer.ttfb_ns = exchange.first_ns - sent_ns if exchange.first_ns else None
    answer.ttft_ns = answer.first_output - sent_ns if answer.first_output else None
    if answer.status:
        leaf.status[answer.status] = leaf.status.get(answer.status, 0) + 1
    elif step.kind == "connect" and not exchange.failure:
        leaf.status[101] = leaf.status.get(101, 0) + 1

    if answer.untyped and not step.any_type:
        user.pool.note(UNTYPED)
    if answer.cut or answer.left_out or exchange.left_out or answer.events_left_out:
        _tell_limits(user, exchange, answer)
    outcome, message = answer.outcome = _judge(step, answer, exchange, latency)
    if answer.reader is not None:
        doubt(answer.reader)  # only now all is known that it said
        user.pool.matched |= answer.reader.matched
    if user.held is not None:
        settle(user, step)
    if outcome is Outcome.RATE_LIMITED and _refused(user, step, leaf, exchange, message):
        # It may be sent again: what becomes of it is not known yet.
        if user.scheduled_ns:
            leaf.schedule_lag.append(max(sent_ns - user.scheduled_ns, 0))
            user.scheduled_ns = 0
        if answer.reader is not None:
            count_tokens(leaf, answer.reader, answer.streamed)
        return False
    if step.checks and (exchange.failure is None or answer.status):
        failed = [
            name
            for name, check in step.checks
            # What a check reads may stand in what was not kept: nobody knows, so that it has neither passed nor failed.
            if not (answer.cut and (check.needs_body or check.needs_json)) and not _checked(user, name, check(answer))
        ]
        if failed and outcome is Outcome.OK:
            outcome, message = Outcome.CHECK_FAILED, f"check failed: {failed[0]}"
    saved = outcome is not Outcome.OK or not (step.save or step.save_headers) or save(user, step, answer)
    if not saved:
        outcome, message = Outcome.CHECK_FAILED, f"nothing to save: {unsaved(step, answer)}"

    scheduled, user.scheduled_ns = user.scheduled_ns, 0
    if scheduled:
        leaf.schedule_lag.append(max(sent_ns - scheduled, 0))
    reader = answer.reader
    if reader is not None:
        count_tokens(leaf, reader, answer.streamed)
    if outcome is not Outcome.OK:
        answer.outcome = (outcome, message)
        leaf.outcomes[outcome.value] = leaf.outcomes.get(outcome.value, 0) + 1
        leaf.time_to_failure.append(latency)
        count_broken_stream(leaf, answer, outcome, message)
        user.pool.recorder.error(leaf, outcome, message, user.pool.elapsed())
        by_code = reader is not None and reader.forgot
        user.forgotten = user.forgotten or is_forgotten(step, outcome, answer.status, message, by_code=by_code)
        if user.pool.conformance is not None:
            user.pool.conformance.failed(leaf, outcome, answer.status, exchange.end_ns)
        return False

    leaf.latency.append(latency)
    if scheduled:
        leaf.response_time.append(exchange.end_ns - scheduled)
    if answer.ttfb_ns is not None:
        leaf.ttfb.append(answer.ttfb_ns)
    if reader is not None:
        leaf.said_nothing += said_nothing(answer, speaks=step.dialect.speaks)
    if answer.ttft_ns is not None:
        leaf.ttft.append(answer.ttft_ns)
        if step.kind == "http":
            count_stream(leaf, answer, latency)
        if answer.first_speech:
            leaf.ttfo.append(answer.first_speech - sent_ns)
        if answer.gaps:
            leaf.inter_chunk.extend(answer.gaps)
        if reader is not None and reader.output_tokens is not None and reader.output_tokens > 1:
            leaf.tpot.append((latency - answer.ttft_ns) // (reader.output_tokens - 1))
    _record_phases(user, leaf, answer, latency)
    if user.pool.compiled.traced:
        _note_slowest(user, step, leaf, sent_ns, latency)
    if step.objectives:
        began = scheduled or user.began_ns or sent_ns
        missed = missed_objectives(step, answer, latency, exchange.end_ns - began, sent_ns)
        if missed:
            leaf.miss(missed)
        else:
            leaf.good += 1
    return True


def missed_objectives(step: CompiledStep, answer: Answer, latency: int, response_time: int, sent_ns: int) -> list[str]:
    """Return the objectives that an ok answer misses; those it has no figure for count as met. Times are ns."""
    reader = answer.reader
    tokens = reader.output_tokens if reader is not None else None
    first = answer.ttft_ns
    measured = {
        "latency": latency,
        "response_time": response_time,
        "ttfb": answer.ttfb_ns,
        "ttft": first,
        "ttfo": answer.first_speech - sent_ns if answer.first_speech else None,
        "tpot": (latency - first) // (tokens - 1) if first is not None and tokens is not None and tokens > 1 else None,
        "inter_chunk": max(answer.gaps, default=None),
    }
    return [name for name, limit in step.objectives if (value := measured[name]) is not None and value > limit]


def _judge(step: CompiledStep, answer: Answer, exchange: Exchange, latency: int) -> tuple[Outcome, str]:
    """Return the outcome before checks, and the reason."""
    status = answer.status
    if exchange.failure is not None and not answer.flags & (DONE | ERROR):
        return exchange.failure
    if latency > step.limits.total and not TURNS.excuses(exchange.sent_ns + step.limits.total, exchange.end_ns):
        return Outcome.TIMEOUT, f"no whole answer within {step.limits.total / 1e9:g}s"
    if status >= 400:
        return outcome_of_status(status), _words(status, answer)
    answer.finish_body()
    unstreamed = step.stream and not answer.streamed
    if answer.flags & ERROR and not (unstreamed and not answer.cut and answer.json is INVALID):
        error = (answer.reader.error if answer.reader is not None else None) or "the target says it failed"
        return (Outcome.RATE_LIMITED if answer.flags & RATE_LIMITED else Outcome.STREAM_ERROR), error
    if unstreamed:
        return Outcome.PROTOCOL_ERROR, f"asked for an event stream, got {answer.content_type or 'no content type'}"
    if answer.streamed and step.kind == "http" and not answer.flags & DONE and not answer.events_left_out:
        if step.dialect.terminal:
            return Outcome.TRUNCATED, f"{UNTERMINATED} without its terminal event"
        if answer.unfinished:
            return Outcome.TRUNCATED, f"{UNTERMINATED} within an event"
    return Outcome.OK, ""


def _words(status: int, answer: Answer) -> str:
    """Return a status with its name, and the beginning of the body."""
    try:
        words = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        words = str(status)
    excerpt = answer.body[:300].decode("utf-8", "replace").strip()
    return f"{words}: {excerpt}" if excerpt else words


def _checked(user: UserBase, name: str, passed: bool) -> bool:
    user.pool.recorder.check(name, passed)
    return passed


def _tell_limits(user: UserBase, exchange: Exchange, answer: Answer) -> None:
    """Note, once, what a limit of ours has left out."""
    note = user.pool.note
    if answer.cut:
        note(TOO_LONG)
    if answer.events_left_out:
        note(f"events of more than {MAX_BODY >> 20} MiB (or more of them at once than there is room for) are not read")
    if exchange.left_out:
        note(f"of answers with more than {MAX_HEADERS} header lines or {MAX_HEADER_TEXT >> 10} KiB not all are read")
    if answer.left_out:
        note(f"of answers with more than {MAX_STEPS} kinds of steps not all are timed")


def _refused(user: UserBase, step: CompiledStep, leaf: Leaf, exchange: Exchange, message: str) -> bool:
    """Note a refusal and what follows from it. Return whether its request may be sent again."""
    answer, pool = user.answer, user.pool
    hint = hint_of(step, answer)
    if hint.wait_s is not None:
        leaf.retry_after.append(_ns(hint.wait_s * 1e9))
    policy = pool.compiled.refusals
    if policy is None:
        return False
    if pool.conformance is not None:
        pool.conformance.refused(leaf, answer, hint, exchange.end_ns)
    on_429 = policy.of(step.on_429)
    again = on_429 == "retry" and user.retries_left > 0
    if again or on_429 == "honor":
        user.refusal = Refusal(leaf, exchange.sent_ns, exchange.end_ns, hint.wait_s, message)
    return again


def _ns(duration: float) -> int:
    """Return a duration that a target tells, as nanoseconds that fit a recorder."""
    return int(min(duration, MAX_NS))


def _record_phases(user: UserBase, leaf: Leaf, answer: Answer, latency: int) -> None:
    """Record phases from Server-Timing (ms), from steps (ns) and from the body (s); the rest is ``unattributed``."""
    phases: dict[str, int] = {}
    timing = answer.headers.get("server-timing")
    if timing:
        if len(timing) > MAX_TEXT:
            user.pool.note(f"of Server-Timing no more than {MAX_TEXT} characters are read")
        phases = {name: _ns(duration * 1e6) for name, duration in parse_server_timing(timing).items()}
    if answer.step_ns:
        phases |= answer.step_ns
    reader = answer.reader
    if reader is not None and reader.phases:
        phases |= {name: _ns(duration * 1e9) for name, duration in reader.phases.items()}
    if phases:
        for name, duration in phases.items():
            leaf.phase(name, duration, latency)
        leaf.unattributed.append(max(latency - sum(phases.values()), 0))


def _note_slowest(user: UserBase, step: CompiledStep, leaf: Leaf, sent_ns: int, latency_ns: int) -> None:
    """Keep an ok request if it is among the slowest; those sent in the warm-up are not kept.

    A message on a WebSocket belongs to the trace of its upgrade; a request whose own code gave it another traceparent
    belongs to none that is known here.
    """
    pool, answer = user.pool, user.answer
    latency_ms = round(latency_ns / 1e6, 3)
    ttft_ms = None if answer.ttft_ns is None else round(answer.ttft_ns / 1e6, 3)
    slowest = pool.recorder.slowest
    value = user.variables.get(TRACEPARENT) if step.kind == "send" or TRACEPARENT in step.made else None
    if value is None or leaf.stage < 0 or not slowest.lets_in(latency_ms, ttft_ms):
        return
    t_s = (sent_ns - pool.epoch_ns) / 1e9
    slowest.add(SlowRequest(leaf.request, leaf.stage, t_s, latency_ms, ttft_ms, answer.status or None, trace_id(value)))
