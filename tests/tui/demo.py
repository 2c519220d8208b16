"""The screen on a made-up run, to look at: ``python -m tests.tui.demo [SCENARIO] [--ascii] [--ansi] [--seconds N]``."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator

from agenttop.metrics.snapshot import Ended, RunInfo, Snapshot
from agenttop.tui.app import run_live
from tests.tui.fake import ENDED, FakeFeed
from tests.tui.sim import SCENARIOS


class TickingFeed(FakeFeed):
    """One more second every ``interval_s``, and the end after ``seconds`` of them."""

    def __init__(self, scenario: str, seconds: int, interval_s: float) -> None:
        super().__init__(scenario)
        self.seconds = seconds
        self.interval_s = interval_s

    async def messages(self) -> AsyncIterator[RunInfo | Snapshot | Ended]:
        async def tick() -> None:
            for _ in range(self.seconds):
                await asyncio.sleep(self.interval_s)
                self.advance()
                if self.sim.stopping:
                    break
            self.end(ENDED)

        task = asyncio.create_task(tick())
        try:
            async for message in super().messages():
                yield message
        finally:
            task.cancel()


def main() -> None:
    """Run it and say how the user left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", nargs="?", default="ramp", choices=SCENARIOS)
    parser.add_argument("--ascii", action="store_true")
    parser.add_argument("--ansi", action="store_true")
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--interval", type=float, default=1.0, help="seconds between two snapshots")
    options = parser.parse_args()
    feed = TickingFeed(options.scenario, options.seconds, options.interval)
    print(run_live(feed, ascii=options.ascii, ansi=options.ansi))


if __name__ == "__main__":
    main()
