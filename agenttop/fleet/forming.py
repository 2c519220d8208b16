"""Forms a fleet: reaches the boxes, sees whether they are fit, joins them by Dask; whoever cannot be had is named.

Dask's part is thin: a scheduler in this process, which the boxes join over tunnels with mutual TLS, and one actor on
each. How a run stays true whatever dies is not its business (``link``).
"""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Callable, Coroutine, Sequence
from importlib.metadata import version
from typing import Any, TypeVar

from agenttop import __version__
from agenttop.controller.spec import FleetSpec
from agenttop.fleet.certificates import Authority
from agenttop.fleet.link import Link
from agenttop.fleet.messages import Hello, Join
from agenttop.fleet.settings import security, set_up, without_http
from agenttop.fleet.ssh import ANSWER_S, BoxLost, Remote
from agenttop.metrics.boxes import BoxInfo

T = TypeVar("T")
#: Workers of a box at most, whatever it says of itself.
MAX_WORKERS = 256


class TooFewError(Exception):
    """There are not as many boxes as there have to be; ``lines`` say what is wrong with which, one a box."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("; ".join(lines))
        self.lines = tuple(lines)


class Fleet:
    """Boxes that are ready to start workers."""

    def __init__(self, links: Sequence[Link], left_out: Sequence[str], scheduler: Any, client: Any) -> None:
        self.links = tuple(links)
        self.left_out = tuple(left_out)
        """What is wrong with boxes that were asked for and are not among them, a line each."""
        self._scheduler = scheduler
        self._client = client

    async def close(self) -> None:
        """End what is left of Dask; the links are closed by whoever uses them."""
        for each in (self._client, self._scheduler):
            await _closed(each)


def unfit(hello: Hello) -> str:
    """Return why a box cannot be part of a run of this version; empty if it can."""
    distributed, python = version("distributed"), ".".join(platform.python_version_tuple()[:2])
    pairs = (
        ("agenttop", hello.agenttop, __version__, f"pip install 'agenttop[fleet]=={__version__}' there"),
        ("Python", hello.python, python, f"say --remote-python with a Python {python}"),
        ("distributed", hello.distributed, distributed, f"pip install distributed=={distributed} there"),
    )
    wrong = [
        f"it has {name} {theirs}, and this is {ours}: {remedy}"
        for name, theirs, ours, remedy in pairs
        if theirs != ours
    ]
    return "; ".join(wrong)


async def reach(remote: Remote) -> Hello:
    """Return what a box says it is, if it is fit.

    Raises:
        BoxLost: it cannot be reached, or is not.
    """
    hello = await remote.open()
    if why := unfit(hello):
        raise BoxLost(why)
    await remote.measure_first()
    return hello


async def of_each(
    remotes: Sequence[Remote], doing: Callable[[Remote], Coroutine[Any, Any, T]]
) -> list[tuple[Remote, T | BoxLost]]:
    """Do something with all boxes at once; return of each what came of it, or why it cannot be had."""
    found = await asyncio.gather(*map(doing, remotes), return_exceptions=True)
    pairs: list[tuple[Remote, T | BoxLost]] = []
    for remote, one in zip(remotes, found, strict=True):
        if isinstance(one, BaseException) and not isinstance(one, BoxLost):
            raise one
        pairs.append((remote, one))
    return pairs


def workers_of(hello: Hello, wanted: int | None) -> int:
    """Return how many workers a box has; ``wanted``: as many as were asked for."""
    return wanted or min(hello.workers, MAX_WORKERS)


async def form(spec: FleetSpec, run_id: str) -> Fleet:
    """Form the fleet of a run.

    Raises:
        TooFewError: there are not enough boxes; nothing of them is left behind.
    """
    set_up()
    from distributed import Client, Scheduler

    remotes = [Remote(host, spec.python) for host in spec.hosts]
    scheduler = client = None
    there: list[Remote] = []
    lines: list[str] = []
    links: list[Link] = []
    try:
        for remote, hello in await of_each(remotes, reach):
            if isinstance(hello, BoxLost):
                lines.append(f"{remote.host.name}: {hello}")
            else:
                there.append(remote)
        if len(there) >= spec.least:
            authority = Authority(run_id)
            tls = security(authority.identity("controller"))
            scheduler = without_http(
                Scheduler(host="127.0.0.1", port=0, protocol="tls", dashboard_address="127.0.0.1:0", security=tls)
            )
            await scheduler
            port = int(scheduler.address.rpartition(":")[2])
            client = await Client(  # type: ignore[no-untyped-call]
                scheduler.address, asynchronous=True, security=tls, direct_to_workers=True
            )
            first = 0
            for remote, actor in await of_each(there, lambda remote: _join(remote, authority, client, run_id, port)):
                if isinstance(actor, BoxLost):
                    lines.append(f"{remote.host.name}: {actor}")
                    continue
                said = remote.hello
                count = workers_of(said, spec.workers)
                info = BoxInfo(remote.host.name, first, count, said.cores, said.host, said.file_limit)
                links.append(Link(remote, actor, info))
                first += count
        if len(links) < spec.least:
            raise TooFewError(lines)
    except BaseException:
        await asyncio.gather(*(remote.close() for remote in remotes), return_exceptions=True)
        for each in (client, scheduler):
            await _closed(each)
        raise
    used = {link.remote for link in links}
    await asyncio.gather(*(remote.close(0.0) for remote in remotes if remote not in used), return_exceptions=True)
    return Fleet(links, lines, scheduler, client)


async def _join(remote: Remote, authority: Authority, client: Any, run_id: str, scheduler_port: int) -> Any:
    """Have a box join, and return the actor that its agent is.

    Raises:
        BoxLost: it did not.
    """
    # By reference: its module is on both sides, in the same version.
    from agenttop.fleet.agent import Agent

    name, identity = remote.host.name, authority.identity(remote.host.name)
    scheduler, contact = await remote.forward(scheduler_port)
    await remote.join(Join(name, scheduler, contact, remote.hello.port, identity.ca, identity.cert, identity.key))
    try:
        async with asyncio.timeout(ANSWER_S):
            return await client.submit(
                Agent, run_id, actor=True, workers=[name], allow_other_workers=False, pure=False, key=f"agent {name}"
            )
    except TimeoutError:
        raise BoxLost(f"its agent did not begin within {ANSWER_S:g} s") from None
    except Exception as error:  # whatever Dask finds, the box cannot be had
        raise BoxLost(remote.why or f"its agent did not begin: {type(error).__name__}: {error}") from None


async def _closed(each: Any) -> None:
    """Close a client or scheduler, however it is."""
    if each is None:
        return
    try:
        async with asyncio.timeout(3.0):
            await each.close()
    except Exception as error:  # it is over: what Dask has to say about it changes nothing
        del error
