"""Reads what one user got: how long it took, what came of it, and whether its stream was one."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from agenttop.dialects import dialect_named
from agenttop.dialects.base import DONE, ERROR, OUTPUT
from agenttop.quick.exchange import Answer

#: A stream of at least so many pieces of output, which took at least so long …
_PIECES, _LONG_S = 4, 0.15
#: … and of which nothing came before this part of its time, while all of it came within the rest, was held back.
_HELD = 0.9


@dataclass(frozen=True, slots=True)
class Look:
    """One answer as its dialect reads it. Times are seconds since the request was sent."""

    seconds: float
    why: str = ""
    """Why it is no good answer; empty if it is one."""
    first_s: float | None = None
    """Until the first output of a stream."""
    burst: bool = False
    """All output of the stream came at once at its end."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    body_bytes: int = 0


def look_at(dialect: str, answer: Answer) -> Look:
    """Return what an answer is in a dialect."""
    size = len(answer.body)
    if not answer.status:
        return Look(answer.seconds, answer.failure or "no answer", body_bytes=size)
    if not answer.ok:
        return Look(answer.seconds, f"status {answer.status}{f': {answer.words}' if answer.words else ''}")
    speaks = dialect_named(dialect)
    reader, flags, outputs = speaks.reader(), 0, list[float]()
    if answer.streamed:
        for t_s, name, data in answer.events():
            found = reader.event(data, name)
            flags |= found
            if found & OUTPUT:
                outputs.append(t_s)
        # What follows the last output is the answer's end, and as much of it is told here as is there.
        if not flags & (ERROR | DONE) and speaks.terminal:
            return Look(answer.seconds, "its stream was cut before its end", body_bytes=size)
    elif speaks.reads_body:
        flags = reader.body(answer.body)
    why = (reader.error or "the target says that it failed") if flags & ERROR else ""
    held = len(outputs) >= _PIECES and answer.seconds >= _LONG_S and outputs[0] >= _HELD * answer.seconds and not why
    first_s = outputs[0] if outputs else None
    return Look(answer.seconds, why, first_s, held, reader.input_tokens, reader.output_tokens, size)


@dataclass(frozen=True, slots=True)
class OneUser:
    """What one user waits for, of several looks: medians in seconds, the most tokens, the longest answer in bytes."""

    asked: int
    why: str
    """Why an answer was none, of the first that was not; empty if all were good."""
    seconds: float
    first_s: float | None
    burst: bool
    input_tokens: int | None
    output_tokens: int | None
    body_bytes: int

    @property
    def tokens(self) -> int | None:
        """Return the tokens of a request; None where the target does not tell them."""
        if self.input_tokens is None or self.output_tokens is None:
            return None
        return self.input_tokens + self.output_tokens


def one_user(looks: Sequence[Look]) -> OneUser:
    """Return it; of looks at failures alone, times are of these."""
    good = [look for look in looks if not look.why] or list(looks)
    firsts = [look.first_s for look in good if look.first_s is not None]
    return OneUser(
        asked=len(looks),
        why=next((look.why for look in looks if look.why), ""),
        seconds=statistics.median(look.seconds for look in good),
        first_s=statistics.median(firsts) if firsts else None,
        burst=all(look.burst for look in good),
        input_tokens=_most([look.input_tokens for look in good]),
        output_tokens=_most([look.output_tokens for look in good]),
        body_bytes=math.ceil(max(look.body_bytes for look in good)),
    )


def _most(told: Sequence[int | None]) -> int | None:
    numbers = [number for number in told if number is not None]
    return max(numbers) if numbers else None
