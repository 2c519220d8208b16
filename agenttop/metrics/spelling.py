"""The one plain spelling in which texts and secrets are compared, and where each of its characters stood.

Characters that are spelled with others (percent-encoding, escapes of JSON, entities of HTML, in one another too) are
what they stand for; those that no text shows are left out; letters are lower case.
"""

from __future__ import annotations

import html
import re

#: What stands for another character.
_SPELLED = re.compile(
    r"(?:%[89a-f][0-9a-f])+"  # UTF-8, or Latin-1
    r"|%[0-7][0-9a-f]"
    r"|(?:\\{1,8}u[0-9a-f]{4})+"
    r"|\\{1,8}x[0-9a-f]{2}"
    r"|&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8});",
    re.IGNORECASE,
)
#: Encodings within encodings that are seen through.
_ROUNDS = 4
#: One of these whose end was cut off.
BEGUN = re.compile(
    r"(?:%[0-9a-f]{0,3}|\\{1,8}(?:u[0-9a-f]{0,3}|x[0-9a-f]?)?|&(?:amp;){0,8}#?[0-9a-z]{0,7})$", re.IGNORECASE
)
#: Characters that are left out: what no text shows, and what encodings put in or take for another.
_LEFT_OUT = {
    ord(char): None
    for char in map(chr, (*range(0x21), *range(0x7F, 0xA1), 0xAD, *range(0x2000, 0x2010), *range(0x2028, 0x2030)))
} | dict.fromkeys([*range(0x205F, 0x2070), *range(0xFE00, 0xFE10), 0xFEFF, ord("+"), ord("\\")])


def plain_spelling(text: str) -> str:
    """Return a text in the one spelling that is compared."""
    for _ in range(_ROUNDS):
        before = text
        if "%" in text or "\\" in text or "&" in text:
            text = _SPELLED.sub(lambda match: _decoded(match[0]), text)
        if text == before:
            break
    return text.translate(_LEFT_OUT).lower()


def located_spelling(text: str) -> tuple[str, list[int], list[int]]:
    """Return the same, with where each of its characters begins and ends in the text."""
    begins, ends = list(range(len(text))), list(range(1, len(text) + 1))
    for _ in range(_ROUNDS):
        before = text
        pieces: list[str] = []
        from_: list[int] = []
        to: list[int] = []
        at = 0
        for match in _SPELLED.finditer(text):
            begin, end = match.span()
            said = _decoded(match[0])
            pieces += [text[at:begin], said]
            from_ += [*begins[at:begin], *[begins[begin]] * len(said)]
            to += [*ends[at:begin], *[ends[end - 1]] * len(said)]
            at = end
        text, begins, ends = "".join((*pieces, text[at:])), from_ + begins[at:], to + ends[at:]
        if text == before:
            break
    shown = [char.translate(_LEFT_OUT).lower() for char in text]
    return (
        "".join(shown),
        [begin for char, begin in zip(shown, begins, strict=True) for _ in char],
        [end for char, end in zip(shown, ends, strict=True) for _ in char],
    )


def _decoded(spelled: str) -> str:
    """Return what some characters stand for."""
    if spelled[0] == "%":
        data = bytes.fromhex(spelled.replace("%", ""))
        try:
            return data.decode()
        except UnicodeDecodeError:
            return data.decode("latin-1")
    if spelled[0] == "&":
        return html.unescape(spelled)
    units = [int(unit, 16) for unit in re.findall(r"\\+[ux]([0-9a-f]+)", spelled, re.IGNORECASE)]
    # Two halves of a pair are one character.
    return b"".join(unit.to_bytes(2, "big") for unit in units).decode("utf-16-be", "replace")
