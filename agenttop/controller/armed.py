"""A run that is armed: all is loaded, its workers are up and connected to nothing, and it waits for ``start``."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

#: Viewers are told so often that it is still there.
PULSE_S = 1.0


class Trigger:
    """What an armed run waits for."""

    def __init__(self, *, armed: bool) -> None:
        self.armed = armed
        """It waits, or will when its workers are up."""
        self._pulled = asyncio.Event()

    @property
    def waiting(self) -> bool:
        """It is armed, and was not pulled yet."""
        return self.armed and not self._pulled.is_set()

    def pull(self) -> None:
        """Begin, or give up waiting."""
        self._pulled.set()

    async def wait(self, pulse: Callable[[], None]) -> None:
        """Until it is pulled, with a ``pulse`` every second."""
        while not self._pulled.is_set():
            pulse()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PULSE_S):
                    await self._pulled.wait()
