"""The moving picture of the README: a minute and a half of a made-up launch rehearsal, and what is done in it by hand.

The target serves so many users and refuses the others with 429. The plan goes past that; somebody takes users away
until the refusals end, looks at the latency, and gives the run back to its plan.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import cairosvg
from PIL import Image

from agenttop.metrics.snapshot import Event
from agenttop.tui.app import AgenttopApp
from agenttop.tui.look import BACKGROUND, FOREGROUND
from agenttop.tui.view import planned
from tests.screenshots.svg import render
from tests.tui.fake import FakeFeed
from tests.tui.pilot import settle
from tests.tui.sim import Sim

SIZE = (120, 40)
#: Users that the target has room for.
ROOM = 150


class Rehearsal(Sim):
    """Refusals follow the users that there are, whoever wants them."""

    def __init__(self) -> None:
        super().__init__("rehearsal")
        self._refusing = False

    def _script(self) -> None:
        super()._script()
        if self.t_s == 90:
            self.events.pop()  # of refusals that are not there

    def _storm(self) -> float:
        users = self.by_hand if self.by_hand is not None else planned(self.stages, self.plan_t_s) or 0
        share = max(0.0, 1 - ROOM / users) if users else 0.0
        if share > 0.02 and not self._refusing:
            self._refusing = True
            self.events.append(Event(self.t_s, "warn", "2% of the requests refused (429)"))
        return share * self._noise()


class RehearsalFeed(FakeFeed):
    """What is done by hand is marked and told as a run does it: keys pressed fast are one change."""

    def __init__(self) -> None:
        self._before: int | None = None
        super().__init__("starting", sim=Rehearsal())

    def _apply(self, text: str) -> str:
        sim, before = self.sim, self.last.target_users if self.last else 0
        said = super()._apply(text)
        if text.startswith("users") and self._before is not None:
            sim.marks.pop()
            sim.events.pop()
        self._before = (self._before or before) if text.startswith("users") else None
        sim._hand(said if self._before is None else f"users {self._before} → {sim.by_hand}")
        return said


@dataclass(frozen=True, slots=True)
class Scene:
    """So many pictures, each after a key and some seconds of the run, and for how long each is shown."""

    pictures: int
    seconds: int = 0
    key: str = ""
    shown_ms: int = 120


TOUR = (
    Scene(14, seconds=4),
    Scene(18, seconds=3),
    Scene(1, seconds=1, shown_ms=1500),
    Scene(5, seconds=1, key="left_square_bracket", shown_ms=350),
    Scene(14, seconds=2),
    Scene(1, seconds=1, key="4", shown_ms=2200),
    Scene(1, key="escape", shown_ms=300),
    Scene(1, key="r", seconds=1, shown_ms=900),
    Scene(10, seconds=2),
    Scene(1, seconds=1, shown_ms=1800),
)
BEGINS_S = 100


async def pictures(tour: tuple[Scene, ...] = TOUR, size: tuple[int, int] = SIZE) -> list[tuple[str, int]]:
    """Every picture as SVG, and for how many milliseconds it is shown."""
    feed = RehearsalFeed()
    app = AgenttopApp(feed, clock=lambda: 0.0)
    made = []
    async with app.run_test(size=size) as pilot:
        feed.advance(BEGINS_S)
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
