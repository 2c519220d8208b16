"""Tokens as servers tell them, and what can be believed of them: one reading for all dialects.

a count     a whole number of 0 or more, below 10^15; anything else tells nothing
total       where it is more than input and output together, output is what input leaves of it: there are servers
            that count reasoning apart (completion 1, reasoning 386, prompt 12, total 399: 387 were written). Of
            three numbers two tell the third
reasoning   a part of the output; where it is more, it was counted apart
0           input of 0 is not told, for there is no request without a prompt; output of 0 is not told where something
            was said, and where input is not told either
"""

from __future__ import annotations

from typing import Any

from agenttop.dialects.base import Reader

_MANY = 1e15


def count(value: Any) -> int | None:
    """Return a count of tokens; None where ``value`` is none."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _MANY:
        return int(value)
    return None


def take_usage(
    reader: Reader, read: Any, written: Any, *, cached: Any = None, reasoning: Any = None, total: Any = None
) -> None:
    """Note what a usage object tells, each as it stands there; what it does not tell stays as it was."""
    found = reconciled(count(read), count(written), count(reasoning), count(total))
    if found[0] is not None:
        reader.input_tokens = found[0]
    if found[1] is not None:
        reader.output_tokens = found[1]
    if found[0] is None and found[1] is None:
        return  # all of it is 0: then so are the details
    if (hits := count(cached)) is not None:
        reader.cached_tokens = hits
    if (thought := count(reasoning)) is not None:
        reader.reasoning_tokens = thought
    doubt(reader)


def take_parts(reader: Reader, usage: dict[str, Any], read: str, written: str) -> None:
    """Note OpenAI's usage of input and output tokens, whose parts stand in the objects called ``read`` and
    ``written``: the APIs spell these names differently.
    """
    parts = (usage.get(read), usage.get(written))
    hits, thought = (part if isinstance(part, dict) else {} for part in parts)
    take_usage(
        reader,
        usage.get("input_tokens"),
        usage.get("output_tokens"),
        cached=hits.get("cached_tokens"),
        reasoning=thought.get("reasoning_tokens"),
        total=usage.get("total_tokens"),
    )


def reconciled(
    read: int | None, written: int | None, reasoning: int | None, total: int | None
) -> tuple[int | None, int | None]:
    """Return input and output as the table above has them, before anything is known of what was said."""
    read = read or None
    if total:
        if read is not None and total > read + (written or 0):
            written = total - read
        elif read is None and written and total > written:
            read = total - written
    if written is not None and reasoning is not None and reasoning > written:
        written += reasoning
    return read, (None if written == 0 and read is None else written)


def doubt(reader: Reader) -> None:
    """Forget an output of 0 of an answer that has said something."""
    if reader.output_tokens == 0 and (reader.chunks or reader.spoke):
        reader.output_tokens = None


def believable(reader: Reader) -> bool:
    """Return whether a budget may go by what an answer told: no fewer tokens than it had pieces."""
    written = reader.output_tokens
    return reader.input_tokens is not None and written is not None and written >= reader.chunks
