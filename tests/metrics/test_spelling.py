"""What stands for other characters is read, and where it stood is known."""

from __future__ import annotations

import pytest

from agenttop.metrics.spelling import located_spelling, plain_spelling


@pytest.mark.parametrize(
    ("spelled", "said"),
    [
        ("%41%c3%a4", "aä"),
        ("%e4", "ä"),
        ("&#65;&#x42;&amp;", "ab&"),
        ("&nosuch;", "&nosuch;"),
        ("\\u0041\\x42\\\\u0043", "abc"),
        ("\\ud83d\\ude00", "\U0001f600"),
        ("%2541", "a"),
        ("%25252541", "a"),
        ("%2525252541", "%41"),
        ("a+b\\c d\u200be\ufefff", "abcdef"),
    ],
)
def test_the_plain_spelling_and_where_it_stood(spelled: str, said: str) -> None:
    assert plain_spelling(spelled) == said
    plain, begins, ends = located_spelling(f"<{spelled}>")
    assert plain == f"<{said}>"
    assert (begins[0], ends[0], begins[-1], ends[-1]) == (0, 1, len(spelled) + 1, len(spelled) + 2)
    assert all(1 <= begin < end <= len(spelled) + 1 for begin, end in zip(begins[1:-1], ends[1:-1], strict=True))
