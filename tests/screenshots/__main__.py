"""Make the pictures of the README: ``python -m tests.screenshots [DIRECTORY]``.

The real app runs on made-up runs of the tests whose figures went through the real verdict, so that the same commit
gives the same pictures, and what they say is so.
"""

from __future__ import annotations

import asyncio
import io
import sys
from pathlib import Path

import cairosvg
from PIL import Image

from agenttop.tui.app import AgenttopApp
from agenttop.tui.look import BACKGROUND, FOREGROUND, LIGHT_BACKGROUND, LIGHT_FOREGROUND
from tests.e2e.browser import CHROMIUM
from tests.screenshots import browser, page, tour
from tests.screenshots.svg import render
from tests.tui.fake import FakeFeed
from tests.tui.pilot import settle

#: Name of the picture: scenario, size of the terminal, keys pressed.
PICTURES: dict[str, tuple[str, tuple[int, int], tuple[str, ...]]] = {
    "live-80x24": ("queues", (80, 24), ()),
    "live-120x40": ("queues", (120, 40), ()),
    "live-200x60": ("promised", (200, 60), ()),
    "storm-120x40": ("refuses", (120, 40), ()),
    "hang-120x40": ("hangs", (120, 40), ()),
    "manual-120x40": ("by hand", (120, 40), ()),
    "stages-120x40": ("queues", (120, 40), ("k",)),
    "edit-120x40": ("ramps", (120, 40), ("e",)),
    "heat-120x40": ("queues", (120, 40), ("8",)),
    "capacity-120x40": ("searches", (120, 40), ()),
    "quality-120x40": ("degrades", (120, 40), ("g",)),
    "help-80x24": ("queues", (80, 24), ("question_mark",)),
}
LIGHT = ("queues", (80, 24), ())


async def picture(scenario: str, size: tuple[int, int], keys: tuple[str, ...], *, light: bool = False) -> str:
    """The SVG of one state."""
    feed = FakeFeed(scenario)
    app = AgenttopApp(feed, clock=lambda: 0.0, light=light)
    async with app.run_test(size=size) as pilot:
        await settle(pilot, feed)
        await pilot.press(*keys)
        await pilot.pause()
        strips = [strip.simplify() for strip in app.screen._compositor.render_strips()]
        return render(strips, *((LIGHT_BACKGROUND, LIGHT_FOREGROUND) if light else (BACKGROUND, FOREGROUND)))


def write_png(svg: str, path: Path) -> None:
    """As PNG of few colours, as a screen has: a third of the size."""
    image = Image.open(io.BytesIO(cairosvg.svg2png(bytestring=svg.encode(), scale=1.5)))
    image.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(path, optimize=True)


def main() -> None:
    """Write every picture as SVG and PNG, the moving one, and that of a browser where there is one."""
    directory = Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots")
    directory.mkdir(exist_ok=True)
    svgs = {name: asyncio.run(picture(*what)) for name, what in PICTURES.items()}
    svgs["light-80x24"] = asyncio.run(picture(*LIGHT, light=True))
    for name, svg in svgs.items():
        (directory / f"{name}.svg").write_text(svg)
        write_png(svg, directory / f"{name}.png")
        print(directory / f"{name}.svg")
    tour.write(asyncio.run(tour.pictures()), directory / "tour.webp")
    print(directory / "tour.webp")
    if CHROMIUM is None:
        print(f"browser.png and report.png in {directory} are left: no Chromium is installed", file=sys.stderr)
    else:
        (directory / "report.png").write_bytes(page.picture())
        print(directory / "report.png")
        (directory / "browser.png").write_bytes(browser.picture())
        print(directory / "browser.png")


if __name__ == "__main__":
    main()
