"""Compressed bodies, decompressed as they arrive and without trust: gzip and deflate (RFC 9110, 8.4.1)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

PIECE = 1 << 20
"""Bytes that are decompressed at a time: what is held in memory of an answer, however well it was compressed."""
MAX_PER_READ = 64 << 20
"""Bytes that one read may decompress to. Text comes to some 20 for 1; a thousandfold is an attack."""

_GZIP, _ZLIB, _RAW, _DETECT = 31, 15, -15, 47


class InflateError(ValueError):
    """The bytes are not what their Content-Encoding says, or far too many."""


class Inflate:
    """One body. gzip may have several members; deflate may be zlib's format, as the standard wants it, or the bare kind
    that some servers send.
    """

    __slots__ = ("_begun", "_decompress", "_further", "_held", "_padding")

    def __init__(self, encoding: str) -> None:
        self._decompress: Any = None if encoding == "deflate" else zlib.decompressobj(_DETECT)
        self._held = b""
        self._begun = False
        self._further = False
        """In a member after the first, of which nothing has come out yet."""
        self._padding = False

    @property
    def finished(self) -> bool:
        """The compressed data is whole, or there was none at all."""
        return not self._begun or self._padding or (self._decompress is not None and self._decompress.eof)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Decompress the next bytes, in pieces of at most :data:`PIECE` bytes.

        Raises:
            InflateError: they are malformed, or decompress to more than :data:`MAX_PER_READ`.
        """
        if not data or self._padding:
            return
        self._begun = True
        if self._decompress is None:
            data = self._held = self._held + data
            if len(data) < 2:
                return
            self._decompress = zlib.decompressobj(_deflate_kind(data))
        total = 0
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
            total += len(piece)
            if total > MAX_PER_READ:
                raise InflateError(f"one read is more than {MAX_PER_READ >> 20} MiB")
            if piece:
                self._further = False
                yield piece
            data = decompress.unused_data if decompress.eof else decompress.unconsumed_tail
            if not data and (decompress.eof or len(piece) < PIECE):
                return


def _deflate_kind(head: bytes) -> int:
    """Which format ``deflate`` is, by its first two bytes (RFC 1950, 2.2; RFC 1952, 2.3.1)."""
    if head[:2] == b"\x1f\x8b":
        return _GZIP
    is_zlib = head[0] & 0x0F == 8 and head[0] >> 4 <= 7 and (head[0] << 8 | head[1]) % 31 == 0
    return _ZLIB if is_zlib else _RAW
