"""The door through which every text goes that somebody else made: a target, a proxy, a user's own code.

Behind it a text is harmless (no control characters, one line, bounded) and without the run's secrets, in whichever of
their usual spellings they stand there: as they are, in other case, percent-encoded (with ``+`` for a space), escaped
as JSON or as HTML, in Base64 alone or with something before and after it (``user:key`` of Basic authentication), in
any of these within another, and cut short at the end.

Text and secrets are brought into one plain spelling (``metrics.spelling``) and compared there; what is found is
replaced where it stood. Texts come again and again, so that the newest are kept with what became of them.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any, TextIO
from urllib.parse import unquote, urlsplit

from agenttop.metrics.scope import ESCAPE, MAX_MESSAGE_LENGTH, clean_text
from agenttop.metrics.spelling import BEGUN, located_spelling, plain_spelling

MASK = "***"
#: Shorter secrets are not looked for: without every "a" nothing would be left to read.
MIN_LENGTH = 4
#: Texts that are kept with what became of them.
KEPT = 2048
#: So many letters of a secret at the end of a text are the beginning of one that was cut; of a short text, which may be
#: nothing but a name, a few more.
_CUT, _CUT_OF_NAME, _LONG = 4, 6, 100
#: Parts of a secret that may stand alone, where it holds what separates the values of a header or the texts of JSON.
_SEPARATORS = re.compile(r"[\s,;=\"'<>(){}\[\]]+|\\n")
_MIN_PART, _MIN_WORDS = 5, 20

_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-")
_PADDING = re.compile(r"(?:=|%(?:25)?3d|\\{1,8}u003d){0,2}", re.IGNORECASE)
#: A shorter secret is not looked for across words: "test" is not in "the late start".
_ACROSS = 12


class SafeText:
    """Makes texts safe: ``safe(text)``.

    Args:
        secrets: what must not be shown, as it is.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        secrets = [secret for secret in secrets if secret]
        self._short = tuple(secret for secret in secrets if len(secret) < MIN_LENGTH)
        long = [secret for secret in secrets if len(secret) >= MIN_LENGTH]
        wholes = {spelling for secret in long for spelling in _wholes(secret)}
        self._raw = tuple(sorted({secret.lower() for secret in long}, key=len, reverse=True))
        self._encoded = _needles(form for whole in wholes for form in _base64(whole))
        self._needles = _needles(wholes)
        parts = {part for whole in wholes for part in _SEPARATORS.split(whole) if _stands_alone(part)}
        self._parts = tuple(part for part in _needles(parts) if part not in self._needles)
        self._known: dict[tuple[str, int], str] = {}

    def __call__(self, text: str, limit: int = MAX_MESSAGE_LENGTH) -> str:
        """``text`` on one line of at most ``limit`` characters, without control characters and without secrets."""
        key = (text, limit)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= KEPT:
                self._known.clear()
            known = self._known[key] = self._safe(text, limit)
        return known

    def hide(self, text: str) -> str:
        """The text as it is, but for the secrets in it."""
        spans = self._spans(text)
        if not spans:
            return text
        pieces, at = [], 0
        for begin, end in _merged(spans):
            pieces += [text[at:begin], MASK]
            at = end
        return "".join((*pieces, text[at:]))

    def holds(self, text: str, *, short: bool = False) -> bool:
        """Whether there is a secret in a text, in any spelling; with ``short`` one of a few characters, too, where it
        stands alone.
        """
        if short and any(re.search(rf"(?<!\w){re.escape(secret)}(?!\w)", text) for secret in self._short):
            return True
        return bool(self._spans(text, cut=False))

    def _safe(self, text: str, limit: int) -> str:
        if self._raw:
            # Cleaned of what could stand between two letters before, and cut after: half a key is a secret, too.
            text = self.hide(ESCAPE.sub("", text[: 4 * max(limit, MAX_MESSAGE_LENGTH)]))
        return clean_text(text, limit)

    def _spans(self, text: str, *, cut: bool = True) -> list[tuple[int, int]]:
        """Where secrets are."""
        if not self._raw or len(text) < MIN_LENGTH:
            return []
        lower, plain = text.lower(), plain_spelling(text)
        found = self._plainly(text, lower)
        least = _CUT if len(text) >= _LONG else _CUT_OF_NAME
        ends = [plain.removesuffix("…"), plain_spelling(BEGUN.sub("", text.removesuffix("…")))] if cut else []
        everything = (*self._needles, *self._encoded)
        begun = any(_begins(end, needle, least) is not None for end in ends for needle in everything)
        if begun or any(needle in plain for needle in (*everything, *self._parts)):
            found += self._mapped(text, least, cut=begun)
        return found

    def _plainly(self, text: str, lower: str) -> list[tuple[int, int]]:
        """Where they stand as they are, whatever their letters may mean elsewhere."""
        if len(lower) != len(text):  # a letter that has two in lower case
            return [span for secret in self._raw for span in _all(text, secret)]
        return [span for secret in self._raw for span in _all(lower, secret)]

    def _mapped(self, text: str, least: int, *, cut: bool) -> list[tuple[int, int]]:
        """Where they are in any spelling."""
        plain, begins, ends = located_spelling(text)
        spans = []
        for needle in (*self._needles, *self._encoded, *self._parts):
            for at, to in _all(plain, needle):
                begin, end = begins[at], ends[to - 1]
                if len(needle) < _ACROSS and " " in text[begin:end]:
                    continue
                if needle in self._parts and (text[:begin][-1:].isalnum() or text[end : end + 1].isalnum()):
                    continue
                spans.append(_word(text, begin, end) if needle in self._encoded else (begin, end))
        if cut:
            whole = text.removesuffix("…")
            for short in (whole, BEGUN.sub("", whole)):
                plain, begins, _ = located_spelling(short)
                for needle in (*self._needles, *self._encoded):
                    at_end = _begins(plain, needle, least)
                    if at_end is not None:
                        begin = begins[at_end]
                        if len(needle) < _ACROSS and " " in short[begin:]:
                            continue
                        begin = _word(text, begin, begin)[0] if needle in self._encoded else begin
                        spans.append((begin, len(whole)))
        return spans


class SafeStream(io.TextIOBase):
    """A text stream whose lines go through the door before they are written: what users' own code prints, tracebacks.

    Args:
        stream: where the lines go.
        safe: the door.
    """

    def __init__(self, stream: TextIO, safe: SafeText) -> None:
        self._stream = stream
        self._safe = safe
        self._line = ""

    def writable(self) -> bool:
        """It is."""
        return True

    def fileno(self) -> int:
        """That of the stream."""
        return self._stream.fileno()

    def write(self, text: str) -> int:
        """Write what is whole lines by now; a line that does not end goes after 4 096 characters."""
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self._put(line, "\n")
        if len(self._line) > 4096:
            line, self._line = self._line, ""
            self._put(line, "")
        return len(text)

    @property
    def buffer(self) -> io.BufferedIOBase:
        """For bytes, which are UTF-8."""
        return _Bytes(self)

    def flush(self) -> None:
        """Flush the stream; the rest of a line waits for its end."""
        self._stream.flush()

    def end(self) -> None:
        """Write what is left."""
        line, self._line = self._line, ""
        if line:
            self._put(line, "\n")

    def _put(self, line: str, end: str) -> None:
        indent = " " * (len(line) - len(line.lstrip(" ")))
        self._stream.write(f"{indent}{self._safe(line, 4096)}{end}")
        self._stream.flush()


class _Bytes(io.BufferedIOBase):
    """The same for code that writes bytes."""

    def __init__(self, stream: SafeStream) -> None:
        self._stream = stream

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._stream.write(bytes(data).decode("utf-8", "replace"))
        return len(data)


def _wholes(secret: str) -> Iterator[str]:
    """A secret, and what it holds that may be said without the rest: the password of a URL, ``user:key`` in Base64."""
    yield secret
    if not secret.isascii():
        yield secret.encode("utf-8", "replace").decode("latin-1")  # read as a header is
    try:
        parts = urlsplit(secret)
        found = [parts.password, f"{parts.username}:{parts.password}"] if parts.password else []
    except ValueError:
        found = []
    try:
        text = base64.b64decode(secret.strip(), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    if ":" in text and text.isprintable():
        found += [text, text.partition(":")[2]]
    for each in found:
        if len(each) >= MIN_LENGTH:
            yield each
            yield unquote(each)


def _base64(secret: str) -> Iterator[str]:
    """The letters that are the same in Base64 whatever stands before and after a secret, of each of three places that
    it may begin at; in both alphabets.
    """
    data = secret.encode("utf-8", "replace")
    for offset in range(3):
        letters = base64.b64encode(bytes(offset) + data).decode().rstrip("=")
        letters = letters[(0, 2, 3)[offset] : (offset + len(data)) * 8 // 6]
        yield letters
        yield letters.replace("+", "-").replace("/", "_")


def _needles(texts: Iterable[str]) -> tuple[str, ...]:
    """The longest first, so that it is found before what it holds."""
    return tuple(
        sorted({plain for text in texts if len(plain := plain_spelling(text)) >= MIN_LENGTH}, key=len, reverse=True)
    )


def _stands_alone(part: str) -> bool:
    """Whether part of a secret is looked for by itself; a plain word is not."""
    return len(part) >= _MIN_WORDS or (len(part) >= _MIN_PART and any(char.isdigit() for char in part))


def _word(text: str, begin: int, end: int) -> tuple[int, int]:
    """The whole word in Base64 that is around this part of it: its neighbours hold some bits of the secret, too."""
    while begin and text[begin - 1] in _BASE64:
        begin -= 1
    while end < len(text) and text[end] in _BASE64:
        end += 1
    padding = _PADDING.match(text, end)
    return begin, padding.end() if padding else end


def _all(text: str, needle: str) -> list[tuple[int, int]]:
    spans, at = [], text.find(needle)
    while at >= 0:
        spans.append((at, at + len(needle)))
        at = text.find(needle, at + len(needle))
    return spans


def _begins(text: str, needle: str, least: int) -> int | None:
    """Where the beginning of a needle is at the end of a text, ``least`` characters of it or more."""
    at = text.find(needle[:least], max(len(text) - len(needle), 0))
    while at >= 0:
        if needle.startswith(text[at:]):
            return at
        at = text.find(needle[:least], at + 1)
    return None


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those that overlap, as one."""
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged
