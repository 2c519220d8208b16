"""Converts JSON to UTF-8 from the encodings that servers write it in."""

from __future__ import annotations

import codecs

#: Byte order marks and what they mean; that of UTF-32 begins like one of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def utf8(data: bytes) -> bytes:
    """Return a JSON text as UTF-8 without a byte order mark.

    RFC 8259, section 8.1, wants UTF-8 and lets a reader ignore the mark; RFC 4627, section 3, told UTF-16 and UTF-32 by
    where the zeros are among the first four bytes, for JSON begins with two characters of ASCII. What is none of them
    is returned as it is.
    """
    if data[:1] in b"\xef\xff\xfe\x00" or data[1:2] == b"\0":
        for mark, encoding in _MARKS:
            if data.startswith(mark):
                return _again(data, len(mark), encoding)
        zeros = tuple(byte == 0 for byte in data[:4])
        patterns: dict[tuple[bool, ...], str] = {
            (False, True, True, True): "utf-32-le",
            (True, True, True, False): "utf-32-be",
            (False, True, False, True): "utf-16-le",
            (True, False, True, False): "utf-16-be",
        }
        encoding = patterns.get(zeros, "")
        return _again(data, 0, encoding) if encoding else data
    return data


def _again(data: bytes, skip: int, encoding: str) -> bytes:
    return data[skip:] if encoding == "utf-8" else data[skip:].decode(encoding, "replace").encode("utf-8", "replace")
