"""Parses threshold expressions: k6's grammar, behind the name of a metric.

    METRIC[{tag:value, …}] [METHOD] OP NUMBER[UNIT]

    latency p95 < 15s                       ttft{pool:chat, stage:peak} p(99.9) <= 800
    error_rate < 5%                         phase.llm_call med < 2s
    quality.drop < 2%                       quality{slice:refunds} score > 80%

Where no unit is written times are in ms and shares are 0 to 1. A tag's value that holds a comma, a quote or an unpaired
brace stands in quotes. Parsing knows nothing of any run: what the tags mean is for whoever judges (``judge``).
"""

from __future__ import annotations

import difflib
import json
import math
import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NoReturn

from agenttop.schedule.quantities import MAX_EXPRESSION
from agenttop.thresholds.catalogue import COUNT, FROM_K6, METRICS, PERCENTILE, PHASE, QUALITY, SHARE, UNITS, Metric

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "===": operator.eq,
    "!=": operator.ne,
}
_SPACE = re.compile(r"\s*")
_METRIC = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PHASE_NAME = re.compile(r"\.([\w.-]*\w)")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PERCENTILE = re.compile(r"p\s*\(|p(?=[0-9])")
_OPERATOR = re.compile(r"[<>=!]+")
_NUMBER = re.compile(r"[0-9][0-9_]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_DECIMAL = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_UNIT = re.compile(r"[^\s0-9.]\S*")
_BARE = re.compile(r"[^\s,{}\"']+(?: [^\s,{}\"']+)*")
_OPS = "one of < <= > >= == !="
_PERCENT = "a percentile from 0 to 100, such as p95 or p(99.9)"


class ThresholdError(ValueError):
    """The text is no threshold; ``column`` (from 1) is where it goes wrong."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"{message} (at column {column})")
        self.column = column


@dataclass(frozen=True, slots=True)
class Expression:
    """One parsed threshold. ``value`` is in ``unit``, which is "" if none was written."""

    metric: str
    method: str
    percent: float | None
    """Percentile of the method :data:`PERCENTILE`, else None."""
    tags: tuple[tuple[str, str], ...]
    """In the order written, each name once."""
    operator: str
    value: float
    unit: str

    @property
    def kind(self) -> str:
        """Return the kind of figure, as in ``catalogue``."""
        return METRICS[self.metric].methods[self.method]

    @property
    def scale(self) -> float:
        """Return how many of the base unit (ms, 1, per second) its unit is."""
        return UNITS[self.kind][self.unit]

    @property
    def limit(self) -> float:
        """Return the number in the base unit."""
        return self.value * self.scale

    def holds(self, observed: float) -> bool:
        """Return whether a figure in the base unit meets the threshold."""
        return OPERATORS[self.operator](observed, self.limit)

    def __str__(self) -> str:
        tags = ", ".join(f"{name}:{_tag_text(value)}" for name, value in self.tags)
        method = f"p({self.percent!r})" if self.percent is not None else self.method
        return f"{self.metric}{f'{{{tags}}}' if tags else ''} {method} {self.operator} {self.value!r}{self.unit}"


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean "…"?`` if something known is close enough, else a list of what is known."""
    names = list(known)
    close = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    return (
        f'; did you mean "{close[0]}"?'
        if close
        else f"; there {'is' if len(names) == 1 else 'are'} " + (", ".join(names) or "none")
    )


def parse_threshold(text: str) -> Expression:
    """Parse one expression.

    Raises:
        ThresholdError: it is none; the message says what was expected, and at which column.
    """
    if len(text) > MAX_EXPRESSION:
        raise ThresholdError(f"expected an expression of at most {MAX_EXPRESSION} characters", MAX_EXPRESSION + 1)
    return _Parser(text).expression()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.figure = ""
        """The figure that is written behind the metric's name: ``drop`` of ``quality.drop``."""

    def expression(self) -> Expression:
        name, metric, tags = self.metric()
        method, percent = self.method(name, metric)
        if name == QUALITY and tags and method != "score":
            self.fail(f"quality.{method} is of the whole run and has no tags", len(self.text))
        symbol = self.operator(name, metric)
        value, unit = self.number(metric.methods[method])
        return Expression(name, method, percent, tags, symbol, value, unit)

    def metric(self) -> tuple[str, Metric, tuple[tuple[str, str], ...]]:
        start = self.space()
        word = self.take(_METRIC)
        if word is None:
            self.fail("expected the name of a metric, such as latency, ttft or error_rate", start)
        metric = METRICS.get(word)
        if metric is None:
            hint = f'; here it is called "{FROM_K6[word]}"' if word in FROM_K6 else nearest(word, METRICS)
            self.fail(f'unknown metric "{word}"{hint}', start)
        tags: dict[str, str] = {}
        if word == PHASE and (phase := _PHASE_NAME.match(self.text, self.at)):
            tags["phase"] = phase[1]
            self.at = phase.end()
        if word == QUALITY and (figure := _PHASE_NAME.match(self.text, self.at)):
            self.figure = figure[1]
            if self.figure not in metric.methods:
                self.fail(f'quality has no "{self.figure}"{nearest(self.figure, metric.methods)}', self.at + 1)
            self.at = figure.end()
        self.space()
        if self.text.startswith("{", self.at):
            self.tags(word, metric, tags)
        if word == PHASE and "phase" not in tags:
            self.fail("which phase? write phase.NAME or phase{phase:NAME}", start)
        return word, metric, tuple(tags.items())

    def tags(self, name: str, metric: Metric, tags: dict[str, str]) -> None:
        """Parse ``{tag:value, …}`` into ``tags``, from the brace on."""
        while True:
            self.at += 1
            start = self.space()
            tag = self.take(_WORD)
            if tag is None:
                self.fail(f"expected a tag of {name}: {', '.join(sorted(metric.tags))}", start)
            if tag not in metric.tags:
                self.fail(f'{name} has no tag "{tag}"{nearest(tag, sorted(metric.tags))}', start)
            if tag in tags:
                self.fail(f'the tag "{tag}" is there twice', start)
            self.space()
            if not self.text.startswith(":", self.at):
                self.fail(f'expected : and a value after the tag "{tag}"', self.at)
            self.at += 1
            tags[tag] = self.tag_value(tag)
            self.space()
            if not self.text.startswith(",", self.at):
                break
        if not self.text.startswith("}", self.at):
            self.fail("expected , or } after a tag", self.at)
        self.at += 1

    def tag_value(self, tag: str) -> str:
        """Parse a tag's value: in quotes, or up to the comma or brace that ends it; pairs of braces within belong to
        it.
        """
        start = self.space()
        quote = self.text[start : start + 1]
        if quote == '"':
            try:
                value, self.at = json.JSONDecoder().raw_decode(self.text, start)
            except ValueError:
                self.fail("this quote is never closed, or has a bad escape", start)
            return str(value)
        if quote == "'":
            end = self.text.find("'", start + 1)
            if end < 0:
                self.fail("this quote is never closed", start)
            self.at = end + 1
            return self.text[start + 1 : end]
        depth = 0
        while self.at < len(self.text):
            char = self.text[self.at]
            if depth == 0 and char in ",}":
                break
            depth += (char == "{") - (char == "}")
            self.at += 1
        found = self.text[start : self.at].strip()
        if not found:
            self.fail(f'expected a value of the tag "{tag}"', start)
        if self.at == len(self.text):
            self.fail("expected } after the tags", self.at)
        return found

    def method(self, name: str, metric: Metric) -> tuple[str, float | None]:
        start = self.space()
        if self.figure:
            said = self.take(_WORD)
            if said is not None and (said, metric.methods[self.figure]) != ("count", COUNT):
                self.fail(f"expected {_OPS}", start)
            return self.figure, None
        if self.take(_PERCENTILE) is not None:
            percent = self.percent(start)
            if PERCENTILE not in metric.methods:
                self.fail(f"{name} has no percentiles; it has {_methods(metric)}", start)
            return PERCENTILE, percent
        word = self.take(_WORD)
        if word in ("value", None):
            if metric.default:
                return metric.default, None
            if word is None and not _OPERATOR.match(self.text, start):
                self.fail(f"expected {_methods(metric)}", start)
            self.fail(f"say which figure of {name}: {_methods(metric)}", start)
        if word not in metric.methods or word == PERCENTILE:
            self.fail(f'{name} has no "{word}"; it has {_methods(metric)}', start)
        return word, None

    def percent(self, start: int) -> float:
        """Parse N of ``pN`` or ``p(N)``."""
        paren = self.text[self.at - 1] == "("
        self.space() if paren else None
        number = self.take(_DECIMAL)
        if number is None or float(number) > 100:
            self.fail(f"expected {_PERCENT}", start)
        if paren:
            self.space()
            if not self.text.startswith(")", self.at):
                self.fail(f"expected ) to end {_PERCENT}", self.at)
            self.at += 1
        elif _WORD.match(self.text, self.at):
            self.fail(f"expected {_PERCENT}", start)
        return float(number)

    def operator(self, name: str, metric: Metric) -> str:
        start = self.space()
        symbol = self.take(_OPERATOR)
        if symbol not in OPERATORS:
            hint = " (one = is not a comparison)" if symbol == "=" else ""
            self.fail(f"expected {_OPS}{hint}", start)
        return symbol

    def number(self, kind: str) -> tuple[float, str]:
        start = self.space()
        word = self.take(_NUMBER)
        value = float(word.replace("_", "")) if word is not None else math.nan
        if word is None or word.endswith("_") or not math.isfinite(value):
            self.fail("expected a number of 0 or more", start)
        place = self.space()
        unit = self.take(_UNIT) or ""
        if unit not in UNITS[kind] or self.space() < len(self.text):
            self.fail(_units(kind), place)
        if kind == SHARE and value * UNITS[kind][unit] > 1:
            self.fail("a share is at most 1, or 100%", start)
        return value, unit

    def space(self) -> int:
        """Skip white space and return where the next word begins."""
        match = _SPACE.match(self.text, self.at)
        assert match is not None
        self.at = match.end()
        return self.at

    def take(self, pattern: re.Pattern[str]) -> str | None:
        """Return what matches here, and move behind it; None if nothing does."""
        match = pattern.match(self.text, self.at)
        if match is None:
            return None
        self.at = match.end()
        return match[0]

    def fail(self, message: str, at: int) -> NoReturn:
        """Raise :class:`ThresholdError` with what was expected, the text from the place on, and its column."""
        rest = "".join(char if char.isprintable() else " " for char in self.text[at : at + 20]).strip()
        place = f' at "{rest}"' if rest else " at the end"
        raise ThresholdError(message + place, at + 1)


def _methods(metric: Metric) -> str:
    return ", ".join("p(N)" if name == PERCENTILE else name for name in metric.methods)


def _units(kind: str) -> str:
    units = " ".join(unit for unit in UNITS[kind] if unit and unit != "µs")
    return f"expected the end, or a unit of a {kind}: {units}" if units else f"a {kind} has no unit: expected the end"


def _tag_text(value: str) -> str:
    return value if _BARE.fullmatch(value) else json.dumps(value, ensure_ascii=False)
