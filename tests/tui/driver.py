"""A terminal that counts what it is sent."""

from __future__ import annotations

from typing import Any

from textual.drivers.headless_driver import HeadlessDriver


class CountingDriver(HeadlessDriver):
    """Takes output as a real terminal would, and keeps it."""

    def __init__(self, *args: Any, **arguments: Any) -> None:
        super().__init__(*args, **arguments)
        self.sent: list[str] = []

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        self.sent.append(data)

    @property
    def bytes_sent(self) -> int:
        """So far, in UTF-8."""
        return len("".join(self.sent).encode())
