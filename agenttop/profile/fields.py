"""The types of values in a profile, each with its own check and its own message about what was expected.

The messages never hold the value, since it may be a secret; ``profile.problems`` adds it where it is none. A message
that quotes part of the value travels as ``text`` with a ``plain`` twin for the secret case.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from agenttop.dialects import DIALECTS
from agenttop.expressions.jsonpath import JsonPathSyntaxError, compile_path
from agenttop.expressions.pattern import PatternError, compile_pattern
from agenttop.profile.checks import CheckError, compile_check
from agenttop.profile.durations import Duration
from agenttop.profile.fleet import MAX_BOXES, NoBoxError, parse_host
from agenttop.profile.measured import compile_measured, is_length
from agenttop.quality.margins import MarginError, regress_of, score_drop
from agenttop.schedule.quantities import MAX_NAME, MAX_USERS
from agenttop.thresholds.expression import ThresholdError, parse_threshold

#: Sums and shares of weights stay finite.
MAX_WEIGHT = 1_000_000_000

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_POOL_NAME = re.compile(r"[\w.-]+")
_HOST = re.compile(r"[\w.-]+|[0-9A-Fa-f:.]+(%\w+)?")
_OURS = ("connection", "content-length", "transfer-encoding", "upgrade")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def wanted(text: str) -> PydanticCustomError:
    """Return an error that says what was expected; the value is added after it."""
    return PydanticCustomError("wanted", "{text}", {"text": text})


def faulty(text: str, plain: str) -> PydanticCustomError:
    """Return an error whose text quotes the value; ``plain`` says the same without."""
    return PydanticCustomError("faulty", "{text}", {"text": text, "plain": plain})


def target_problem(value: str) -> str | None:
    """Return what keeps a text from being the URL of a target, or None."""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return "expected a URL such as http://127.0.0.1:8000; its host or port cannot be read"
    if parts.scheme not in ("http", "https", "ws", "wss"):
        return "expected a URL that begins with http://, https://, ws:// or wss://"
    if not parts.hostname:
        return "this URL has no host; expected one such as http://127.0.0.1:8000"
    if "@" in parts.netloc:
        return "a target holds no user and password; write an authorization header instead"
    if parts.query or parts.fragment or "?" in value or "#" in value:
        return "a target ends with its path; write a query at the steps"
    if not _HOST.fullmatch(parts.hostname) or port == 0 or not value.isprintable() or " " in value:
        return "expected a URL such as http://127.0.0.1:8000; its host or port cannot be read"
    return None


def _target(value: str) -> str:
    problem = target_problem(value)
    if problem:
        raise wanted(problem)
    return value.rstrip("/")


def _not_bool(expected: str) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if isinstance(value, bool):  # true is 1 to Python, but not to whoever wrote it
            raise wanted(expected)
        return value

    return check


def _name(value: str) -> str:
    if len(value) > MAX_NAME or _CONTROL.search(value):
        raise wanted(f"expected a name of one line and at most {MAX_NAME} characters")
    return value


def _pool_name(value: str) -> str:
    if len(value) > MAX_NAME or not _POOL_NAME.fullmatch(value):
        raise wanted("expected a name of letters, digits, - _ and .")
    return value


def _header_name(value: str) -> str:
    if not _TOKEN.fullmatch(value):
        raise wanted("expected the name of a header: letters, digits and -")
    if value.lower() in _OURS:
        raise wanted(f"{value.lower()} is set by agenttop itself")
    return value.lower()  # names differ in case only by accident, and HTTP/2 wants them so


def _header_value(value: str) -> str:
    if _CONTROL.sub("", value.replace("\t", "")) != value.replace("\t", ""):
        raise wanted("a header cannot hold line breaks or other control characters")
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        raise wanted("a header can hold Latin-1 characters only") from None
    return value


def _json_path(value: str) -> str:
    try:
        compile_path(value)
    except JsonPathSyntaxError as error:
        raise faulty(f"bad JSONPath: {error}", "bad JSONPath") from None
    return value


def _answer_path(value: str) -> str:
    return value if value == "body" else _json_path(value)


def script_parts(value: str) -> tuple[str, str] | None:
    """Return the file and the class of a ``python``; None if it is no such pair."""
    file, _, name = value.rpartition(":")
    return (file, name) if file.endswith(".py") and name.isidentifier() else None


def _script(value: str) -> str:
    if script_parts(value) is None:
        raise wanted('expected a file and a class in it, such as "my_agent.py:CheckoutUser"')
    return value


def saved_header(value: str) -> str | None:
    """Return the header that a text of ``save`` names, ``header X``, in lower case; None if it is a JSONPath."""
    word, _, name = value.strip().partition(" ")
    return name.strip().lower() if word == "header" else None


def _saved(value: str) -> str:
    name = saved_header(value)
    if name is None:
        return _json_path(value)
    if not _TOKEN.fullmatch(name):
        raise wanted("expected header and its name, as in: header X-Session-Id")
    return value


def _measure_path(value: str) -> str:
    try:
        compile_measured(value)
    except JsonPathSyntaxError as error:
        raise faulty(f"bad JSONPath: {error}", "bad JSONPath") from None
    return value


def _text_path(value: str) -> str:
    if is_length(_measure_path(value)):
        raise faulty("is a number; write the path of the text itself", "is a number")
    return value


def _check(value: str) -> str:
    try:
        compile_check(value)
    except CheckError as error:
        raise faulty(f"bad check: {error}", "bad check") from None
    return value


def _threshold(value: str) -> str:
    try:
        parse_threshold(value)
    except ThresholdError as error:
        raise faulty(f"bad threshold: {error}", "bad threshold") from None
    return value


def _regex(value: str) -> str:
    try:
        compile_pattern(value)
    except PatternError as error:
        raise faulty(f"bad regular expression: {error}", "bad regular expression") from None
    return value


def _dialect(value: str) -> str:
    if value not in DIALECTS:
        raise wanted(f"expected one of {', '.join(DIALECTS)}")
    return DIALECTS[value].name  # it may be called otherwise as well


def _step_protocol(value: Any) -> Any:
    if value not in ("http", "sse"):
        raise wanted('expected "http" or "sse"; the steps of a WebSocket are those of a pool with protocol = "ws"')
    return value


def _positive(value: float) -> float:
    if value <= 0:
        raise wanted("expected a duration above zero")
    return value


def _variable_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        raise wanted("expected the name of a variable: letters, digits and _, not beginning with a digit")
    return value


def _history(value: Any) -> Any:
    value = {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value
    if value is not True and value is not False and value != "task":
        raise wanted('expected true, false or "task"')
    return value


def _tool_result(value: Any) -> Any:
    if not isinstance(value, str | dict | list):
        raise wanted("expected what the tool returns: text, or a table or list that is sent as JSON")
    return value


def _score_drop(value: str) -> str:
    try:
        score_drop(value)
    except MarginError as error:
        raise faulty(f"bad margin: {error}", 'bad margin: expected "2%" or "SLICE=5%"') from None
    return value


def _score_drops(value: Any) -> Any:
    """Return one margin, or several, as a list."""
    if not isinstance(value, str | list):
        raise wanted('expected a margin such as "2%", or a list of them')
    return [value] if isinstance(value, str) else value


def _box(value: str) -> str:
    try:
        parse_host(value)
    except NoBoxError:
        raise wanted('expected a box such as "b1", "b2:2222" or "user@b3"') from None
    return value


def _names(value: Any) -> Any:
    # Of a union, every branch would complain.
    several = isinstance(value, list) and all(isinstance(name, str) for name in value)
    if not several and not isinstance(value, str):
        raise wanted("expected text, or a list of texts")
    return value


def _regressions(value: Any) -> Any:
    if not isinstance(value, dict) or any(isinstance(margin, dict) for margin in value.values()):
        raise wanted('expected such as { "latency.p95" = "10%" }, with quotes around METRIC.STAT')
    return value


def _regress(value: dict[str, str]) -> dict[str, str]:
    for figure, margin in value.items():
        try:
            regress_of(figure, margin)
        except MarginError as error:
            raise faulty(f"bad margin: {error}", 'bad margin: expected such as { "latency.p95" = "10%" }') from None
    return value


_IS_WHOLE = BeforeValidator(_not_bool("expected a whole number"))
_IS_NUMBER = BeforeValidator(_not_bool("expected a number"))

Users = Annotated[int, Field(ge=0, le=MAX_USERS), _IS_WHOLE]
Seed = Annotated[int, Field(ge=0, le=2**63 - 1), _IS_WHOLE]
MaxUsers = Annotated[int, Field(ge=1, le=MAX_USERS), _IS_WHOLE]
Turns = Annotated[int, Field(ge=1, le=1_000_000), _IS_WHOLE]
Retries = Annotated[int, Field(ge=0, le=100), _IS_WHOLE]
Repeats = Annotated[int, Field(ge=1, le=10_000), _IS_WHOLE]
Concurrency = Annotated[int, Field(ge=1, le=100), _IS_WHOLE]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False), _IS_NUMBER]
Cap = Annotated[int, Field(ge=1, le=10**15), _IS_WHOLE]
Tokens = Annotated[int, Field(ge=0, le=10**9), _IS_WHOLE]
Money = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False), _IS_NUMBER]
MinRequests = Annotated[int, Field(ge=1, le=1_000_000_000), _IS_WHOLE]
Level = Annotated[float, Field(gt=0, le=MAX_USERS, allow_inf_nan=False), _IS_NUMBER]
Weight = Annotated[float, Field(ge=0, le=MAX_WEIGHT, allow_inf_nan=False), _IS_NUMBER]
Rate = Annotated[float, Field(ge=0, le=MAX_USERS, allow_inf_nan=False), _IS_NUMBER]
PositiveDuration = Annotated[Duration, AfterValidator(_positive)]
Name = Annotated[str, AfterValidator(_name)]
PoolName = Annotated[str, AfterValidator(_pool_name)]
Target = Annotated[
    str, AfterValidator(_target), WithJsonSchema({"type": "string", "pattern": r"^(https?|wss?)://|\$\{"})
]
Dialect = Annotated[str, AfterValidator(_dialect), WithJsonSchema({"enum": list(DIALECTS)})]
StepProtocol = Annotated[Literal["http", "sse"], BeforeValidator(_step_protocol)]
ScriptText = Annotated[str, AfterValidator(_script)]
Regex = Annotated[str, AfterValidator(_regex)]
JsonPathText = Annotated[str, AfterValidator(_json_path)]
AnswerText = Annotated[str, AfterValidator(_answer_path)]
MeasureText = Annotated[str, AfterValidator(_measure_path)]
MeasureWords = Annotated[str, AfterValidator(_text_path)]
CheckText = Annotated[str, AfterValidator(_check)]
ScoreDrops = Annotated[
    list[Annotated[str, AfterValidator(_score_drop)]],
    BeforeValidator(_score_drops),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
Boxes = Annotated[list[Annotated[str, AfterValidator(_box)]], Field(min_length=1, max_length=MAX_BOXES)]
Hosts = Annotated[int, Field(ge=1, le=MAX_BOXES), _IS_WHOLE]
Names = Annotated[str | list[str], BeforeValidator(_names)]
Regressions = Annotated[dict[str, str], AfterValidator(_regress), BeforeValidator(_regressions)]
ThresholdText = Annotated[str, AfterValidator(_threshold)]
Headers = dict[Annotated[str, AfterValidator(_header_name)], Annotated[str, AfterValidator(_header_value)]]
Save = dict[Annotated[str, AfterValidator(_variable_name)], Annotated[str, AfterValidator(_saved)]]
History = Annotated[bool | str, BeforeValidator(_history), WithJsonSchema({"enum": [True, False, "task"]})]
ToolResults = dict[
    Name,
    Annotated[Any, BeforeValidator(_tool_result), WithJsonSchema({"type": ["string", "object", "array"]})],
]
Checks = dict[Name, CheckText]
