"""``python`` and ``judge``: declared here; a process does them (users' code, another model) and gives their parts."""

from __future__ import annotations

import re

from agenttop.quality.case import GraderSpec
from agenttop.quality.graders.base import Grader, is_number

_PLACE = re.compile(r"[^:\n]+\.py:[A-Za-z_]\w*")


def _check_python(spec: GraderSpec) -> str:
    if not isinstance(spec.value, str) or not _PLACE.fullmatch(spec.value):
        return 'python needs a value that names a file and a function in it, such as "graders.py:polite"'
    return ""


def _check_judge(spec: GraderSpec) -> str:
    if not isinstance(spec.value, str) or not spec.value.strip():
        return 'judge needs a value that is a rubric, such as "Says when the order arrives, and apologises"'
    if not is_number(spec.options.get("threshold", 0.5), 0, 1):
        return "the threshold of judge is a number from 0 to 1"
    return ""


PYTHON = Grader("python", _check_python)
JUDGE = Grader("judge", _check_judge, options=frozenset({"threshold"}))
