"""Parses the values of options; an invalid one ends in one line."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Collection
from pathlib import Path

from agenttop.exits import UsageError
from agenttop.profile.fleet import Host, parse_hosts
from agenttop.schedule.quantities import MAX_RATE, MAX_USERS, MAX_WORD, excerpt, parse_duration, parse_number

_DAY_S = 86_400.0


def duration(text: str) -> float:
    """Return seconds above 0."""
    try:
        value = parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if value <= 0:
        raise argparse.ArgumentTypeError("must be longer than 0s")
    return value


def age(text: str) -> float:
    """Return the seconds of an age above 0: days (``30d``), or a duration such as ``12h``."""
    days = parse_number(text.removesuffix("d")) if text.endswith("d") else None
    try:
        value = days * _DAY_S if days is not None else parse_duration(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f'expected an age such as "30d" or "12h", not {excerpt(text)}')
    return value


def whole(text: str) -> int:
    """Return a whole number from 0 to 1 000 000."""
    try:
        value = int(text) if len(text) <= MAX_WORD else -1
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a whole number, not {excerpt(text)}") from None
    if not 0 <= value <= MAX_USERS:
        raise argparse.ArgumentTypeError("must be 0 to 1 000 000")
    return value


def percent(text: str) -> float:
    """Return the share of ``90%`` or ``0.9``.

    Raises:
        argparse.ArgumentTypeError: it is none, or not from 0 to 1.
    """
    from agenttop.profile.percent import parse_percent

    try:
        return parse_percent(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}, not {text!r}") from None


def count(text: str) -> int:
    """Return a whole number above 0."""
    value = whole(text)
    if not value:
        raise argparse.ArgumentTypeError("must be 1 to 1 000 000")
    return value


def rate(text: str) -> float:
    """Return a number above 0."""
    try:
        value = float(text) if len(text) <= MAX_WORD else -1.0
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number, not {excerpt(text)}") from None
    if not 0 < value <= MAX_RATE:
        raise argparse.ArgumentTypeError("must be above 0 and at most 1 000 000")
    return value


def port(text: str) -> int:
    """Return a TCP port; 0 is any."""
    value = whole(text)
    if value > 65535:
        raise argparse.ArgumentTypeError("must be 0 to 65 535")
    return value


def address(text: str) -> tuple[str, int]:
    """Return host and port of ``9100``, ``0.0.0.0:9100`` or ``[::1]:9100``; without a host that of this machine."""
    host, colon, number = text.rpartition(":")
    if colon and (not host or (":" in host and not host.startswith("["))):
        raise argparse.ArgumentTypeError(f"expected a port or HOST:PORT, not {excerpt(text)}")
    found = port(number)
    if not found:
        raise argparse.ArgumentTypeError("expected a port from 1 to 65 535")
    return host.strip("[]") or "127.0.0.1", found


def workers(text: str) -> int | None:
    """Return a number of processes; None for ``auto``."""
    if text == "auto":
        return None
    value = whole(text)
    if not 1 <= value <= 256:
        raise argparse.ArgumentTypeError("must be auto or 1 to 256")
    return value


def hosts(text: str) -> tuple[Host, ...]:
    """Return the boxes of ``b1,b2:2222,user@b3``."""
    try:
        return parse_hosts([part.strip() for part in text.split(",") if part.strip()])
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def refresh(text: str) -> float:
    """Return the seconds between two pictures."""
    value = rate(text)
    if not 1 <= value <= 60:
        raise argparse.ArgumentTypeError("must be 1 to 60")
    return value


def output_file(out: str | None, formats: Collection[str]) -> Path | None:
    """Return the file to write to, whose ending is one of ``formats``; None if there is none.

    Raises:
        UsageError: it has another ending, or cannot be written to.
    """
    if out is None:
        return None
    path = Path(out)
    if path.suffix.lower() not in formats:
        raise UsageError(f"-o {out}: expected a file that ends in {', '.join(formats)}")
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise UsageError(f"-o {out}: there is no such place for a file")
    return path


def is_light(theme: str | None) -> bool:
    """Return whether the terminal is said to have a light background, by an option or by ``AGENTTOP_THEME``.

    Raises:
        UsageError: the variable says neither.
    """
    theme = theme or os.environ.get("AGENTTOP_THEME") or "dark"
    if theme not in ("dark", "light"):
        raise UsageError(f"AGENTTOP_THEME: expected dark or light, not {theme!r}")
    return theme == "light"


def quick_users(text: str) -> int:
    """Return a number of users of ``agenttop quick``: 1 to 32."""
    value = whole(text)
    if not 1 <= value <= 32:
        raise argparse.ArgumentTypeError("must be 1 to 32; for more: agenttop capacity --profile FILE")
    return value
