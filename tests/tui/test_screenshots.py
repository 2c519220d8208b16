"""The pictures of the README are made from the real app, and come out the same every time."""

from __future__ import annotations

from xml.etree import ElementTree

from tests.screenshots.__main__ import picture


async def test_a_picture_is_the_same_twice_and_well_formed() -> None:
    first = await picture("ramp", (80, 24), ())
    assert first == await picture("ramp", (80, 24), ())
    root = ElementTree.fromstring(first)
    words = "".join(root.itertext())
    assert "latency" in words
    # Blocks and braille are shapes, so that no font is needed for them.
    assert not any("▁" <= char <= "█" or "\u2800" <= char <= "\u28ff" for char in words)
