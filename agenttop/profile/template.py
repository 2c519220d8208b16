"""Compiles text with ``{variable}`` in it once into bytes that only need the variables.

``{{`` and ``}}`` are braces. Each ``compile_*`` function quotes both the text (at compile time) and the variables (when
filled) for the place they go to, so that a value can never break out of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from json.encoder import encode_basestring
from typing import Any
from urllib.parse import quote, quote_plus

#: Variables every user has without saving them.
BUILT_IN = frozenset({"user", "iteration", "iteration_uuid", "session_uuid", "uuid", "now", "random"})
#: Before the names of variables of a case.
OF_CASE = "vars."
_TOKEN = re.compile(r"\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_]*|vars\.[A-Za-z0-9_-]+)\}|[{}]|[^{}]+")
_URL_SAFE = "/?&=%:@!$'()*+,;~"
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

Encode = Callable[[str], bytes]
Plain = Callable[[str], object]


class TemplateError(ValueError):
    """The braces of a text do not add up; ``column`` (from 1) is where."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"{message} (at column {column})")
        self.column = column


class Variable(str):
    """The name of a variable among the parts of a template."""

    __slots__ = ()


class Raw(Variable):
    """One whose value is JSON, and stands for itself where a text would."""

    __slots__ = ()


class Template:
    """Compiled text. ``fill`` takes the variables and returns the finished bytes.

    ``fill`` raises ``KeyError`` for a variable that is not there, and nothing else.
    """

    __slots__ = ("fill", "parts", "static", "variables")

    def __init__(self, parts: list[bytes | Variable], encode: Encode, plain: Plain) -> None:
        self.parts = tuple(parts)
        self.variables = frozenset(str(part) for part in parts if isinstance(part, Variable))
        self.static = not self.variables
        self.fill: Callable[[Mapping[str, str]], bytes] = _filler(self.parts, encode, plain)

    def __repr__(self) -> str:
        return f"<Template of {len(self.parts)} parts>"  # its text may hold a secret


class Constant(Template):
    """Bytes that are sent as they are."""

    __slots__ = ()

    def __init__(self, data: bytes) -> None:
        self.parts = (data,)
        self.variables = frozenset()
        self.static = True
        self.fill = lambda variables: data


def parse(text: str) -> Iterator[str | Variable]:
    """Yield the literal pieces of a text, unescaped, and its variables, in order.

    Raises:
        TemplateError: a brace has no partner, or encloses something that is no name.
    """
    for match in _TOKEN.finditer(text):
        token = match[0]
        if match[1]:
            yield Variable(match[1])
        elif token in ("{{", "}}"):
            yield token[0]
        elif token == "{":
            closed = "}" in text[match.end() :]
            problem = "{…} must hold the name of a variable" if closed else "{ is never closed"
            raise TemplateError(f"{problem}; write {{{{ for a brace", match.start() + 1)
        elif token == "}":
            raise TemplateError("} closes nothing; write }} for a brace", match.start() + 1)
        else:
            yield token


def compile_text(text: str) -> Template:
    """Compile a body or a WebSocket message, as UTF-8; nothing is escaped. Raises :class:`TemplateError`."""
    return Template(_encoded(text, _utf8), _utf8, _anything)


def compile_header(text: str) -> Template:
    """Compile the value of a header, as Latin-1; control characters of a variable are dropped, others it cannot hold
    are ``?``.

    Raises:
        TemplateError: the braces do not add up.
    """
    return Template(_encoded(text, _latin1), _header, _PLAIN_HEADER)


def compile_json(value: Any, raw: Collection[str] = ()) -> Template:
    """Compile to compact JSON; variables stand inside its texts and names and are escaped as JSON when filled.

    A text that is nothing but ``{name}`` of one that is ``raw`` is not a text: the variable is JSON in its place.

    Raises:
        TemplateError: the braces of a text in it do not add up.
        ValueError: it holds a number that JSON has no spelling for.
    """
    return Template(_joined(_json_pieces(value, {f"{{{name}}}" for name in raw})), _json, _PLAIN_JSON)


def compile_path(text: str) -> Template:
    """Compile a path with or without a query; variables are percent-encoded whole, a ``/`` in them too.

    Raises:
        TemplateError: the braces do not add up.
    """
    return Template(_encoded(text, _path_text), _percent, _PLAIN_URL)


def compile_query(values: Mapping[str, Any]) -> Template:
    """Compile ``name=value&…`` of a query (without the ``?``); a list repeats its name. Raises
    :class:`TemplateError`.
    """
    return Template(_joined(_pairs(values, _percent)), _percent, _PLAIN_URL)


def compile_form(values: Mapping[str, Any]) -> Template:
    """Compile ``application/x-www-form-urlencoded``; a list repeats its name. Raises :class:`TemplateError`."""
    return Template(_joined(_pairs(values, _form)), _form, _PLAIN_URL)


def path_text(text: str) -> bytes:
    """Return a path that is no template, as :func:`compile_path` writes it; a query may be in it."""
    return text.encode() if _PLAIN_PATH(text) else _path_text(text)


def query_text(values: Mapping[str, Any]) -> bytes:
    """Return a query that is no template, as :func:`compile_query` writes it."""
    return _literal_pairs(values, _percent)


def form_text(values: Mapping[str, Any]) -> bytes:
    """Return a form that is no template, as :func:`compile_form` writes it."""
    return _literal_pairs(values, _form)


def plain_text(value: Any) -> str:
    """Return a scalar of TOML as text: ``true`` rather than ``True``, dates as ISO 8601."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def _filler(parts: tuple[bytes | Variable, ...], encode: Encode, plain: Plain) -> Callable[[Mapping[str, str]], bytes]:
    """Return the function that fills parts, on the hot path. ``plain`` tells quickly that a value needs no encoding."""
    join = b"".join
    names = [str(part) for part in parts if isinstance(part, Variable)]
    if not names:
        whole = join(part for part in parts if isinstance(part, bytes))
        return lambda variables: whole
    if len(names) > 1 or any(isinstance(part, Raw) for part in parts):

        def quick(value: str) -> bytes:
            return value.encode() if value.isascii() and plain(value) else encode(value)

        if any(isinstance(part, Raw) for part in parts):

            def written(part: bytes | Variable, variables: Mapping[str, str]) -> bytes:
                if isinstance(part, Raw):
                    return _utf8(variables[part])
                return quick(variables[part]) if isinstance(part, Variable) else part

            return lambda variables: join([written(part, variables) for part in parts])

        def fill(variables: Mapping[str, str]) -> bytes:
            return join([part if part.__class__ is bytes else quick(variables[part]) for part in parts])  # type: ignore[index]

        return fill
    name = names[0]
    at = next(index for index, part in enumerate(parts) if isinstance(part, Variable))
    head = join(part for part in parts[:at] if isinstance(part, bytes))
    tail = join(part for part in parts[at + 1 :] if isinstance(part, bytes))

    def fill_one(variables: Mapping[str, str]) -> bytes:
        value = variables[name]
        return join((head, value.encode() if value.isascii() and plain(value) else encode(value), tail))

    return fill_one


def _encoded(text: str, encode: Encode) -> list[bytes | Variable]:
    return _joined(piece if isinstance(piece, Variable) else encode(piece) for piece in parse(text))


def _joined(pieces: Iterator[bytes | Variable]) -> list[bytes | Variable]:
    """Return the parts with neighbouring literals joined."""
    parts: list[bytes | Variable] = []
    for piece in pieces:
        if parts and isinstance(piece, bytes) and isinstance(parts[-1], bytes):
            parts[-1] += piece
        else:
            parts.append(piece)
    return parts


def _json_pieces(value: Any, raw: Collection[str]) -> Iterator[bytes | Variable]:
    if isinstance(value, str) and value in raw:
        yield Raw(value[1:-1])
    elif isinstance(value, dict):
        yield b"{"
        for index, (key, item) in enumerate(value.items()):
            if index:
                yield b","
            yield from _json_text(key)
            yield b":"
            yield from _json_pieces(item, raw)
        yield b"}"
    elif isinstance(value, list | tuple):
        yield b"["
        for index, item in enumerate(value):
            if index:
                yield b","
            yield from _json_pieces(item, raw)
        yield b"]"
    elif value is None or isinstance(value, bool | int | float):
        yield json.dumps(value, allow_nan=False).encode()
    else:
        yield from _json_text(plain_text(value))


def _json_text(text: str) -> Iterator[bytes | Variable]:
    yield b'"'
    for piece in parse(text):
        yield piece if isinstance(piece, Variable) else _json(piece)
    yield b'"'


def _pairs(values: Mapping[str, Any], encode: Encode) -> Iterator[bytes | Variable]:
    separator = b""
    for name, value in values.items():
        for item in value if isinstance(value, list | tuple) else (value,):
            yield separator
            yield from _encoded(name, encode)
            yield b"="
            yield from _encoded(plain_text(item), encode)
            separator = b"&"


def _literal_pairs(values: Mapping[str, Any], encode: Encode) -> bytes:
    return b"&".join(
        encode(name) + b"=" + encode(plain_text(item))
        for name, value in values.items()
        for item in (value if isinstance(value, list | tuple) else (value,))
    )


def _anything(value: str) -> object:
    return True


_PLAIN_JSON = re.compile(r"[ !#-\[\]-~]*").fullmatch
_PLAIN_URL = re.compile(r"[A-Za-z0-9_.~-]*").fullmatch
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_.~/?&=-]*").fullmatch
_PLAIN_HEADER = re.compile(r"[ -~]*").fullmatch


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, out of some target's JSON
        return text.encode("utf-8", "replace")


def _latin1(text: str) -> bytes:
    return text.encode("latin-1", "replace")


def _header(text: str) -> bytes:
    return _latin1(_CONTROL.sub("", text))


def _json(text: str) -> bytes:
    return _utf8(encode_basestring(text)[1:-1])


def _percent(text: str) -> bytes:
    return quote(text, safe="", errors="replace").encode()


def _form(text: str) -> bytes:
    return quote_plus(text, safe="", errors="replace").encode()


def _path_text(text: str) -> bytes:
    return quote(_LONE_PERCENT.sub("%25", text), safe=_URL_SAFE, errors="replace").encode()
