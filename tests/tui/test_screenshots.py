"""The pictures of the README are made from the real app, and come out the same every time."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from tests.e2e.browser import CHROMIUM
from tests.screenshots import browser, tour
from tests.screenshots.__main__ import picture


async def test_a_picture_is_the_same_twice_and_well_formed() -> None:
    first = await picture("queues", (80, 24), ())
    assert first == await picture("queues", (80, 24), ())
    root = ElementTree.fromstring(first)
    words = "".join(root.itertext())
    assert "latency" in words
    assert "QUEUES" in words.replace("\n", "")
    # Blocks and braille are shapes, so that no font is needed for them.
    assert not any("▁" <= char <= "█" or "\u2800" <= char <= "\u28ff" for char in words)


async def test_the_moving_picture_tells_what_is_done_by_hand(tmp_path: Path) -> None:
    scenes = (tour.Scene(2, seconds=1), tour.Scene(2, seconds=1, key="left_square_bracket", shown_ms=300))
    made = await tour.pictures(scenes, (80, 24))
    assert made == await tour.pictures(scenes, (80, 24))
    assert [shown_ms for _, shown_ms in made] == [120, 120, 300, 300]
    words = ["".join(ElementTree.fromstring(svg).itertext()).replace("\n", "") for svg, _ in made]
    assert "MANUAL" not in words[1]
    assert "MANUAL" in words[2]
    assert "you:users3→0" in words[3], "two keys are one change"
    tour.write(made, tmp_path / "tour.webp")
    with Image.open(tmp_path / "tour.webp") as image:
        assert getattr(image, "n_frames", 1) == 4


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_a_picture_of_a_browser() -> None:
    picture = browser.picture()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > browser.DRAWN
