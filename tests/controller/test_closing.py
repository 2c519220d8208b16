from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agenttop.controller.box import BoxAgent
from agenttop.controller.closing import Closing
from agenttop.controller.intake import Intake
from agenttop.controller.items import Item
from agenttop.controller.orders import Now, Orders
from agenttop.controller.records import Records
from agenttop.controller.spans import Spans
from agenttop.controller.spec import RunSpec
from agenttop.controller.watcher import Watcher
from agenttop.journal.figures import Closed, Figures
from agenttop.journal.journal import JournalWriter, Second, read_journal
from agenttop.journal.rules import rules_of
from agenttop.metrics.delta import Delta, Health, LeafDelta
from agenttop.metrics.snapshot import Snapshot
from agenttop.profile.load import load_profile
from agenttop.schedule.control import Control
from agenttop.steering.plan import Plan
from agenttop.users.compile import layout_of
from tests.controller.test_records import no_space
from tests.steering.plans import STAGES, TASK

GATED = 'thresholds = [{ expression = "error_rate < 10%", abort = true }, "requests > 1000"]\n'


class Rig:
    """A run of two seconds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        file = folder / "p.toml"
        file.write_text(f'target = "http://127.0.0.1:1"\n{GATED}{STAGES}[[pools]]\nname = "chat"\n{TASK}')
        loaded = load_profile(file, env={})
        layout = layout_of(loaded.profile)
        spec = RunSpec("id", str(folder), loaded.profile, "p.toml", loaded.masked, (), loaded.sha256)
        plan = Plan(loaded.profile, layout)
        self.figures = Figures(layout, rules_of(spec.profile, spec.masked))
        self.watcher = Watcher()
        self.records = Records(spec, plan, self.figures)
        self.records.open()
        self.intake = Intake(spec, self.figures, self.records, None, self.watcher, BoxAgent())
        self.orders, spans = Orders(spec.profile), Spans(len(layout.stages))
        self.closing = Closing(spec, self.figures, self.records, self.watcher, self.intake, self.orders, spans, None)
        self.now = Now(0.0, "running", False, "", False, 1, Control(), plan, {0})
        self.judged: list[tuple[float, Closed]] = []

    def close(self, t_s: float, **outcomes: int) -> Snapshot:
        """Close a second with these outcomes in it."""
        leaf = LeafDelta(0, 0, outcomes, {}, {}, {}, 0)
        delta = Delta(0, 0, t_s, [leaf], [], [], {}, [], 0.0, Health(None, 0.0, 0.0, 0))
        self.intake.take(Item(1, 0, delta=delta), t_s, ending=False)
        return self.closing.second(t_s, lambda: self.now, self.judge)

    def judge(self, t_s: float, closed: Closed) -> None:
        self.judged.append((t_s, closed))

    def seconds(self) -> list[Second]:
        return [record for record in read_journal(self.folder) if isinstance(record, Second)]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    yield made
    assert made.records._journal is not None
    made.records._journal.close()


def test_a_second_is_published_and_written(rig: Rig) -> None:
    snapshot = rig.close(1.0, ok=3)
    assert (snapshot.t_s, snapshot.state, snapshot.ok) == (1.0, "running", 3)
    assert [second.situation.t_s for second in rig.seconds()] == [1.0]
    assert [(t_s, closed.aborting) for t_s, closed in rig.judged] == [(1.0, None)]


def test_what_a_gate_asks_for_is_in_the_second_it_is_of(rig: Rig) -> None:
    def judge(t_s: float, closed: Closed) -> None:
        assert closed.aborting is not None
        rig.watcher.say(t_s, "a threshold ended the run", "error")
        rig.now = replace(rig.now, state="draining", ending="cancel", sending_ended_s=t_s)

    rig.judge = judge  # type: ignore[method-assign]
    snapshot = rig.close(1.0, http_error=3)
    assert "a threshold ended the run" in [event.text for event in snapshot.events]
    (second,) = rig.seconds()
    assert "a threshold ended the run" in [event.text for event in second.events]


def test_what_could_not_be_written_is_told(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as full:
        full.setattr(JournalWriter, "_append", no_space)
        rig.close(1.0, ok=3)
    assert any(text.startswith("journal: ") for text in (event.text for event in rig.watcher.events))


def test_another_state_of_the_target_is_an_event_and_a_mark(rig: Rig) -> None:
    for second in range(1, 6):
        rig.now = replace(rig.now, control=Control(users=2))
        rig.close(float(second), ok=30)
    texts = [event.text for event in rig.watcher.events]
    assert [text.split(" · ")[0] for text in texts] == ["verdict: KEEPS UP"]
    assert not list(rig.orders.changes.all)  # that it does well from the beginning is no mark
    rig.orders.changes.mark(5.5, "by hand")
    for second in range(6, 12):
        snapshot = rig.close(float(second), rate_limited=30)
    (event,) = [event for event in rig.watcher.events if event.text.startswith("verdict: REFUSES · ")]
    assert event.level == "warn"
    assert snapshot.verdict is not None
    assert snapshot.verdict.state == "refuses"
    assert [change.text for change in rig.orders.changes.all] == ["by hand", "REFUSES"]
    assert event in [told for second in rig.seconds() for told in second.events]
