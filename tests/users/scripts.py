"""Pools whose users are written in Python, against a server that follows a script."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from agenttop.users.pool import PoolRuntime
from tests.users.playing import Action, Play, Script, ended, playing

HEAD = """\
import asyncio
from agenttop.scripting import RequestFailed, User, task

class Shop(User):
    log = []
    requests = ("ask", "pay")
"""


def profile(*, top: str = "", pool: str = "") -> str:
    """A profile of one pool of the class ``Shop``."""
    return f"""
target = "http://127.0.0.1:{{port}}"
users = 1
duration = "1s"
{top}
[[pools]]
name = "shop"
python = "my_agent.py:Shop"
{pool}
"""


def write(folder: Path, body: str, head: str = HEAD) -> None:
    """The file with the class, whose body this is."""
    text = head + textwrap.indent(textwrap.dedent(body), "    ")
    (folder / "my_agent.py").write_text(text, encoding="utf-8")


def log_of(pool: PoolRuntime) -> list[Any]:
    """What the code has written to ``self.log``."""
    log: list[Any] = pool._make.args[0].instance.log  # type: ignore[attr-defined]
    return log


async def play(
    folder: Path, body: str, *answers: bytes | Action, top: str = "", pool: str = ""
) -> tuple[Play, list[bytes], list[Any]]:
    """One user, until the script has ended: what was recorded, the requests that came, the log of the code."""
    write(folder, body)
    script = Script(*answers)
    async with playing(folder, profile(top=top, pool=pool), script) as (runtime, layout, recorder):
        runtime.aim(1)
        await ended(runtime)
        return Play(layout, recorder), script.requests, log_of(runtime)
