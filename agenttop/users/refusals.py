"""Reads what a rate-limited answer asks for, and judges whether it is as the profile's ``[rate_limit]`` wants it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from time import time

from agenttop.dialects.encoding import utf8
from agenttop.dialects.failure import told_wait
from agenttop.dialects.hints import Hint, read_hint
from agenttop.expressions.pattern import Pattern
from agenttop.metrics.outcome import Outcome
from agenttop.metrics.recorder import Leaf
from agenttop.users.answer import Answer
from agenttop.users.compiled import CompiledStep
from agenttop.users.policy import RefusalPolicy

#: A failure so close to a refusal of the same request came under limit.
UNDER_LIMIT_NS = 1_000_000_000
#: Failures remembered of one request until it is known whether they came under limit.
MAX_RECENT = 10_000

#: Bytes of a refusal's body that ``body_matches`` looks at: where there are checks, more of it is kept.
MAX_MATCHED = 2048

NO_HINT = "no Retry-After"
UNREADABLE = "unreadable Retry-After"
NO_MATCH = "body does not match"
_UNGRACEFUL = (Outcome.SERVER_ERROR, Outcome.CLIENT_ERROR, Outcome.STREAM_ERROR)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A rate-limited answer that its user has to act on. Times are ``perf_counter_ns``."""

    leaf: Leaf
    sent_ns: int
    end_ns: int
    asked_s: float | None
    """Seconds that the target asks to wait; None if it does not say."""
    message: str


def hint_of(step: CompiledStep, answer: Answer) -> Hint:
    """Return how long a refusal asks to wait: by its headers, its dialect's error or its body, or its limits."""
    told = answer.reader.retry_after_s if answer.reader is not None else None
    if told is None and answer.status >= 400 and answer.body:
        reader, body = step.dialect.reader(), utf8(answer.body)
        reader.body(body)
        told = reader.retry_after_s if reader.retry_after_s is not None else told_wait(body)
    return read_hint(answer.headers, told, time())


class Conformance:
    """Judges the refusals of one pool on one worker by the profile's ``[rate_limit]``.

    A refusal conforms where it has a hint and a body as wanted; otherwise it is a violation of one kind. A failure of
    another kind (server_error, client_error, stream_error) that ends within a second before or after a refusal of the
    same request came *under limit*: the target should have refused it, and that is a violation as well.
    """

    def __init__(self, policy: RefusalPolicy) -> None:
        self._body: Pattern | None = policy.body_matches
        self._hint = policy.retry_after
        self._limited_ns: dict[int, int] = {}
        self._recent: dict[int, deque[tuple[int, Leaf, str]]] = {}

    def refused(self, leaf: Leaf, answer: Answer, hint: Hint, at_ns: int) -> None:
        """Judge a refusal, and the failures just before it."""
        faults = []
        if self._hint and hint.wait_s is None:
            faults.append(UNREADABLE if hint.unreadable else NO_HINT)
        if self._body is not None and not self._body.found_in(_words(answer)):
            faults.append(NO_MATCH)
        if faults:
            leaf.violation(", ".join(faults))
        else:
            leaf.conformant += 1
        self._limited_ns[leaf.request] = at_ns
        for failed_ns, of, kind in self._recent.pop(leaf.request, ()):
            if at_ns - failed_ns <= UNDER_LIMIT_NS:
                of.violation(kind)

    def failed(self, leaf: Leaf, outcome: Outcome, status: int, at_ns: int) -> None:
        """Judge a failure of another kind, or remember it until the next refusal."""
        if outcome not in _UNGRACEFUL:
            return
        what = str(status) if status >= 400 else f"{status} with an error" if status else "error"
        kind = f"{what} under limit"
        limited_ns = self._limited_ns.get(leaf.request)
        if limited_ns is not None and at_ns - limited_ns <= UNDER_LIMIT_NS:
            leaf.violation(kind)
            return
        recent = self._recent.setdefault(leaf.request, deque(maxlen=MAX_RECENT))
        while recent and at_ns - recent[0][0] > UNDER_LIMIT_NS:
            recent.popleft()
        recent.append((at_ns, leaf, kind))


def _words(answer: Answer) -> str:
    """Return the text of a refusal: the begin of its body, and the message of a dialect's own error."""
    words = answer.body[:MAX_MATCHED].decode("utf-8", "replace")
    error = answer.reader.error if answer.reader is not None else None
    return f"{words}\n{error}" if error else words
