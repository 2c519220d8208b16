"""Thresholds as a profile has them."""

from __future__ import annotations

from pathlib import Path

from agenttop.journal.rules import rules_of
from agenttop.profile.model import Profile
from agenttop.thresholds.expression import parse_threshold
from agenttop.thresholds.judge import Judge, Rule
from agenttop.users.compile import layout_of
from tests.profile.test_load import SESSION
from tests.profile.writing import SMALL, load


def rules(folder: Path, thresholds: str, profile: str = SMALL, **env: str) -> list[Rule]:
    loaded = load(folder, f"thresholds = [{thresholds}]" + profile, env=env)
    return list(rules_of(loaded.profile, loaded.masked).thresholds)


def test_text_and_table(tmp_path: Path) -> None:
    text, table = rules(
        tmp_path,
        '"error_rate < 5%", { expression = "rps > 1", abort = true, delay = "30s", window = "1m", allow_empty = true }',
    )
    assert text == Rule("error_rate < 5%", parse_threshold("error_rate < 5%"))
    assert table == Rule("rps > 1", parse_threshold("rps > 1"), True, 30.0, 60.0, True)


def test_none_is_none(tmp_path: Path) -> None:
    loaded = load(tmp_path, SMALL)
    assert rules_of(loaded.profile, loaded.masked).thresholds == ()


def test_every_row_and_stage_of_a_run_can_be_named(tmp_path: Path) -> None:
    profile = SESSION.replace('name = "voice"', 'name = "voice"\nstages = [{ duration = "9s", users = 2 }]')
    layout = layout_of(load(tmp_path, profile).profile)
    texts = [f"latency{{request:{request.name}}} p95 < 1s" for request in layout.requests]
    texts += [f"latency{{stage:{stage.name}}} p95 < 1s" for stage in layout.stages]
    found = rules(tmp_path, ", ".join(f"'{text}'" for text in texts), profile)
    assert len(Judge(found, layout).verdicts) == len(texts) == len(layout.requests) + 2


def test_what_came_from_the_environment_is_not_shown(tmp_path: Path) -> None:
    (rule,) = rules(tmp_path, '"latency p95 < ${LIMIT}"', LIMIT="1234ms")
    assert rule.text == "latency p95 < ***"
    assert rule.expression.limit == 1234
    assert "1234" not in str(load(tmp_path, 'thresholds = ["latency p95 < ${LIMIT}"]' + SMALL, env={"LIMIT": "1234ms"}))


def test_a_profile_made_by_hand_takes_tables(tmp_path: Path) -> None:
    data = load(tmp_path, 'thresholds = ["rps > 1"]' + SMALL).profile.model_dump(by_alias=True)
    assert Profile.model_validate(data).thresholds[0].expression == "rps > 1"
