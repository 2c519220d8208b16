"""Serves a run's figures to Prometheus while it goes, and a moment longer: the last ones would never be fetched."""

from __future__ import annotations

from collections.abc import Callable

from agenttop.export.exposition import CONTENT_TYPE
from agenttop.export.prometheus import scrape
from agenttop.export.server import ScrapeServer, reason_of
from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.snapshot import RunInfo, Snapshot


class Scraped:
    """The figures of one run at an address; nothing at all without one.

    Args:
        address: host and port.
        aggregate: of the run.
        info: returns the run as it is planned.
    """

    def __init__(self, address: tuple[str, int] | None, aggregate: Aggregate, info: Callable[[], RunInfo]) -> None:
        self.snapshot: Snapshot | None = None
        """The newest."""
        self._address = address
        self._server = ScrapeServer(lambda: scrape(aggregate, info(), self.snapshot), CONTENT_TYPE)

    async def open(self) -> list[tuple[str, str]]:
        """Begin to serve; return what there is to be said of it, each with its level."""
        if self._address is None:
            return []
        try:
            where = await self._server.open(*self._address)
        except OSError as error:
            host, port = self._address
            return [(f"figures cannot be served at {host}:{port}: {reason_of(error)}", "warn")]
        return [(f"figures are at {where}", "info")]

    async def close(self) -> None:
        """Stop, when the last figures have been fetched."""
        if self._address is not None:
            await self._server.linger()
            await self._server.close()
