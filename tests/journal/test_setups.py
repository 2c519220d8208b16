"""Tests of agenttop.journal.setups: an older journal's set-ups are found by its profile."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agenttop.journal.refold import Refold, Second
from agenttop.journal.setups import with_setups
from agenttop.journal.summarize import run_header
from agenttop.metrics.layout import Layout, RequestInfo
from agenttop.profile.load import load_profile
from agenttop.users.layout import layout_of
from tests.metrics.fakes import FakeRun

PROFILES = sorted((Path(__file__).resolve().parents[2] / "profiles").glob("*.toml"))


def older(layout: Layout) -> Layout:
    """As it was written before set-ups were marked."""
    return msgspec.structs.replace(
        layout, requests=tuple(RequestInfo(one.pool, one.name, one.optional) for one in layout.requests)
    )


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_they_are_those_that_a_run_would_mark_now(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AGENT_TOKEN"):
        monkeypatch.setenv(name, "a-key")
    loaded = load_profile(path)
    layout = layout_of(loaded.profile)
    assert with_setups(older(layout), loaded.masked) == layout
    assert with_setups(layout, loaded.masked) == layout


def test_there_is_a_set_up_among_the_profiles() -> None:
    assert any("setup" in pool for path in PROFILES for pool in tomllib.loads(path.read_text())["pools"])


@pytest.mark.parametrize("profile", [{}, {"pools": None}, {"pools": [3]}, {"pools": [{"name": "chat", "setup": 3}]}])
def test_where_the_profile_says_nothing_none_is_marked(profile: dict[str, Any]) -> None:
    layout = FakeRun().layout
    assert with_setups(layout, profile) == layout


def test_what_a_task_sends_too_is_none() -> None:
    setup: list[dict[str, Any]] = [{"post": "/api/sessions"}, {"get": "/search", "name": "simple"}]
    profile = {"pools": [{"name": "chat", "setup": setup, "tasks": [{"get": "/ask", "name": "simple"}]}]}
    marked = [request.name for request in with_setups(FakeRun().layout, profile).requests if request.setup]
    assert marked == ["POST /api/sessions"]


def test_their_times_are_not_among_those_of_the_run() -> None:
    run = FakeRun(seconds=10, storm=None)
    profile = {"pools": [{"name": "chat", "setup": [{"post": "/api/sessions"}], "tasks": [{"get": "/simple"}]}]}

    def p50(written: dict[str, Any]) -> float:
        refold = Refold(run_header(run.info(), run.layout, written, "0" * 64), live_only=True)
        for second in range(1, 11):
            deltas = [
                msgspec.structs.replace(d, leaves=[x for x in d.leaves if x.request < 3]) for d in run.deltas(second)
            ]
            tick = refold.add(Second(run.situation(second), deltas))
        return tick.latency_p50_ms or 0.0

    assert p50(profile) > p50({})
