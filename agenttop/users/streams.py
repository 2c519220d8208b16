"""Classifies streams: one that really streamed, one burst, one that stalled, one without an end."""

from __future__ import annotations

from agenttop.metrics.outcome import Outcome
from agenttop.metrics.recorder import Leaf
from agenttop.users.answer import Answer

#: How the messages of failures begin that are counted here.
STALLED = "nothing more for"
UNTERMINATED = "the stream ended"

#: See :func:`is_one_burst`.
MIN_LATENCY_NS = 100_000_000
MIN_CHUNKS, MIN_TOKENS = 8, 16
MIN_SPAN_NS = 2_000_000
FASTEST_PER_S = 10_000


def is_one_burst(latency_ns: int, ttft_ns: int, span_ns: int, chunks: int, tokens: int | None) -> bool:
    """Return whether the output of an ok event stream came in one lump at its end.

    So it is with a proxy that buffers, or a stream that is made up of a finished answer. Its time to first token is the
    total, whatever the model did.

    All of this must hold, so that a fast model is not taken for one:

    - the answer took 100 ms or more: below, a lump cannot be told from a quick answer;
    - it is long: 8 output chunks or more, or 16 output tokens or more as the server counts them;
    - the first output came in the last tenth of the latency;
    - the last output came within 1 % of the latency after the first, or within 2 ms where that is more;
    - in that time no model could have written it: more than 10 000 chunks (or tokens, where those are more) a second.
      The fastest there are write some 3 000 tokens a second.

    Args:
        latency_ns: of the whole answer.
        ttft_ns: to its first output.
        span_ns: from the first output to the last; 0 where there was one only.
        chunks: pieces of output.
        tokens: output tokens as the server told them; None where it did not.
    """
    size = max(chunks, tokens or 0)
    return (
        latency_ns >= MIN_LATENCY_NS
        and span_ns <= max(latency_ns // 100, MIN_SPAN_NS)
        and ttft_ns * 10 >= latency_ns * 9
        and (chunks >= MIN_CHUNKS or (tokens or 0) >= MIN_TOKENS)
        and span_ns * FASTEST_PER_S <= size * 1_000_000_000
    )


def said_nothing(answer: Answer, *, speaks: bool) -> bool:
    """Return whether an ok answer has neither output nor usage, of a dialect whose answers have (``speaks``)."""
    reader = answer.reader
    if reader is None or not speaks or reader.output_tokens or reader.input_tokens or reader.tool_calls:
        return False
    return not answer.first_output if answer.streamed else reader.spoke is False


def count_stream(leaf: Leaf, answer: Answer, latency_ns: int) -> None:
    """Count an ok event stream that had output."""
    leaf.streamed += 1
    reader, ttft_ns = answer.reader, answer.ttft_ns
    if reader is None or ttft_ns is None or latency_ns < MIN_LATENCY_NS:
        return
    chunks = max(reader.chunks, len(answer.gaps) + 1)
    leaf.one_burst += is_one_burst(latency_ns, ttft_ns, answer.span_ns, chunks, reader.output_tokens)


def count_broken_stream(leaf: Leaf, answer: Answer, outcome: Outcome, message: str) -> None:
    """Count a stream that stalled (``idle_timeout`` ended it) or has no end.

    No end: its answer ended well, but without the terminal event or within an event. One that was cut is ``truncated``
    as well, and not counted here.
    """
    if outcome is Outcome.TIMEOUT:
        leaf.stalled += answer.streamed and message.startswith(STALLED)
    elif outcome is Outcome.TRUNCATED:
        leaf.unterminated += answer.streamed and message.startswith(UNTERMINATED)
