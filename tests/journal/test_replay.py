from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agenttop.journal.playback import Playback
from agenttop.journal.replay import ReplayFeed
from agenttop.metrics.snapshot import Ended, RunInfo, Snapshot
from agenttop.view.feed import can_detach, player_of
from tests.journal.test_playback import write
from tests.metrics.fakes import FakeRun

RUN = FakeRun(seconds=150, storm=None, workers=1)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("run")
    write(made, RUN)
    return made


class Clock:
    """Stands until it is told otherwise."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Seen:
    """A viewer of a replay."""

    def __init__(self, directory: Path, *, playing: bool = False, speed: float = 1.0) -> None:
        self.clock = Clock()
        self.feed = ReplayFeed(Playback(directory), clock=self.clock, playing=playing, speed=speed)
        self._messages: AsyncIterator[RunInfo | Snapshot | Ended] = self.feed.messages()
        self.infos: list[RunInfo] = []

    def passes(self, seconds: float) -> None:
        """Time does, and the feed looks at it."""
        self.clock.now += seconds
        self.feed.step(0)

    async def next(self) -> float:
        """When the next picture is of; what begins the history anew is kept."""
        while True:
            message = await anext(self._messages)
            if isinstance(message, Snapshot):
                return message.t_s
            assert isinstance(message, RunInfo)
            self.infos.append(message)


@pytest.fixture
async def still(directory: Path) -> AsyncIterator[Seen]:
    seen = Seen(directory)
    await seen.feed.open()
    assert await seen.next() == 1.0
    yield seen
    await seen.feed.close()


@pytest.fixture
async def playing(directory: Path) -> AsyncIterator[Seen]:
    seen = Seen(directory, playing=True)
    await seen.feed.open()
    assert await seen.next() == 1.0
    yield seen
    await seen.feed.close()


async def test_it_begins_with_the_first_second(directory: Path) -> None:
    feed = ReplayFeed(Playback(directory))
    info = await feed.open()
    assert [tick.t_s for tick in info.history] == [1.0]
    assert player_of(feed) is feed
    assert not can_detach(feed)
    cursor = feed.cursor
    assert (cursor.t_s, cursor.end_s, cursor.speed, cursor.playing, cursor.note) == (1.0, 150.0, 1.0, True, "")
    await feed.close()


async def test_steps_forward_are_pictures(still: Seen) -> None:
    still.feed.step(1)
    assert await still.next() == 2.0
    still.feed.step(10)
    assert [await still.next() for _ in range(10)] == [float(t) for t in range(3, 13)]
    assert not still.infos
    assert not still.feed.cursor.playing


async def test_a_step_back_begins_the_history_anew(still: Seen) -> None:
    still.feed.to_end()
    assert await still.next() == 150.0
    still.feed.step(-10)
    assert await still.next() == 140.0
    still.feed.step(-1)
    assert await still.next() == 139.0
    still.feed.to_begin()
    assert await still.next() == 1.0
    assert [len(info.history) for info in still.infos] == [150, 140, 139, 1]
    still.feed.step(-10)
    still.feed.step(1)
    assert await still.next() == 2.0, "there is nothing before the beginning"


async def test_it_plays_at_the_pace_of_the_clock(playing: Seen) -> None:
    playing.passes(1.0)
    assert await playing.next() == 2.0
    playing.passes(3.0)
    assert [await playing.next() for _ in range(3)] == [3.0, 4.0, 5.0]
    playing.feed.change_speed()
    assert playing.feed.cursor.speed == 10.0
    playing.passes(1.0)
    assert [await playing.next() for _ in range(10)][-1] == 15.0
    playing.feed.change_speed()
    playing.passes(1.0)
    assert [await playing.next() for _ in range(60)][-1] == 75.0
    playing.feed.change_speed()
    assert playing.feed.cursor.speed == 1.0


async def test_a_pause_stands_and_goes_on_where_it_stood(playing: Seen) -> None:
    playing.feed.toggle()
    playing.passes(1000.0)
    playing.feed.step(1)
    assert await playing.next() == 2.0
    playing.feed.toggle()
    playing.passes(1.0)
    # The time it stood is not caught up with.
    assert await playing.next() == 3.0


async def test_at_the_end_it_stands_and_plays_from_the_beginning(playing: Seen) -> None:
    playing.passes(1000.0)
    assert await playing.next() == 150.0
    assert not playing.feed.cursor.playing
    playing.feed.toggle()
    assert playing.feed.cursor.playing
    assert await playing.next() == 1.0


async def test_pictures_are_numbered_on_whichever_way_they_come(still: Seen) -> None:
    numbers = []
    for seconds in (1, 200, -200):
        still.feed.step(seconds)
        while not isinstance(message := await anext(still._messages), Snapshot):
            pass
        numbers.append(message.seq)
    assert numbers == [2, 3, 4]


async def test_the_load_is_over(still: Seen) -> None:
    for command in ("users +10", "stop", "nonsense"):
        reply = await still.feed.command(command)
        assert (reply.applied, reply.message) == (False, "this is a replay")
