"""Make the pictures of the README: ``python -m tests.screenshots [DIRECTORY]``.

The real app runs on the made-up run of the tests, so that the same commit gives the same pictures.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import cairosvg

from agenttop.tui.app import AgenttopApp
from agenttop.tui.look import BACKGROUND, FOREGROUND
from tests.screenshots.svg import render
from tests.tui.fake import FakeFeed
from tests.tui.pilot import settle

#: Name of the picture: scenario, size of the terminal, keys pressed.
PICTURES: dict[str, tuple[str, tuple[int, int], tuple[str, ...]]] = {
    "live-80x24": ("ramp", (80, 24), ()),
    "live-120x40": ("ramp", (120, 40), ()),
    "live-200x60": ("ramp", (200, 60), ()),
    "storm-120x40": ("storm", (120, 40), ()),
    "hang-120x40": ("hang", (120, 40), ()),
    "manual-120x40": ("manual", (120, 40), ()),
    "help-80x24": ("ramp", (80, 24), ("question_mark",)),
}


async def picture(scenario: str, size: tuple[int, int], keys: tuple[str, ...]) -> str:
    """The SVG of one state."""
    feed = FakeFeed(scenario)
    app = AgenttopApp(feed, clock=lambda: 0.0)
    async with app.run_test(size=size) as pilot:
        await settle(pilot, feed)
        await pilot.press(*keys)
        await pilot.pause()
        strips = [strip.simplify() for strip in app.screen._compositor.render_strips()]
        return render(strips, BACKGROUND, FOREGROUND)


def main() -> None:
    """Write every picture as SVG and PNG."""
    directory = Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots")
    directory.mkdir(exist_ok=True)
    for name, (scenario, size, keys) in PICTURES.items():
        svg = asyncio.run(picture(scenario, size, keys))
        (directory / f"{name}.svg").write_text(svg)
        cairosvg.svg2png(bytestring=svg.encode(), write_to=str(directory / f"{name}.png"), scale=1.5)
        print(directory / f"{name}.svg")


if __name__ == "__main__":
    main()
