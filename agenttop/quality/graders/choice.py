"""``choice``: the letters of a multiple choice answer, as Inspect's scorer of that name reads them: ``ANSWER: B``."""

from __future__ import annotations

import re

from agenttop.quality.answer import Answer
from agenttop.quality.case import Case, GraderSpec
from agenttop.quality.graders.base import Grader, Verdict, is_number
from agenttop.quality.graders.includes import targets_of

_LINE = re.compile(r"^[*_\s]*answer\s*:\s*([a-z\d ,]{1,80})[*_ \t]*(?:$|\.)", re.IGNORECASE | re.MULTILINE)
_ANYWHERE = re.compile(r"answer\s*:\s*([a-z\d ,]{1,80})(?:[^\w]|$)", re.IGNORECASE)
_LETTER = re.compile(r"[A-Z\d]")
_WORD = re.compile(r"[A-Z\d]+")


def letters_of(text: str) -> set[str]:
    """Return the letters that an answer chooses, by its last line ``ANSWER: …``; none if it has no such line."""
    found = _LINE.findall(text) or _ANYWHERE.findall(text)
    if not found:
        return set()
    words = _WORD.findall(found[-1].upper().replace(" AND ", ","))
    if any(len(word) > 1 for word in words) and len(words) > 1:
        return set()  # prose behind the colon
    return set(_LETTER.findall("".join(words)))


def _check(spec: GraderSpec) -> str:
    return "" if is_number(spec.options.get("of", 26), 1) else "of of choice is how many choices there are"


def _choice(spec: GraderSpec, case: Case, answer: Answer) -> Verdict:
    wanted = set(_LETTER.findall("".join(targets_of(spec, case)).upper()))
    chosen = letters_of(answer.text)
    shown = ", ".join(sorted(wanted))
    if not chosen:
        return Verdict(0.0, f"no line “ANSWER: {shown}” in the answer")
    said = f"chose {', '.join(sorted(chosen))}"
    return Verdict(float(chosen == wanted), f"{said}, not {shown}", said)


CHOICE = Grader("choice", _check, _choice, frozenset({"of"}))
