"""``python -m agenttop.fleet.host``: a box of a fleet. Started over SSH, and there as long as its standard input is.

It says what it is, tells its clock, and joins a run when it is asked to; keys come over standard input and are in no
argument, environment or file that stays.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
from importlib.metadata import version
from typing import Any

import msgspec
import uvloop

from agenttop import __version__
from agenttop.controller.launch import default_workers, usable_cores
from agenttop.fleet.messages import Ask, Clock, Failed, FromBox, Hello, Join, Joined, Leave, line, read_to_box
from agenttop.fleet.sweep import FOLDER
from agenttop.worker.files import raise_file_limit
from agenttop.worker.network import port_range

_MAX_LINE = 1 << 20


def hello(folder: str) -> Hello:
    """Return what this machine is."""
    return Hello(
        agenttop=__version__,
        python=".".join(platform.python_version_tuple()[:2]),
        distributed=version("distributed"),
        host=socket.gethostname(),
        pid=os.getpid(),
        folder=folder,
        cores=usable_cores(),
        workers=default_workers(),
        file_limit=raise_file_limit(),
        ports=port_range(),
        port=free_port(),
    )


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def say(message: FromBox) -> None:
    """Say something to the controller; nobody may be there."""
    with contextlib.suppress(OSError):
        os.write(_OUT, line(message))


#: Where the controller is heard and spoken to; nobody that this process starts has them.
_IN, _OUT = 0, 1


async def join(message: Join, folder: str) -> Any:
    """Join a run; return the Dask worker.

    Raises:
        Exception: whatever Dask finds.
    """
    from distributed import Worker

    from agenttop.fleet.certificates import Identity
    from agenttop.fleet.settings import security, without_http

    worker = Worker(
        message.scheduler,
        name=message.name,
        nthreads=1,
        memory_limit=0,
        host="127.0.0.1",
        port=message.port,
        contact_address=message.contact,
        local_directory=folder,
        security=security(Identity(message.ca, message.cert, message.key)),
        dashboard_address="127.0.0.1:0",
        heartbeat_interval="5s",
        death_timeout=20,
    )
    return without_http(await worker)


async def serve(folder: str) -> None:
    """Answer the controller's lines until it leaves, or is gone."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_MAX_LINE)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(_IN))
    say(hello(folder))
    worker = None
    while text := await reader.readline():
        try:
            message = read_to_box(text)
        except msgspec.DecodeError as error:
            say(Failed(f"it was told what it does not understand: {error}"))
            return
        if isinstance(message, Ask):
            say(Clock(message.number, time.perf_counter_ns()))
        elif isinstance(message, Join):
            try:
                worker = await join(message, folder)
            except Exception as error:  # whatever it is, the controller has to say it
                say(Failed(f"{type(error).__name__}: {error}"))
                return
            say(Joined())
        elif isinstance(message, Leave):
            break
    if worker is not None:
        with contextlib.suppress(Exception):
            async with asyncio.timeout(2.0):
                await worker.close(nanny=False, executor_wait=False)


def main() -> int:
    """Be a box until the controller is gone."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.setpgid(0, 0)
    global _IN, _OUT
    _IN, _OUT = os.dup(0), os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what others print is not for the controller to parse
    try:
        from agenttop.fleet.settings import set_up

        set_up()
    except ModuleNotFoundError as error:
        say(Failed(f"it has no module {error.name}: pip install 'agenttop[fleet]' there"))
        return 1
    folder = tempfile.mkdtemp(prefix=FOLDER)
    code = 1
    try:
        uvloop.run(serve(folder))
        code = 0
    except Exception:
        traceback.print_exc()  # the process ends here: nobody else would
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            sys.stderr.flush()
        # Workers see that their socket is closed, and end; threads of Dask are not waited for.
        os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
