"""promptfoo's assertions (https://www.promptfoo.dev/docs/configuration/expected-outputs/) as graders of ours.

What none of ours does the same way is refused by name, with what to do.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping
from typing import Any

from agenttop.expressions.nearest import nearest
from agenttop.quality.case import GraderSpec
from agenttop.quality.graders.base import is_number
from agenttop.quality.specs import spec_of, split_name

KEYS = ("type", "value", "threshold", "weight", "metric", "provider", "config")
#: promptfoo's default, of ``similar`` in YAML; in CSV it is 0.8.
SIMILAR, SIMILAR_CSV = 0.75, 0.8
_LEVENSHTEIN = 5
_FILE = "file://"

_PYTHON = 'write it as a grader of ours: {"type": "python", "value": "graders.py:name"}, in a case file of ours'
_RUBRIC = "say what it asks for as a rubric: type: llm-rubric"
_NO_TRACES = "it looks at traces, which a load test has not; for tools write trajectory:tool-used"
#: Assertions that none of our graders does the same way, and what to do instead.
REFUSED: dict[str, str] = {
    **dict.fromkeys(("javascript", "python", "ruby", "webhook"), _PYTHON),
    **dict.fromkeys(
        (
            "agent-rubric",
            "answer-relevance",
            "context-faithfulness",
            "context-recall",
            "context-relevance",
            "conversation-relevance",
            "factuality",
            "g-eval",
            "model-graded-closedqa",
            "model-graded-factuality",
            "moderation",
            "pi",
            "search-rubric",
            "trajectory:goal-success",
            "classifier",
            "guardrails",
        ),
        _RUBRIC,
    ),
    **dict.fromkeys(
        (
            "bleu",
            "gleu",
            "meteor",
            "rouge-n",
            "perplexity",
            "perplexity-score",
            "contains-html",
            "contains-sql",
            "contains-xml",
            "is-html",
            "is-sql",
            "is-xml",
            "is-valid-function-call",
            "is-valid-openai-function-call",
            "is-valid-openai-tools-call",
            "similar:dot",
            "similar:euclidean",
            "tool-call-f1",
            "skill-used",
            "trajectory:step-count",
        ),
        _PYTHON,
    ),
    **dict.fromkeys(("trace-error-spans", "trace-span-count", "trace-span-duration"), _NO_TRACES),
    "assert-set": "write its assertions one by one, with a threshold of the test",
    "select-best": "it compares several outputs; one run has one",
    "max-score": "it compares several outputs; one run has one",
}
_SAME = ("contains", "icontains", "contains-all", "contains-any", "equals", "starts-with", "regex", "finish-reason")
_JSON = ("is-json", "contains-json")
_OTHERS = (
    "icontains-all",
    "icontains-any",
    "is-refusal",
    "llm-rubric",
    "latency",
    "cost",
    "levenshtein",
    "similar",
    "similar:cosine",
    "word-count",
    "trajectory:tool-used",
    "trajectory:tool-args-match",
    "trajectory:tool-sequence",
)
KNOWN = (*_SAME, *_JSON, *_OTHERS, *REFUSED)
_STRING = re.compile(
    r"(not-)?([a-z][a-z-]*(?::(?:cosine|dot|euclidean))?)(?:\((\d+(?:\.\d+)?)\))?(?::(.*))?", re.DOTALL
)
_CODE = ("javascript:", "fn:", "eval:", "python:", "file://")
_LISTS = ("contains-all", "contains-any", "icontains-all", "icontains-any")

Say = Callable[[str], None]


def read_assertion(item: Any, say: Say) -> GraderSpec | None:
    """Return an assertion, its variables filled in, as a grader; or None after ``say`` was told why not."""
    if not isinstance(item, dict) or not isinstance(item.get("type"), str):
        say("an assertion is a table with a type, such as {type: contains, value: Paris}")
        return None
    name = item["type"]
    base, negated = split_name(name)
    if base not in KNOWN:
        say(f'unknown assertion "{name}"{nearest(name, (*KNOWN, *(f"not-{one}" for one in KNOWN)))}')
        return None
    if base in REFUSED:
        say(f'the assertion "{name}" is not read: {REFUSED[base]}')
        return None
    for key in item:
        if key in ("transform", "contextTransform", "rubricPrompt"):
            say(f'"{key}" of an assertion is not read; {_PYTHON}')
            return None
        if key not in KEYS:
            say(f'an assertion has no "{key}"{nearest(key, KEYS)}')
            return None
    value = item.get("value")
    if isinstance(value, str) and value.startswith(_FILE):
        say(f'the value "{value}" is a program, or a file that is not read; write it out')
        return None
    ours = _ours(base, value, item.get("threshold"), say)
    if ours is None:
        return None
    common = {key: item[key] for key in ("weight", "metric") if item.get(key) is not None}
    type_, keys = ours
    return spec_of(f"not-{type_}" if negated else type_, {**keys, **common}, say)


def _ours(base: str, value: Any, threshold: Any, say: Say) -> tuple[str, dict[str, Any]] | None:
    """Return the name and keys of the grader of ours that does the same."""
    if base in _SAME or base in _JSON:
        if base in _JSON and isinstance(value, str) and not value.strip():
            value = None
        return base, {"value": value}
    if base in ("icontains-all", "icontains-any"):
        return base[1:], {"value": value, "ignore_case": True}
    if base == "is-refusal":
        return "refusal", {}
    if base == "llm-rubric":
        return "judge", {"value": value, **({} if threshold is None else {"threshold": threshold})}
    if base in ("latency", "cost"):
        limit = value if threshold is None else threshold
        if not is_number(limit):
            say(f"{base} needs a threshold, {'milliseconds' if base == 'latency' else 'US dollars'}")
            return None
        return base, {"value": limit}
    if base == "levenshtein":
        return "similar", {"value": value, "distance": _LEVENSHTEIN if threshold is None else threshold}
    if base in ("similar", "similar:cosine"):
        return "similar", {"value": value, "by": "embeddings", "threshold": SIMILAR if threshold is None else threshold}
    if base == "word-count":
        return _word_count(value, say)
    return _tools(base, value, say)


def _word_count(value: Any, say: Say) -> tuple[str, dict[str, Any]] | None:
    low, high = (value.get("min", 0), value.get("max", 1e9)) if isinstance(value, dict) else (value, value)
    if not is_number(low) or not is_number(high):
        say("word-count needs a number of words, or {min: …, max: …}")
        return None
    return "max-words", {"value": high, "min": low}


def _tools(base: str, value: Any, say: Say) -> tuple[str, dict[str, Any]] | None:
    """Return the grader of an assertion on the tools that were called."""
    form: Mapping[str, Any] = value if isinstance(value, dict) else {}
    if base == "trajectory:tool-used":
        if isinstance(value, str):
            return "tool-called", {"name": value}
        if isinstance(value, list):
            say("trajectory:tool-used of several tools: write an assertion for each")
            return None
        if set(form) == {"name"}:
            return "tool-called", {"name": form["name"]}
        say(f"trajectory:tool-used is read with the name of one tool; {_PYTHON}")
        return None
    if base == "trajectory:tool-args-match":
        arguments = form.get("args", form.get("arguments"))
        if set(form) <= {"name", "args", "arguments", "mode"} and form.get("mode", "partial") == "partial":
            return "tool-called", {"name": form.get("name"), "arguments": arguments}
        say(f"trajectory:tool-args-match is read with name, args and mode: partial; {_PYTHON}")
        return None
    steps = value if isinstance(value, list) else form.get("steps")
    if not isinstance(steps, list) or not all(isinstance(step, str) for step in steps):
        say("trajectory:tool-sequence is read with steps that are names of tools")
        return None
    return "tool-order", {"value": steps, "exact": form.get("mode") == "exact"}


def from_text(text: str, say: Say) -> dict[str, Any] | None:
    """Return the assertion of a cell of CSV, such as ``contains-any: one, two`` or ``similar(0.8): Hello``.

    A text that names no assertion is one of ``equals``.
    """
    text = text.strip()
    for prefix in _CODE:
        if text.startswith(prefix):
            kind = "python" if prefix == "python:" or ".py" in text else "javascript"
            say(f'the assertion "{kind}" is not read: {REFUSED[kind]}')
            return None
    if text.startswith("grade:"):
        text = f"llm-rubric:{text[6:]}"
    found = _STRING.fullmatch(text)
    base = found[2] if found else ""
    if found is None or base not in KNOWN:
        if found and (found[3] or found[4]) and "-" in base and nearest(base, KNOWN):
            say(f'unknown assertion "{base}"{nearest(base, KNOWN)}')
            return None
        return {"type": "equals", "value": text}
    value: Any = None if found[4] is None else found[4].strip()
    if base in _LISTS:
        value = _listed(value or "")
    elif base in _JSON and value:
        value = _schema(value, say)
    elif base == "word-count" and value and value.isdigit():
        value = int(value)
    item: dict[str, Any] = {"type": f"{found[1] or ''}{base}", "value": value}
    if found[3]:
        item["threshold"] = float(found[3])
    elif base in ("similar", "similar:cosine"):
        item["threshold"] = SIMILAR_CSV
    elif base in ("latency", "cost") and value:
        item["threshold"] = number_in(value)
    return item


def _listed(text: str) -> list[str]:
    """Return the texts of a cell with commas between them; one with a comma in it is in quotation marks."""
    try:
        return [part.strip() for part in next(csv.reader([text], skipinitialspace=True), [])]
    except csv.Error:
        return [part.strip() for part in text.split(",")]


def _schema(text: str, say: Say) -> Any:
    import msgspec

    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        say("the schema of the assertion is no JSON")
        return None


def number_in(text: str) -> Any:
    """Return a text as a number if it is one; else as it is."""
    try:
        return float(text)
    except ValueError:
        return text
