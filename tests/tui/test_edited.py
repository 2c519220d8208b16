"""A plan that was edited, as the screen has it."""

from __future__ import annotations

from msgspec.structs import replace

from agenttop.metrics.snapshot import Edited, StageInfo
from agenttop.tui.app import AgenttopApp
from agenttop.tui.history import History
from tests.tui.fake import FakeFeed
from tests.tui.pilot import settle, text
from tests.tui.sim import STAGES, Sim


def test_what_has_been_driven_stays_where_it_was() -> None:
    sim = Sim("ramp")
    history = History(sim.info)
    for snap in sim.until(200):
        history.add(snap.tick, snap.plan_t_s)
    before = [part.users if part is not None else None for part in history.plan]
    longer = replace(sim.info, duration_s=1200.0)
    history.replan(longer)
    after = [part.users if part is not None else None for part in history.plan]
    assert len(after) == 1024
    for t_s in range(30, 195, 7):
        was, now = before[int(t_s)], after[int(t_s / 1200 * 1024)]
        assert was is None or now is None or abs(was - now) <= 3  # users rise by one a second
    assert after[int(250 / 1200 * 1024)] is None
    history.replan(sim.info)
    last = max(place for place, part in enumerate(history.plan) if part is not None)
    assert last in (198, 199, 200)


async def test_the_screen_follows_and_leaves_out_what_is_driven_no_more() -> None:
    feed = FakeFeed("ramp")
    warm, ramp, hold, drain = STAGES
    spike = StageInfo(4, "spike", 134.0, 194.0, 124.0, 400.0, "users")
    stages = (
        warm,
        replace(ramp, end_s=134.0, target_end=124.0),
        replace(hold, dropped=True),
        replace(drain, dropped=True),
        spike,
    )
    app = AgenttopApp(feed, clock=lambda: 0.0)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        assert "stage 2/4 ramp" in text(pilot)
        feed.put(replace(feed.sim.step(), edited=Edited(stages, 194.0), stage=4))
        await settle(pilot, feed)
        assert "stage 3/3 spike" in text(pilot)
        assert "/03:14" in text(pilot)
        assert "DRAIN" not in text(pilot).upper()
