"""Decompresses bodies as they arrive and without trust: gzip and deflate (RFC 9110, 8.4.1)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, Protocol

PIECE = 1 << 20
"""Bytes that are decompressed at a time: the most held in memory, however well an answer was compressed."""
MAX_INFLATED, MAX_RATIO = 64 << 20, 200
"""Bytes that any body may decompress to, and the ratio to its own bytes that more must not exceed.

Text comes to some 20 for 1; a thousandfold is an attack.
"""
MAX_CHAINED = 8 << 20
"""The same of a coding within another: of a few bytes, read in one turn, a million times more may come."""

_GZIP, _ZLIB, _RAW, _DETECT = 31, 15, -15, 47


class InflateError(ValueError):
    """The bytes are not what their Content-Encoding says, or decompress to far too many."""


class Inflate:
    """Decompresses one body.

    gzip may have several members; deflate may be zlib's format, as the standard says, or the bare one that some servers
    send.
    """

    __slots__ = ("_begun", "_decompress", "_further", "_held", "_in", "_most", "_out", "_padding")

    def __init__(self, encoding: str, most: int = MAX_INFLATED) -> None:
        self._decompress: Any = None if encoding == "deflate" else zlib.decompressobj(_DETECT)
        self._held = b""
        self._begun = False
        self._further = False
        """In a member after the first, of which nothing has come out yet."""
        self._padding = False
        self._most = most
        self._in = self._out = 0

    @property
    def finished(self) -> bool:
        """Return whether the compressed data is whole, or there was none at all."""
        return not self._begun or self._padding or (self._decompress is not None and self._decompress.eof)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Decompress the next bytes, in pieces of at most :data:`PIECE` bytes.

        Raises:
            InflateError: they are malformed, or decompress to far too much (:data:`MAX_RATIO`).
        """
        if not data or self._padding:
            return
        self._begun = True
        if self._decompress is None:
            data = self._held = self._held + data
            if len(data) < 2:
                return
            self._decompress = zlib.decompressobj(_deflate_kind(data))
        self._in += len(data)
        while True:
            decompress = self._decompress
            if decompress.eof:
                # A further member of gzip; anything else after the end is padding.
                decompress = self._decompress = zlib.decompressobj(_GZIP)
                self._further = True
            try:
                piece = decompress.decompress(data, PIECE)
            except zlib.error as error:
                if self._further:
                    self._padding = True
                    return
                raise InflateError(str(error)) from None
            self._out += len(piece)
            if self._out > self._most and self._out > MAX_RATIO * self._in:
                raise InflateError(f"it comes to more than {MAX_RATIO} times its size")
            if piece:
                self._further = False
                yield piece
            data = decompress.unused_data if decompress.eof else decompress.unconsumed_tail
            if not data and (decompress.eof or len(piece) < PIECE):
                return


class Decoder(Protocol):
    """Takes a content coding off a body."""

    @property
    def finished(self) -> bool:
        """Return whether the compressed data is whole, or there was none at all."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Decompress the next bytes; see :meth:`Inflate.feed`."""


class Chain:
    """Takes several codings off a body, from the outermost, which was applied last."""

    __slots__ = ("_in", "_layers", "_out")

    def __init__(self, encodings: list[str]) -> None:
        self._layers = [Inflate(encoding, MAX_CHAINED) for encoding in reversed(encodings)]
        self._in = self._out = 0

    @property
    def finished(self) -> bool:
        """Return whether all layers are whole."""
        return all(layer.finished for layer in self._layers)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Decompress the next bytes.

        Raises:
            InflateError: as of :meth:`Inflate.feed`; the whole counts as each of its codings does.
        """
        self._in += len(data)
        for piece in self._through(0, data):
            self._out += len(piece)
            if self._out > MAX_CHAINED and self._out > MAX_RATIO * self._in:
                raise InflateError(f"it comes to more than {MAX_RATIO} times its size")
            yield piece

    def _through(self, layer: int, data: bytes) -> Iterator[bytes]:
        for piece in self._layers[layer].feed(data):
            if layer + 1 < len(self._layers):
                yield from self._through(layer + 1, piece)
            else:
                yield piece


#: What is read of ``Content-Encoding``; ``identity`` is none.
CODINGS = frozenset({"gzip", "x-gzip", "deflate"})
MAX_LAYERS = 5


def decoder(value: str) -> tuple[Decoder | None, str]:
    """Return the decoder for this ``Content-Encoding``, and what of it cannot be read (empty: nothing)."""
    encodings = [coding for part in value.lower().split(",") if (coding := part.strip()) not in ("", "identity")]
    for coding in encodings:
        if coding not in CODINGS:
            return None, coding
    if len(encodings) > MAX_LAYERS:
        return None, f"{len(encodings)} codings"
    if len(encodings) > 1:
        return Chain(encodings), ""
    return (Inflate(encodings[0]), "") if encodings else (None, "")


def not_read(coding: str) -> str:
    """Return the message about a body whose coding is not read.

    What the target calls it stands at the end, uncut: half a secret would not be seen to be one.
    """
    return f"the body has a content coding that is not read here (asked for was gzip, deflate): {coding}"


def _deflate_kind(head: bytes) -> int:
    """Return which format ``deflate`` is, by its first two bytes (RFC 1950, 2.2; RFC 1952, 2.3.1)."""
    if head[:2] == b"\x1f\x8b":
        return _GZIP
    is_zlib = head[0] & 0x0F == 8 and head[0] >> 4 <= 7 and (head[0] << 8 | head[1]) % 31 == 0
    return _ZLIB if is_zlib else _RAW
