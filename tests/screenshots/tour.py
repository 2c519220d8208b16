"""The moving picture of the README: a minute and a half of a made-up launch rehearsal, and what is done in it by hand.

The agent serves four requests at a time. The plan goes past what these are enough for; somebody takes users away until
nothing waits any more, looks at the stages, and gives the run back to its plan.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import cairosvg
from PIL import Image

from agenttop.tui.app import AgenttopApp
from agenttop.tui.look import BACKGROUND, FOREGROUND
from tests.screenshots.svg import render
from tests.tui.fake import FakeFeed
from tests.tui.pilot import settle
from tests.tui.truth import TrueRun

SIZE = (120, 40)


class RehearsalFeed(FakeFeed):
    """What is done by hand is marked and told as a run does it: keys pressed fast are one change."""

    def __init__(self) -> None:
        self.run = TrueRun("rehearsal")
        self._told: tuple[int, str] | None = None
        """The users before keys that are still one change, and what was told of them."""
        super().__init__(sim=self.run)

    def _apply(self, text: str) -> str:
        run, before = self.run, self.last.target_users if self.last else 0
        said = super()._apply(text)
        if text.startswith("users"):
            if self._told is not None:
                before, old = self._told
                run.unhand(old)
                said = f"users {before} → {run.by_hand}"
            self._told = before, said
        else:
            self._told = None
        run.hand(said)
        return said


@dataclass(frozen=True, slots=True)
class Scene:
    """So many pictures, each after a key and some seconds of the run, and for how long each is shown."""

    pictures: int
    seconds: int = 0
    key: str = ""
    shown_ms: int = 120


TOUR = (
    Scene(20, seconds=2),
    Scene(1, seconds=1, shown_ms=2500),
    Scene(2, seconds=1, key="left_square_bracket", shown_ms=350),
    Scene(16, seconds=2),
    Scene(1, seconds=1, shown_ms=1500),
    Scene(1, seconds=1, key="k", shown_ms=2500),
    Scene(1, key="escape", shown_ms=300),
    Scene(1, key="r", seconds=1, shown_ms=900),
    Scene(10, seconds=2),
    Scene(1, seconds=1, shown_ms=2000),
)
BEGINS_S = 14


async def pictures(tour: tuple[Scene, ...] = TOUR, size: tuple[int, int] = SIZE) -> list[tuple[str, int]]:
    """Every picture as SVG, and for how many milliseconds it is shown."""
    feed = RehearsalFeed()
    app = AgenttopApp(feed, clock=lambda: 0.0)
    made = []
    async with app.run_test(size=size) as pilot:
        feed.advance(BEGINS_S - 1)
        await settle(pilot, feed)
        for scene in tour:
            for _ in range(scene.pictures):
                if scene.key:
                    await pilot.press(scene.key)
                    await pilot.pause()
                if scene.seconds:
                    feed.advance(scene.seconds)
                    await settle(pilot, feed)
                strips = [strip.simplify() for strip in app.screen._compositor.render_strips()]
                made.append((render(strips, BACKGROUND, FOREGROUND), scene.shown_ms))
    return made


def write(made: list[tuple[str, int]], path: Path) -> None:
    """As an animated picture that goes round for ever; its format is that of the path's suffix."""
    images = [
        Image.open(io.BytesIO(cairosvg.svg2png(bytestring=svg.encode(), scale=1.0))).convert("RGB") for svg, _ in made
    ]
    images[0].save(
        path, save_all=True, append_images=images[1:], duration=[ms for _, ms in made], loop=0, lossless=True, method=6
    )
