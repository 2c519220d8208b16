"""Compiles checks of an answer, which are short expressions.

    $.path                          the path finds something that is neither null nor empty
    $.path OP literal               … and what it finds compares so; literals as in JSON, or 'single quoted'
    status OP number
    latency|ttft|ttfb OP duration   a bare number is milliseconds, as in k6
    body contains "text"            body matches "regular expression"
    header NAME exists              header NAME contains "text"

OP is one of ``== != < <= > >=``. Texts and numbers compare with their own kind only; anything else differs, and is
neither less nor more. What was not measured (the first token of an answer that did not stream) fails its check.

Regular expressions are RE2's (:mod:`~agenttop.expressions.pattern`).
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from agenttop.expressions.jsonpath import JsonPath, JsonPathSyntaxError, compile_path
from agenttop.expressions.pattern import PatternError, compile_pattern
from agenttop.schedule.quantities import MAX_EXPRESSION, parse_duration, parse_number

#: ``Answer.json`` of a body that is no JSON.
INVALID: Final = object()

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_OPERATOR = re.compile(r"\s*(==|!=|<=|>=|<|>|=|)\s*")
_WORD = re.compile(r"\s*([A-Za-z_]+)\s*")
_HEADER = re.compile(r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s+(\S+)\s*")
#: A regular expression's ``\\d`` or ``\\.`` is no escape of JSON: such a backslash stands for itself.
_NO_ESCAPE = re.compile(r'(?<!\\)((?:\\\\)*\\)(?=[^"\\nrtu/]|u(?![0-9a-fA-F]{4}))')
_SUBJECTS = "a JSONPath ($.…), status, latency, ttft, ttfb, body or header"


class Answer(Protocol):
    """What a check may look at. Times are nanoseconds; header names are lower-case."""

    @property
    def status(self) -> int: ...
    @property
    def latency_ns(self) -> int: ...
    @property
    def ttft_ns(self) -> int | None: ...
    @property
    def ttfb_ns(self) -> int | None: ...
    @property
    def json(self) -> Any:
        """Return the parsed body, or :data:`INVALID`."""

    @property
    def body(self) -> bytes: ...
    @property
    def headers(self) -> Mapping[str, str]: ...


Test = Callable[[Answer], bool]


class CheckError(ValueError):
    """The text is no check; ``column`` (from 1) is where it goes wrong."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"{message} (at column {column})")
        self.column = column


class Check:
    """A compiled check: call it with an answer. It never raises, whatever the answer holds."""

    __slots__ = ("needs_body", "needs_headers", "needs_json", "test", "text")

    def __init__(self, text: str, test: Test, needs: str = "") -> None:
        self.text = text
        self.test = test
        self.needs_json = needs == "json"
        self.needs_body = needs == "body"
        self.needs_headers = needs == "headers"

    def __call__(self, answer: Answer) -> bool:
        return self.test(answer)

    def __repr__(self) -> str:
        return f"Check({self.text!r})"


def compile_check(text: str) -> Check:
    """Compile one expression.

    Raises:
        CheckError: it is none; the message says what was expected, and at which column.
    """
    if len(text) > MAX_EXPRESSION:
        raise CheckError(f"expected an expression of at most {MAX_EXPRESSION} characters", MAX_EXPRESSION + 1)
    start = len(text) - len(text.lstrip())
    if text.startswith("$", start):
        return _path_check(text, start)
    word = _WORD.match(text)
    subject = word[1] if word else ""
    rest = word.end() if word else start
    if subject == "status":
        return _status_check(text, rest)
    if subject in _TIMES:
        return _time_check(text, subject, rest)
    if subject == "body":
        return _body_check(text, rest)
    if subject == "header":
        return _header_check(text, rest)
    raise CheckError(f"expected {_SUBJECTS} at the beginning", start + 1)


def _path_check(text: str, start: int) -> Check:
    at = _operator_at(text)
    path = _path(text[start : len(text) if at is None else at].rstrip(), start)
    if at is None:
        return Check(text, _something_at(path), "json")
    compare, end = _compare(text, at)
    wanted = _literal(text, end)
    return Check(text, _compares(path, compare, wanted), "json")


def _status_check(text: str, start: int) -> Check:
    compare, end = _compare(text, start)
    if not re.fullmatch(r"[0-9]{1,3}", text[end:].strip()):
        raise CheckError(f"expected a status such as 200 after {text[:end].strip()!r}", end + 1)
    wanted = int(text[end:])
    return Check(text, lambda answer: compare(answer.status, wanted))


_TIMES: dict[str, Callable[[Answer], int | None]] = {
    "latency": lambda answer: answer.latency_ns,
    "ttft": lambda answer: answer.ttft_ns,
    "ttfb": lambda answer: answer.ttfb_ns,
}


def _time_check(text: str, subject: str, start: int) -> Check:
    compare, end = _compare(text, start)
    word = text[end:].strip()
    try:
        milliseconds = parse_number(word)
        wanted = round(parse_duration(word) * 1e9) if milliseconds is None else round(milliseconds * 1e6)
    except (ValueError, OverflowError):
        raise CheckError(f'expected a duration such as 20s, or milliseconds, after "{subject}"', end + 1) from None
    read = _TIMES[subject]

    def test(answer: Answer) -> bool:
        measured = read(answer)
        return measured is not None and compare(measured, wanted)

    return Check(text, test)


def _body_check(text: str, start: int) -> Check:
    word = _WORD.match(text, start)
    if not word or word[1] not in ("contains", "matches"):
        raise CheckError('expected contains "text" or matches "regular expression" after "body"', start + 1)
    wanted = _string(text, word.end())
    if word[1] == "contains":
        inside = wanted.encode("utf-8", "replace")
        return Check(text, lambda answer: inside in answer.body, "body")
    try:
        pattern = compile_pattern(wanted)
    except PatternError as error:
        raise CheckError(f"bad regular expression: {error}", word.end() + 1) from None
    return Check(text, lambda answer: pattern.found_in(answer.body.decode("utf-8", "replace")), "body")


def _header_check(text: str, start: int) -> Check:
    match = _HEADER.match(text, start)
    if not match or match[2] not in ("exists", "contains"):
        raise CheckError('expected NAME exists, or NAME contains "text", after "header"', start + 1)
    name = match[1].lower()
    if match[2] == "exists":
        if text[match.end() :].strip():
            raise CheckError('nothing goes after "exists"', match.end() + 1)
        return Check(text, lambda answer: name in answer.headers, "headers")
    wanted = _string(text, match.end())
    return Check(text, lambda answer: wanted in answer.headers.get(name, ""), "headers")


def _something_at(path: JsonPath) -> Test:
    def test(answer: Answer) -> bool:
        if answer.json is INVALID:
            return False
        return any(value is not None and value not in ("", [], {}) for value in path.find(answer.json))

    return test


def _compares(path: JsonPath, compare: Callable[[Any, Any], bool], wanted: Any) -> Test:
    """Return a test whether some match compares so; true and 1 are different, as in JSON."""
    kind = _kind(wanted)
    ordered = compare not in (operator.eq, operator.ne)
    unlike = compare is operator.ne

    def holds(value: Any) -> bool:
        if _kind(value) is not kind:
            return unlike
        return compare(value, wanted) if not ordered or kind in (str, float) else False

    def test(answer: Answer) -> bool:
        return answer.json is not INVALID and any(map(holds, path.find(answer.json)))

    return test


def _kind(value: Any) -> type:
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)


def _operator_at(text: str) -> int | None:
    """Return where the operator of a path check begins: outside the brackets and quotes of the path itself."""
    depth = 0
    quote = ""
    escaped = False
    for index, char in enumerate(text):
        if quote:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == quote:
                quote = ""
        elif char in "'\"" and depth:
            quote = char
        elif char in "[(":
            depth += 1
        elif char in "])":
            depth -= 1
        elif char in "=!<>" and depth <= 0:
            return index
    return None


def _path(text: str, start: int) -> JsonPath:
    try:
        return compile_path(text)
    except JsonPathSyntaxError as error:
        message = str(error).rpartition(" (at column")[0]
        raise CheckError(f"bad JSONPath: {message}", start + error.column) from None


def _compare(text: str, start: int) -> tuple[Callable[[Any, Any], bool], int]:
    match = _OPERATOR.match(text, start)
    if not match or match[1] not in _OPERATORS:
        hint = " (one = is not a comparison)" if match and match[1] == "=" else ""
        raise CheckError(f"expected one of == != < <= > >={hint}", (match.start(1) if match else start) + 1)
    return _OPERATORS[match[1]], match.end()


def _literal(text: str, start: int) -> Any:
    word = text[start:].strip()
    if word.startswith("'"):
        return _string(text, start)
    try:
        return json.loads(word, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise CheckError('expected a number, "text", true, false or null', start + 1) from None


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _string(text: str, start: int) -> str:
    """Parse a quoted text up to the end: double quotes as in JSON but lenient with ``\\d``, single quotes as
    they are.
    """
    word = text[start:].strip()
    if len(word) >= 2 and word[0] == word[-1] == "'" and "'" not in word[1:-1]:
        return word[1:-1]
    if len(word) >= 2 and word[0] == '"':
        try:
            value = json.loads(_NO_ESCAPE.sub(r"\\\1", word))
        except ValueError:
            value = None
        if isinstance(value, str):
            return value
    raise CheckError('expected a text in quotes, such as "thanks", to the end', start + 1)
