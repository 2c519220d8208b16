"""Decides when the share of streams that came in one burst is worth telling."""

from __future__ import annotations

#: Fewer answers in one burst may be chance, and a smaller part of the streams is hardly why a figure is what it is.
MIN_STREAMS = 5
MIN_SHARE = 0.1


def is_bursty(streamed: int, one_burst: int) -> bool:
    """Return whether so many streams of a request came in one burst that its time to first token says nothing."""
    return one_burst >= MIN_STREAMS and one_burst >= MIN_SHARE * streamed


def silence_words(answers: int) -> str:
    """What is told of answers that are ok and have nothing in them."""
    return f"{answers} {'answer' if answers == 1 else 'answers'} said nothing: no output, no usage, no error"


def burst_words(streamed: int, one_burst: int) -> str:
    """Return the text about it, to stand behind the name of the request."""
    return (
        f"{one_burst / streamed:.0%} of its streams came in one burst: something between buffers them, or they are "
        "made up at the end; TTFT says nothing there"
    )
