"""The first picture of a run: what is known of it before anything heavy is imported, read or asked.

The screen takes most of a second to import, and what checks a profile as long. These few lines stand there meanwhile:
what a profile says of itself as it is written, whatever comes of it. They are taken away when the screen comes.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from agenttop.cli.terminal import on_terminal, wants_ascii

_IN_ASCII = str.maketrans({"→": ">", "·": "|", "…": "..."})
#: A profile that is larger has rows of data in it, and takes its time.
_MOST_BYTES = 1_000_000


class First:
    """Lines on the terminal, until something else is there."""

    def __init__(self, lines: Sequence[str], *, ascii: bool = False) -> None:
        self.lines = tuple(line.translate(_IN_ASCII) if ascii else line for line in lines)
        self._shown = 0

    def show(self) -> None:
        """Print it."""
        width = os.get_terminal_size(sys.stdout.fileno()).columns or 80
        shown = [_cut(line, width - 1) for line in self.lines]
        sys.stdout.write("".join(f"{line}\n" for line in shown))
        sys.stdout.flush()
        self._shown = len(shown)

    def keep(self) -> None:
        """Leave it: something was printed below."""
        self._shown = 0

    def clear(self) -> None:
        """Take it away."""
        if self._shown:
            sys.stdout.write(f"\x1b[{self._shown}A\r\x1b[J")
            sys.stdout.flush()
        self._shown = 0


def begin(options: argparse.Namespace, head: str, *, profile: Path | None = None, target: str = "") -> None:
    """Show the first picture of a command as ``options.first``, if it is one that will show the screen.

    Args:
        options: the command line; some commands have only some of a run's.
        head: what is done.
        profile: the file, if there is one.
        target: a URL, if it is known without the file.
    """
    options.first = None
    if options.headless or getattr(options, "out", None) == "-" or not on_terminal():
        return
    said = {name: getattr(options, name, None) for name in ("users", "spawn_rate", "limit", "target")}
    raw = _raw(profile) if profile is not None else {}
    if raw is None:  # whoever loads it says what is wrong
        return
    raw = _unchanged(raw, getattr(options, "set", ()), profile)
    lines = picture(head, raw, said | ({"target": target} if target else {}), search=hasattr(options, "most"))
    options.first = First(lines, ascii=wants_ascii(options.ascii))
    options.first.show()


def cleared(options: argparse.Namespace) -> tuple[str, ...]:
    """Take the first picture away, for the screen that follows, and return what it said."""
    first: First | None = getattr(options, "first", None)
    if first is None:
        return ()
    first.clear()
    return first.lines


def kept(options: argparse.Namespace) -> None:
    """Leave the first picture where it is: something follows it."""
    first = getattr(options, "first", None)
    if first is not None:
        first.keep()


def picture(head: str, raw: Mapping[str, Any], said: Mapping[str, Any], *, search: bool = False) -> list[str]:
    """Return the lines: head, target, plan, pools; what is not known, or not as expected, is left out.

    Args:
        head: what is done.
        raw: the profile as it is written.
        said: what the command line says: ``target``, ``users``, ``spawn_rate``, ``limit`` in seconds.
        search: the plan is a search for capacity.
    """
    found = [f" agenttop  {head}"]
    url = said.get("target") or raw.get("target")
    known = isinstance(url, str) and "${" not in url
    if raw or url:
        found.append(f" target    checking {_public(str(url)) if known else 'the target'} …")
    plan = "a search for capacity" if search else _plan(raw, said)
    limit = said.get("limit")
    if plan or limit:
        parts = [*([plan] if plan else []), *([f"{limit:g}s at most"] if limit else [])]
        found.append(f" plan      {' · '.join(parts)}")
    pools = " · ".join(_pools(raw))
    if pools:
        found.append(f" pools     {pools}")
    return ["".join(char if char.isprintable() else "?" for char in line) for line in found]


def _plan(raw: Mapping[str, Any], said: Mapping[str, Any]) -> str:
    users = said.get("users")
    if isinstance(users, int):
        rate = said.get("spawn_rate")
        return f"{users} users" + (f", {rate:g} a second" if isinstance(rate, int | float) else "")
    stages = raw.get("stages")
    if not isinstance(stages, list):
        stages = [raw] if "users" in raw and "duration" in raw else []
    return " → ".join(_stage(stage) for stage in stages if isinstance(stage, Mapping))


def _stage(stage: Mapping[str, Any]) -> str:
    load = f"{stage['users']} users" if "users" in stage else f"{stage['rate']}/s" if "rate" in stage else ""
    name = stage.get("name", "") if "target" not in stage else ""  # that of a profile is its own
    return " ".join(str(word) for word in (name, load, stage.get("duration", "")) if word)


def _pools(raw: Mapping[str, Any]) -> Iterator[str]:
    pools = raw.get("pools")
    for pool in pools if isinstance(pools, list) else ():
        if isinstance(pool, Mapping) and isinstance(pool.get("name"), str):
            what = pool.get("dialect") or pool.get("protocol")
            yield pool["name"] + (f" ({what})" if isinstance(what, str) else "")


def _raw(path: Path) -> dict[str, Any] | None:
    """Return a profile as it is written; None if it cannot be read so."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            return {}
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _unchanged(raw: Mapping[str, Any], overrides: Sequence[str], profile: Path | None) -> dict[str, Any]:
    """Return what a profile says that ``--set`` and settings do not say otherwise."""
    said = {override.partition("=")[0].partition(".")[0].partition("[")[0].strip() for override in overrides}
    beside = profile.parent / ".env" if profile is not None else None
    if any(name.startswith("AGENTTOP_") for name in os.environ) or (beside is not None and beside.exists()):
        said |= {"target", "stages", "users", "duration"}
    return {name: value for name, value in raw.items() if name not in said}


def _public(url: str) -> str:
    """Return a URL without what may be a secret."""
    return re.sub(r"//[^/@]*@", "//", url.partition("?")[0].partition("#")[0])


def _cut(line: str, width: int) -> str:
    """Return a line in so many cells at most."""
    used = 0
    for at, char in enumerate(line):
        used += 2 if unicodedata.east_asian_width(char) in "WF" else 1
        if used > width:
            return line[:at]
    return line
