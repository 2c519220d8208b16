"""Reads and writes ``agenttop.summary/1``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from agenttop.report.model import SCHEMA, Summary
from agenttop.report.whole import write_whole


class SummaryError(ValueError):
    """The file is no summary; the message names it and says why."""


def summary_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a summary."""
    schema = msgspec.json.schema(Summary)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Summary of a run ({SCHEMA})",
        **schema,
    }


def check_summary(summary: Any) -> None:
    """Check the shape of a decoded summary.

    Raises:
        SummaryError: it is none; the message says where.
    """
    try:
        msgspec.convert(summary, Summary)
    except msgspec.ValidationError as error:
        raise SummaryError(f"not a summary of {SCHEMA}: {error}") from error


def load_summary(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read and check a summary; keys that are not in the contract are kept.

    Raises:
        OSError: the file cannot be read.
        SummaryError: it is no summary.
    """
    try:
        summary = msgspec.json.decode(Path(path).read_bytes())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SummaryError(f"{path}: not JSON: {error}") from error
    try:
        check_summary(summary)
    except SummaryError as error:
        raise SummaryError(f"{path}: {error}") from error
    found: dict[str, Any] = summary
    return found


def encode_summary(summary: Mapping[str, Any]) -> bytes:
    """Return the JSON text: a line for each key at the top. NaN and Infinity become null."""
    lines = [b"%b: %b" % (msgspec.json.encode(key), msgspec.json.encode(value)) for key, value in summary.items()]
    return b"{\n" + b",\n".join(lines) + b"\n}\n"


def write_summary(path: str | os.PathLike[str], summary: Mapping[str, Any]) -> None:
    """Write a summary as :func:`~agenttop.report.whole.write_whole` does.

    Raises:
        OSError: it cannot be written; an old file is left as it was.
    """
    write_whole(path, encode_summary(summary))
