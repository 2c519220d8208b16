"""``agenttop ctl``: sends one command to a live run, and prints its answer."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agenttop.exits import DONE, FAILED, UsageError
from agenttop.journal.places import socket_path
from agenttop.runs import control_socket
from agenttop.runs.control_socket import NoAnswer, SocketFeed
from agenttop.runs.resolve import find_live_run
from agenttop.schedule.quantities import MAX_COMMAND
from agenttop.steering.command import split_run, too_long
from agenttop.steering.commands import COMMANDS
from agenttop.view.pipes import say


def control(words: Sequence[str]) -> int:
    """Send one command, which may stand behind its RUN, to a live run and print its answer as JSON.

    Returns:
        The exit code: 1 where it was rejected.
    """
    run, command = split_run(words)
    run_id = find_live_run(run)
    if not command:
        raise UsageError(f"say a command: {', '.join(list(COMMANDS)[:-1])} or status")
    if len(command) > MAX_COMMAND:
        raise UsageError(too_long(len(command)))
    try:
        answer = asyncio.run(tell(socket_path(run_id), command))
    except (ConnectionError, FileNotFoundError) as error:
        raise unanswered(run_id, error) from None
    print(json.dumps(answer, ensure_ascii=False))
    return DONE if answer.get("applied", True) else FAILED


async def tell(socket: Path, command: str, *, until_end: bool = False) -> dict[str, Any]:
    """Send one command and return its answer, of ``status`` the present snapshot; ``until_end``: when it ends.

    Raises:
        FileNotFoundError, ConnectionError: there is no such run any more; :class:`NoAnswer`: it does not answer.
    """
    patience_s = control_socket.PATIENCE_S
    feed = SocketFeed(socket, patience_s=patience_s)
    await feed.open()
    try:
        try:
            async with asyncio.timeout(patience_s):
                reply = await feed.command(command, source="ctl")
        except TimeoutError:
            raise NoAnswer from None
        if command.strip() == "status" and reply.applied:
            return await feed.status()
        if until_end:
            async for _ in feed.messages():
                pass
        return {"applied": reply.applied, "message": reply.message}
    finally:
        await feed.close()


def stop(run_id: str, *, until_end: bool = False) -> int:
    """Stop a run whose viewer has gone, and wait for its end where ``until_end`` says so; return the exit code. One
    that is over meanwhile need not be stopped.
    """
    try:
        asyncio.run(tell(socket_path(run_id), "stop", until_end=until_end))
    except NoAnswer as error:
        say(f"agenttop: {run_id}: {error}", sys.stderr)
        return FAILED
    except (ConnectionError, FileNotFoundError):
        pass
    return DONE


def unanswered(run_id: str, error: OSError) -> UsageError:
    """Return the error about a run that was there and cannot be looked at: it has just ended, or says why not."""
    if error.errno is None and str(error):
        return UsageError(f"{run_id}: {error}")
    return UsageError(f"{run_id} does not answer any more; see: agenttop report {run_id}")
