"""The graders, one file each (a family that shares its code in one), by name. Pure: fed an answer, no I/O, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from types import MappingProxyType

from agenttop.quality.graders.base import Grader
from agenttop.quality.graders.choice import CHOICE
from agenttop.quality.graders.contains import CONTAINS, CONTAINS_ALL, CONTAINS_ANY, ICONTAINS
from agenttop.quality.graders.edges import ENDS_WITH, STARTS_WITH
from agenttop.quality.graders.equals import EQUALS
from agenttop.quality.graders.finish_reason import FINISH_REASON
from agenttop.quality.graders.includes import INCLUDES
from agenttop.quality.graders.json_schema import CONTAINS_JSON, IS_JSON, JSON_SCHEMA
from agenttop.quality.graders.jsonpath import JSONPATH
from agenttop.quality.graders.limits import COST, LATENCY, TOKENS, TTFT
from agenttop.quality.graders.max_words import MAX_WORDS
from agenttop.quality.graders.number import NUMBER
from agenttop.quality.graders.outside import JUDGE, PYTHON
from agenttop.quality.graders.refusal import REFUSAL
from agenttop.quality.graders.regex import REGEX
from agenttop.quality.graders.similar import SIMILAR
from agenttop.quality.graders.tools import NO_TOOL_CALLED, TOOL_CALLED, TOOL_ORDER

#: A new grader is one file and one line here.
GRADERS: dict[str, Grader] = {
    "contains": CONTAINS,
    "icontains": ICONTAINS,
    "contains-all": CONTAINS_ALL,
    "contains-any": CONTAINS_ANY,
    "equals": EQUALS,
    "starts-with": STARTS_WITH,
    "ends-with": ENDS_WITH,
    "includes": INCLUDES,
    "regex": REGEX,
    "is-json": IS_JSON,
    "contains-json": CONTAINS_JSON,
    "json-schema": JSON_SCHEMA,
    "jsonpath": JSONPATH,
    "number": NUMBER,
    "similar": SIMILAR,
    "tool-called": TOOL_CALLED,
    "no-tool-called": NO_TOOL_CALLED,
    "tool-order": TOOL_ORDER,
    "refusal": REFUSAL,
    "max-words": MAX_WORDS,
    "latency": LATENCY,
    "ttft": TTFT,
    "tokens": TOKENS,
    "cost": COST,
    "finish-reason": FINISH_REASON,
    "choice": CHOICE,
    "python": PYTHON,
    "judge": JUDGE,
}
#: Packages add graders of their own under it, each the name of a :class:`Grader`.
ENTRY_POINTS = "agenttop.graders"


@cache
def graders() -> Mapping[str, Grader]:
    """Return every grader by name: ours, and those of installed packages.

    Raises:
        ValueError: what a package offers is no grader, or takes a name of ours; the message says which.
    """
    known = dict(GRADERS)
    for point in entry_points(group=ENTRY_POINTS):
        try:
            made = point.load()
        except Exception as error:
            raise ValueError(f"the grader {point.name!r} of {point.value} cannot be loaded: {error}") from None
        if not isinstance(made, Grader) or made.grade is None:
            raise ValueError(f"the grader {point.name!r} of {point.value} is no agenttop.quality.graders.base.Grader")
        if point.name in GRADERS or point.name.startswith("not-"):
            raise ValueError(f"the grader {point.name!r} of {point.value} has a name that is taken")
        known[point.name] = made
    return MappingProxyType(known)
