"""Parses the ``Server-Timing`` header or trailer: what the target says its own phases took."""

from __future__ import annotations

import math
import re

# W3C Server Timing, section 3.2, in the terms of RFC 9110:
#
#     Server-Timing         = #( metric-name *( OWS ";" OWS parameter ) )
#     parameter             = parameter-name OWS "=" OWS ( token / quoted-string )
#     token                 = 1*( "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`" / "|"
#                                / "~" / DIGIT / ALPHA )
#
# Of a parameter given twice the first counts, its name in any case. Anything after a value is ignored.

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_QUOTED = r'"(?:[^"\\]|\\.)*"'
#: One metric or parameter with its separator; a quote that never closes reaches to the end.
_PIECE = re.compile(rf'((?:{_QUOTED}|"(?:[^"\\]|\\.)*\\?$|[^",;])*)([,;]|$)', re.DOTALL)
_NAME = re.compile(rf"[ \t]*({_TOKEN})[ \t]*", re.DOTALL)
_PARAMETER = re.compile(rf"[ \t]*({_TOKEN})[ \t]*(?:=[ \t]*({_QUOTED}|{_TOKEN})?)?", re.DOTALL)
#: Characters of a header that are read; the rest is left out.
MAX_TEXT = 8192
_NUMBER = re.compile(r"\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?", re.ASCII)


def parse_server_timing(value: str) -> dict[str, float]:
    """Return the durations in ms by metric name; those of a name given several times are summed.

    Never raises, and reads :data:`MAX_TEXT` characters:
    a metric whose ``dur`` is missing, not finite or below 0 is left out, as is one that is malformed.
    """
    value = value[:MAX_TEXT]
    timings: dict[str, float] = {}
    name: str | None = None
    duration: str | None = None
    first = True
    for text, separator in _PIECE.findall(value):
        if first:
            match = _NAME.fullmatch(text)
            name, duration = (match[1] if match else None), None
        elif duration is None and (match := _PARAMETER.match(text)) and match[1].lower() == "dur":
            duration = match[2] or ""
        first = separator != ";"
        if first and name is not None and duration is not None:
            milliseconds = _milliseconds(duration)
            if milliseconds is not None:
                timings[name] = timings.get(name, 0.0) + milliseconds
            name = None
    return timings


def _milliseconds(text: str) -> float | None:
    if text.startswith('"'):
        text = re.sub(r"\\(.)", r"\1", text[1:-1]).strip()
    number = float(text) if _NUMBER.fullmatch(text) else math.inf
    return number if number < math.inf else None
