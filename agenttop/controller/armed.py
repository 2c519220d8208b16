"""An armed run: all is loaded, its workers are up and connected to nothing, and it waits for ``start``."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

#: Viewers are told so often that it is still there.
PULSE_S = 1.0


class Trigger:
    """The trigger that an armed run waits for."""

    def __init__(self, *, armed: bool) -> None:
        self.armed = armed
        """The run waits, or will when its workers are up."""
        self._pulled = asyncio.Event()

    @property
    def waiting(self) -> bool:
        """Return whether it is armed, and was not pulled yet."""
        return self.armed and not self._pulled.is_set()

    def pull(self) -> None:
        """Begin, or stop waiting."""
        self._pulled.set()

    async def wait(self, pulse: Callable[[], None]) -> None:
        """Wait until it is pulled, with a ``pulse`` every second."""
        while not self._pulled.is_set():
            pulse()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PULSE_S):
                    await self._pulled.wait()
