from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agenttop.controller.box import BoxAgent
from agenttop.controller.intake import Intake
from agenttop.controller.items import Item
from agenttop.controller.records import Records
from agenttop.controller.spec import FleetSpec, RunSpec
from agenttop.controller.watcher import Watcher
from agenttop.journal.figures import Figures
from agenttop.journal.rules import Rules
from agenttop.metrics.delta import Delta, Health, LeafDelta, PoolState
from agenttop.metrics.safe_text import SafeText
from agenttop.profile.fleet import parse_hosts
from agenttop.profile.load import load_profile
from agenttop.steering.plan import Plan
from agenttop.users.compile import layout_of
from tests.steering.plans import STAGES, TASK


class Kept:
    """An intake, and what it keeps up to date."""

    def __init__(self, folder: Path, fleet: FleetSpec | None = None, secrets: tuple[str, ...] = ()) -> None:
        file = folder / "p.toml"
        file.write_text(f'target = "http://127.0.0.1:1"\n{STAGES}[[pools]]\nname = "chat"\n{TASK}')
        loaded = load_profile(file, env={})
        spec = RunSpec("id", str(folder), loaded.profile, "p.toml", loaded.masked, (), loaded.sha256, workers=2)
        spec = replace(spec, fleet=fleet)
        self.figures = Figures(layout_of(loaded.profile), Rules())
        self.watcher = Watcher(SafeText(secrets))
        self.records = Records(spec, Plan(loaded.profile, layout_of(loaded.profile)), self.figures)
        self.intake = Intake(spec, self.figures, self.records, None, self.watcher, BoxAgent())

    def delta(self, worker: int, state: PoolState, t_s: float, *, ending: bool = False) -> None:
        leaf = LeafDelta(0, 0, {"ok": 3}, {}, {}, {}, 0)
        health = Health(None, 0.0, 0.0, 0)
        delta = Delta(worker, 0, t_s, [leaf], [], [], {}, [state], 0.0, health)
        self.intake.take(Item(1, worker, delta=delta), t_s, ending=ending)

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(event.level, event.text) for event in self.watcher.take()]

    @property
    def warnings(self) -> list[str]:
        return self.figures.aggregate.workers.warnings


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def test_what_workers_count_is_in_the_figures_and_in_the_journal(kept: Kept) -> None:
    for worker in (0, 1):
        kept.delta(worker, PoolState(0, 1, 0), 1.0)
    assert kept.figures.aggregate.total().outcomes == {"ok": 6}
    assert [delta.worker for delta in kept.records._new.deltas] == [0, 1]


def test_only_a_worker_that_ended_as_it_should_not_is_lost(kept: Kept) -> None:
    kept.intake.take(Item(1, 1, ended=True), 4.0, ending=True)
    assert (kept.intake.lost, kept.told, kept.warnings) == (0, [], [])
    kept.intake.take(Item(2, 0, ended=True, exit="ended with code 3"), 5.0, ending=True)
    text = "worker 0 ended with code 3: none is left"
    assert (kept.intake.lost, kept.told, kept.warnings) == (1, [("error", text)], [f"{text} (at 5 s)"])
    assert kept.records._new.gone == [1, 0], "whoever replays it must forget both"


@pytest.mark.parametrize(
    ("on_loss", "left", "where"),
    [
        ("share", [0], "its users go to the 1 workers left"),
        ("shrink", [0], "the others keep theirs"),
        ("stop", [0], "the run ends"),
        ("share", [], "none is left"),
        ("shrink", [], "none is left"),
    ],
)
def test_what_becomes_of_the_users_of_a_lost_box_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_loss: str, left: list[int], where: str
) -> None:
    monkeypatch.setattr(BoxAgent, "alive", left)
    kept = Kept(tmp_path, FleetSpec(parse_hosts(["b1", "b2"]), on_loss=on_loss))
    kept.intake.take(Item(1, -1, lost=(1,), exit="b2 was lost: x"), 5.0, ending=False)
    text = f"b2 was lost: x: what its workers sent after 0.0 s is in no figure; {where}"
    assert (kept.intake.lost, kept.told) == (1, [("error", text)])


def test_a_secret_in_the_last_words_of_a_box_is_in_no_warning(tmp_path: Path) -> None:
    secret = "sk-fleet-0123456789"
    kept = Kept(tmp_path, secrets=(secret,))
    kept.intake.take(Item(1, -1, lost=(1,), exit=f"b2 was lost: its agent has ended: {secret}"), 5.0, ending=False)
    ((_, event),), (warning,) = kept.told, kept.warnings
    for text in (event, warning):
        assert text.startswith("b2 was lost: its agent has ended: ***: what its workers sent")


@pytest.mark.parametrize("ending", [False, True])
def test_data_that_is_used_up_is_news_while_the_run_goes_on(kept: Kept, ending: bool) -> None:
    for worker in (0, 1):
        kept.delta(worker, PoolState(0, 0, 0, used_up=("rows.csv",), over=True), 2.0, ending=ending)
    text = "chat: every row of rows.csv has been used"
    assert kept.told == ([] if ending else [("info", text)])
    assert kept.warnings == ([] if ending else [f"{text} (at 2 s)"])
    assert kept.intake.data.over


def test_what_workers_want_told_is_told_once(kept: Kept) -> None:
    for t_s in (1.0, 1.25, 1.5):
        for worker in (0, 1):
            kept.delta(worker, PoolState(0, 1, 0, notes=("no more users",)), t_s)
    assert kept.told == [("warn", "chat: no more users")]
    assert kept.warnings == ["chat: no more users"]
